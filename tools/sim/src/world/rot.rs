//! A bit flips while no process runs. Recovery must name it, or come to the very same state.

use journal::{Damage, OpenError, ReadError};
use shard::{RecoverError, Recovered};

use super::World;
use crate::auditor::Verdict;
use crate::disk::Flipped;
use crate::reached::Mark;
use crate::system::System;

impl World {
    /// Flips a bit and recovers, with nothing else going wrong; then the bit is taken from the mirror again. The
    /// process that comes up goes on; when none does, the next attempt finds the disk as it was.
    pub(super) fn recover_from_rot(&mut self) -> Verdict {
        self.mend();
        self.next_process();
        let (options, now) = (self.shape.journal, self.clock.now());
        // What recovery comes to without the flip.
        let (sound, _) = System::recover(&self.machine.copy(), options, now)
            .map_err(|error| format!("the system does not come up on a disk that works: {error:#}"))?;
        let disk = self.dice.index(self.machine.disks().len());
        let Some(flipped) = self.machine.disks()[disk].flip_bit() else { return Ok(()) };
        self.story.tell(&format!("a bit flips on disk {disk}: {flipped:?}"));
        let found = System::recover(&self.machine, options, now);
        let scrubbed = found.as_ref().map_or_else(|_| Vec::new(), |(_, recovered)| self.scrub(recovered));
        self.machine.disks()[disk].heal();
        match found {
            Ok((system, recovered)) => {
                let scrubbed = self.judge_scrub((disk, &flipped), &recovered, &scrubbed)?;
                self.judge_rotten(&sound, &system, (disk, &flipped), &recovered)?;
                self.mark(if scrubbed { Mark::BitFlippedInJournal } else { Mark::BitFlippedInVain });
                self.recovered(system, &recovered)
            }
            Err(error) if names_damage(&error) => {
                self.story.tell(&format!("the mirror helps: {error:#}"));
                self.mark(Mark::BitFlippedInJournal);
                Ok(())
            }
            Err(error) => Err(format!("a flipped bit, {flipped:?}, was not named: {error:#}")),
        }
    }

    /// What is wrong with segments that a start did not read, by the number of the disk.
    pub(super) fn scrub(&self, recovered: &[Recovered]) -> Vec<(usize, Damage)> {
        let disks = self.machine.disks().iter().zip(recovered).enumerate();
        let damage = disks.filter_map(|(number, (disk, recovered))| {
            let before = recovered.journal.unread_before?;
            // A disk that cannot be read just now says nothing about what is on it.
            Some((number, journal::scan_before(disk, before).ok()?.err()?))
        });
        damage.collect()
    }

    /// Whether the scrub named the flipped bit. It must if the bit is in its segments, and may name nothing else.
    fn judge_scrub(
        &self,
        (disk, flipped): (usize, &Flipped),
        recovered: &[Recovered],
        scrubbed: &[(usize, Damage)],
    ) -> Result<bool, String> {
        let is_it = |(number, damage): &(usize, Damage)| *number == disk && damage.file == flipped.file;
        if let Some(other) = scrubbed.iter().find(|found| !is_it(found)) {
            return Err(format!("{other:?} is said to be damaged, but it was {flipped:?}"));
        }
        let before = recovered[disk].journal.unread_before;
        let is_unread = before.is_some_and(|before| {
            let first_seq = flipped.file.strip_prefix("journal-").and_then(|name| name.get(..20));
            first_seq.and_then(|digits| digits.parse().ok()).is_some_and(|first: u64| first < before.0)
        });
        if is_unread && scrubbed.is_empty() {
            return Err(format!(
                "a bit flipped in a segment that the start did not read, and nobody named it: {flipped:?}"
            ));
        }
        Ok(!scrubbed.is_empty())
    }

    fn judge_rotten(
        &mut self,
        sound: &System,
        system: &System,
        (disk, flipped): (usize, &Flipped),
        recovered: &[Recovered],
    ) -> Verdict {
        let same =
            sound.shards().iter().zip(system.shards()).all(|(sound, this)| sound.state() == this.state());
        if !same {
            return Err(format!("a flipped bit changed the state, and nobody said so: {flipped:?}"));
        }
        let mut named = false;
        for (number, recovered) in recovered.iter().enumerate() {
            for damaged in &recovered.snapshots_damaged {
                if number != disk || damaged.file != flipped.file {
                    return Err(format!("{damaged} is said to be damaged, but it was {flipped:?}"));
                }
                named = true;
            }
        }
        if named {
            self.mark(Mark::BitFlippedInSnapshot);
        }
        Ok(())
    }
}

/// Whether somebody who reads it learns that the journal is damaged, and where.
fn names_damage(error: &anyhow::Error) -> bool {
    let is_damage = |read: &ReadError| matches!(read, ReadError::Damage { .. });
    match error.downcast_ref::<RecoverError>() {
        Some(RecoverError::Open(OpenError::Damage(_))) => true,
        Some(RecoverError::Tail(read)) => is_damage(read),
        _ => false,
    }
}
