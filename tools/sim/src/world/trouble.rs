//! What goes wrong, and how the system comes back.

use journal::Verdict as JournalVerdict;
use shard::Recovered;

use super::World;
use crate::auditor::Verdict;
use crate::disk::FaultRates;
use crate::reached::Mark;
use crate::system::System;

/// Recoveries that are tried while the disk fails; then it behaves.
const TROUBLED_RECOVERY_COUNT_MAX: u64 = 4;
const RECOVERY_COUNT_MAX: u64 = 100;
/// The power goes off within so many operations of the disk.
const FUSE_LENGTH_MAX: u64 = 12;

impl World {
    /// Between two steps the power goes, or the process is killed.
    pub(super) fn cut_power_or_kill(&mut self) {
        if self.dice.per_mille(self.shape.power_cut) {
            self.mark(Mark::PowerCutAtRest);
            self.system = None;
            self.cycle_power();
        } else if self.dice.per_mille(self.shape.kill) {
            self.story.tell("the process is killed");
            self.mark(Mark::ProcessRestarted);
            self.system = None;
        }
    }

    /// The power will go in the middle of something.
    pub(super) fn light_fuse(&mut self) {
        if self.dice.per_mille(self.shape.fuse) {
            self.disk.burn_after(Some(self.dice.below(FUSE_LENGTH_MAX)));
        }
    }

    /// Segments made ahead, snapshots taken, old segments dropped.
    pub(super) fn upkeep(&mut self) -> Verdict {
        let Some(system) = &mut self.system else { return Ok(()) };
        if self.dice.per_mille(500)
            && let Err(error) = system.prepare_segment()
        {
            return self.said_no(&error);
        }
        if self.dice.per_mille(self.shape.snapshot) {
            return self.snapshot();
        }
        Ok(())
    }

    fn snapshot(&mut self) -> Verdict {
        let Some(system) = &mut self.system else { return Ok(()) };
        let written = match system.take_snapshot() {
            Ok(written) => written,
            Err(error) => {
                self.mark(Mark::SnapshotFailed);
                return self.said_no(&error);
            }
        };
        self.story.tell(&format!("{written:?}"));
        self.auditor.reached.mark(Mark::SnapshotTaken);
        let Some(seq) = written.droppable_before.filter(|_| self.shape.truncates) else { return Ok(()) };
        match system.truncate_before(seq) {
            Ok(0) => Ok(()),
            Ok(_) => {
                self.mark(Mark::JournalTruncated);
                Ok(())
            }
            Err(error) => self.stopped(Mark::PowerCutInUpkeep, &error),
        }
    }

    /// Upkeep failed. The process goes on, unless the power is off.
    fn said_no(&mut self, error: &anyhow::Error) -> Verdict {
        self.story.tell(&format!("upkeep failed: {error:#}"));
        self.has_cause(error)?;
        if self.disk.is_off() { self.stopped(Mark::PowerCutInUpkeep, error) } else { Ok(()) }
    }

    /// The process has stopped and said why.
    pub(super) fn stopped(&mut self, in_the_dark: Mark, error: &anyhow::Error) -> Verdict {
        self.story.tell(&format!("stopped: {error:#}"));
        self.has_cause(error)?;
        self.system = None;
        if self.disk.is_off() {
            self.mark(in_the_dark);
            self.cycle_power();
        } else {
            self.mark(Mark::StoppedByDisk);
            self.die();
        }
        Ok(())
    }

    /// A stop without a fault of the disk is a fault of the system.
    fn has_cause(&self, error: &anyhow::Error) -> Verdict {
        if self.disk.is_off() || self.disk.tally().faults > self.faults_before {
            return Ok(());
        }
        Err(format!("the system failed though the disk did not: {error:#}"))
    }

    /// The process ends; half of the time the machine does, too.
    fn die(&mut self) {
        if self.dice.below(2) == 0 {
            self.cycle_power();
        } else {
            self.mark(Mark::ProcessRestarted);
        }
    }

    fn cycle_power(&mut self) {
        let before = self.disk.tally();
        self.disk.cycle_power();
        let after = self.disk.tally();
        if after.sectors_lost > before.sectors_lost {
            self.mark(Mark::SectorsLost);
        }
        if after.names_lost > before.names_lost {
            self.mark(Mark::NamesLost);
        }
        self.story.tell(&format!("the power went: {after:?}"));
    }

    /// Starts a process if there is none, as often as it takes.
    pub(super) fn revive(&mut self) -> Verdict {
        for attempt in 0..RECOVERY_COUNT_MAX {
            if self.system.is_some() {
                return Ok(());
            }
            if attempt < TROUBLED_RECOVERY_COUNT_MAX {
                self.light_fuse();
            } else {
                self.disk.burn_after(None);
                self.disk.set_fault_rates(FaultRates::default());
            }
            self.recover()?;
            self.disk.set_fault_rates(self.shape.faults);
        }
        Err("the system does not come up again on a disk that works".to_owned())
    }

    fn recover(&mut self) -> Verdict {
        self.disk = self.disk.for_next_process();
        self.faults_before = self.disk.tally().faults;
        match System::recover(&self.disk, self.shape.journal, self.clock.now()) {
            Ok((system, recovered)) => self.recovered(system, &recovered),
            Err(error) => {
                self.mark(Mark::RecoveryFailed);
                self.stopped(Mark::PowerCutInRecovery, &error)
            }
        }
    }

    fn recovered(&mut self, system: System, recovered: &Recovered) -> Verdict {
        self.story.tell(&format!("{recovered:?}"));
        if recovered.snapshot.is_some() {
            self.mark(Mark::RecoveredFromSnapshot);
        }
        if !recovered.snapshots_damaged.is_empty() {
            return Err("a snapshot that had been verified is damaged".to_owned());
        }
        match recovered.journal.verdict {
            JournalVerdict::TornTail(_) => self.mark(Mark::TornTailCut),
            JournalVerdict::Clean if recovered.journal.extent.record_count() > 0 => {
                self.mark(Mark::CleanRecovery)
            }
            JournalVerdict::Clean => {}
        }
        let state = system.state();
        engine::invariants::check(state).map_err(|broken| format!("broken after recovery: {broken:?}"))?;
        self.auditor.check_recovered(
            state.seq(),
            |order| state.order(order),
            |buyer, key| state.order_by_key(buyer, key),
        )?;
        self.system = Some(system);
        Ok(())
    }
}
