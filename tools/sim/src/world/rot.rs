//! A bit flips while no process runs. Recovery must name it, or come to the very same state.

use journal::{OpenError, ReadError};
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
        self.machine.disks()[disk].heal();
        match found {
            Ok((system, recovered)) => {
                self.judge_rotten(&sound, &system, (disk, &flipped), &recovered)?;
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
        self.mark(if named { Mark::BitFlippedInSnapshot } else { Mark::BitFlippedInVain });
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
