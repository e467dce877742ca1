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
/// A full disk gets its space back in so many steps of a thousand.
const DISK_FREED: u64 = 60;

impl World {
    /// Between two steps the power goes, or the process is killed.
    pub(super) fn cut_power_or_kill(&mut self) {
        if self.dice.per_mille(self.shape.power_cut) {
            self.inject(Mark::PowerCutAtRest);
            self.end_process();
            self.cycle_power();
        } else if self.dice.per_mille(self.shape.kill) {
            self.story.tell("the process is killed");
            self.inject(Mark::ProcessRestarted);
            self.end_process();
        }
    }

    /// A disk becomes full, or gets its space back.
    pub(super) fn fill_disk(&mut self) {
        for disk in self.machine.disks() {
            let changes = if disk.is_full() { DISK_FREED } else { self.shape.disk_full };
            if self.dice.per_mille(changes) {
                disk.set_full(!disk.is_full());
                self.story.tell(&format!("a disk is full: {}", disk.is_full()));
            }
        }
    }

    /// The power will go in the middle of something.
    pub(super) fn light_fuse(&mut self) {
        if self.dice.per_mille(self.shape.fuse) {
            let disk = self.dice.index(self.machine.disks().len());
            self.machine.burn_after(disk, self.dice.below(FUSE_LENGTH_MAX));
        }
    }

    /// Segments made ahead, snapshots taken, old segments dropped.
    pub(super) fn upkeep(&mut self) -> Verdict {
        for shard in 0..self.inboxes.len() {
            let Some(system) = &mut self.system else { return Ok(()) };
            if self.dice.per_mille(500)
                && let Err(error) = system.shard_mut(shard).prepare_segment()
            {
                self.said_no(&error)?;
            } else if self.dice.per_mille(self.shape.snapshot) {
                self.snapshot(shard)?;
            }
        }
        self.spend_busy_time();
        Ok(())
    }

    fn snapshot(&mut self, shard: usize) -> Verdict {
        let Some(system) = &mut self.system else { return Ok(()) };
        let written = match system.shard_mut(shard).take_snapshot() {
            Ok(written) => written,
            Err(error) => {
                self.mark(Mark::SnapshotFailed);
                return self.said_no(&error);
            }
        };
        self.story.tell(&format!("{written:?}"));
        self.auditor.reached.mark(Mark::SnapshotTaken);
        let Some(seq) = written.droppable_before.filter(|_| self.shape.truncates) else { return Ok(()) };
        match system.shard_mut(shard).truncate_before(seq) {
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
        if self.machine.is_off() { self.stopped(Mark::PowerCutInUpkeep, error) } else { Ok(()) }
    }

    /// The process has stopped and said why.
    pub(super) fn stopped(&mut self, in_the_dark: Mark, error: &anyhow::Error) -> Verdict {
        self.story.tell(&format!("stopped: {error:#}"));
        self.has_cause(error)?;
        self.end_process();
        if self.machine.is_off() {
            self.inject(in_the_dark);
            if self.machine.has_unsynced() {
                self.mark(Mark::CrashBetweenAppendAndDurable);
            }
            self.cycle_power();
        } else {
            self.mark(Mark::StoppedByDisk);
            self.stopped_by_full |= self.machine.tally().refused_full > self.refused_full_before;
            self.die();
        }
        Ok(())
    }

    /// A stop without a fault of the disk is a fault of the system.
    fn has_cause(&mut self, error: &anyhow::Error) -> Verdict {
        let tally = self.machine.tally();
        if tally.refused_full > self.refused_full_before {
            self.mark(Mark::DiskWasFull);
        }
        if self.machine.is_off() || tally.faults > self.faults_before {
            return Ok(());
        }
        Err(format!("the system failed though the disk did not: {error:#}"))
    }

    /// The process is gone, and with it what waited for its writers.
    fn end_process(&mut self) {
        self.system = None;
        self.inboxes.iter_mut().for_each(Vec::clear);
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
        let before = self.machine.tally();
        self.machine.cycle_power();
        let after = self.machine.tally();
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
            if self.dice.per_mille(self.shape.bit_flip) {
                self.recover_from_rot()?;
                self.machine.set_fault_rates(self.shape.faults);
                continue;
            }
            if attempt < TROUBLED_RECOVERY_COUNT_MAX {
                self.light_fuse();
                self.machine.set_fault_rates(self.shape.faults);
            } else {
                self.mend();
            }
            self.recover()?;
            self.spend_busy_time();
            self.machine.set_fault_rates(self.shape.faults);
        }
        Err("the system does not come up again on a disk that works".to_owned())
    }

    /// Nothing is wrong with the disks any more.
    pub(super) fn mend(&self) {
        self.machine.quench();
        self.machine.make_room();
        self.machine.set_fault_rates(FaultRates::default());
    }

    fn recover(&mut self) -> Verdict {
        self.next_process();
        match System::recover(&self.machine, self.shape.journal, self.clock.now()) {
            Ok((system, recovered)) => {
                if recovered.iter().any(|recovered| !recovered.snapshots_damaged.is_empty()) {
                    return Err("a snapshot that had been verified is damaged".to_owned());
                }
                self.recovered(system, &recovered)
            }
            Err(error) => {
                self.mark(Mark::RecoveryFailed);
                self.stopped(Mark::PowerCutInRecovery, &error)
            }
        }
    }

    pub(super) fn next_process(&mut self) {
        self.machine = self.machine.for_next_process();
        let tally = self.machine.tally();
        (self.faults_before, self.refused_full_before) = (tally.faults, tally.refused_full);
    }

    /// A process is up: it must have everything.
    pub(super) fn recovered(&mut self, system: System, recovered: &[Recovered]) -> Verdict {
        self.story.tell(&format!("{recovered:?}"));
        if std::mem::take(&mut self.stopped_by_full) {
            self.mark(Mark::RestartedAfterFull);
        }
        recovered.iter().for_each(|recovered| self.mark_recovered(recovered));
        if let Some(damage) = self.scrub(recovered).first() {
            return Err(format!("a sound journal is said to be damaged: {damage:?}"));
        }
        for member in system.shards() {
            let state = member.state();
            engine::invariants::check(state)
                .map_err(|broken| format!("broken after recovery: {broken:?}"))?;
            self.auditor.check_recovered(
                (member.id(), state.seq()),
                |order| state.order(order),
                |buyer, key| state.order_by_key(buyer, key),
            )?;
        }
        self.system = Some(system);
        Ok(())
    }

    fn mark_recovered(&mut self, recovered: &Recovered) {
        if recovered.snapshot.is_some() {
            self.mark(Mark::RecoveredFromSnapshot);
        }
        match recovered.journal.verdict {
            JournalVerdict::TornTail(_) => self.mark(Mark::TornTailCut),
            JournalVerdict::Clean if recovered.journal.extent.record_count() > 0 => {
                self.mark(Mark::CleanRecovery);
            }
            JournalVerdict::Clean => {}
        }
    }
}
