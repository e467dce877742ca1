//! A disk in memory that fails as disks do. It stands under the very same journal and snapshot code as
//! the real one ([`journal::Disk`]).
//!
//! # What can go wrong
//!
//! **Power.** When the power goes off, in the middle of any operation if a [fuse](SimDisk::burn_after) says
//! so, everything that was not synced is at the seed's mercy. Each 512-byte sector that was written since its
//! file's last `sync` is kept or lost, independently of the others, so a write can be torn in any way and
//! sectors reach the disk in any order; a sector is never torn in itself, which is what drives promise and
//! [`journal::Disk`] builds on. Each creation, rename and removal since the last `sync_dir` is kept or lost, as a
//! whole but independently of the others (harsher than a journaling file system, which keeps a prefix). A
//! `write_at` during which the power goes has written some of its sectors.
//!
//! **A process that dies** loses nothing: what it wrote stays visible, synced or not, and can still be lost
//! to the power later. Its open files are closed: whoever goes on using them gets an error.
//!
//! **A disk that says no.** A write can fail after some of its sectors, or be short. A `sync` can fail; then
//! each sector is durable or not, but *stays visible and counts as clean*: no later `sync` brings it to the disk
//! (PostgreSQL's "fsyncgate", 2018). Renames, removals and `sync_dir` can fail without effect.
//!
//! **A full disk** makes no new file, for as long as it [is full](SimDisk::set_full); a part of the file that could
//! not be made stays behind. Files that exist have their space already, and can be written.
//!
//! **A slow disk** takes up to seconds for an operation that changes something. Nobody sleeps: the time is
//! [added up](SimDisk::take_busy_ms), and the world lets its clock go on by it before anybody hears of the outcome.
//!
//! **Bit rot.** While no process runs, one bit of a file that lies still can [flip](SimDisk::flip_bit), in what is
//! seen and in what is durable alike. Whoever keeps a mirror can [heal](SimDisk::heal) it.
//!
//! **What cannot go wrong here:** reads fail or lie while a process runs, more than one bit rots at a time, a
//! synced write is lost as a whole, a sector is torn in itself.

mod file;
mod names;
mod platter;
mod rot;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use journal::{Access, Disk};

use crate::dice::Dice;
pub use file::SimFile;
use platter::Platter;
pub use rot::Flipped;

/// How often the disk says no, in a thousand operations of the kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FaultRates {
    /// Writes that fail.
    pub write_error: u64,
    /// Writes that are short.
    pub write_short: u64,
    /// Syncs that fail.
    pub sync_error: u64,
    /// Renames, removals and syncs of the directory that fail.
    pub name_error: u64,
    /// Operations that take long.
    pub slow: u64,
}

/// What the disk has done, for the counters of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Operations that could have gone wrong.
    pub operations: u64,
    /// Operations that were made to fail.
    pub faults: u64,
    /// Files that could not be made for want of space.
    pub refused_full: u64,
    /// Operations that took long.
    pub slow: u64,
    /// Bits that flipped.
    pub bits_flipped: u64,
    /// Sectors that the power took.
    pub sectors_lost: u64,
    /// Unsynced sectors that stayed in spite of the power.
    pub sectors_kept: u64,
    /// Creations, renames and removals that the power took.
    pub names_lost: u64,
}

impl Tally {
    /// The sum.
    #[must_use]
    pub fn plus(self, other: Tally) -> Tally {
        Tally {
            operations: self.operations + other.operations,
            faults: self.faults + other.faults,
            refused_full: self.refused_full + other.refused_full,
            slow: self.slow + other.slow,
            bits_flipped: self.bits_flipped + other.bits_flipped,
            sectors_lost: self.sectors_lost + other.sectors_lost,
            sectors_kept: self.sectors_kept + other.sectors_kept,
            names_lost: self.names_lost + other.names_lost,
        }
    }
}

/// The disk. Clones are the same disk.
#[derive(Clone)]
pub struct SimDisk {
    platter: Arc<Mutex<Platter>>,
    /// Which process this handle belongs to; those of dead processes do nothing any more.
    process: u64,
}

impl SimDisk {
    /// An empty disk that never fails until told to.
    pub fn new(dice: Dice) -> SimDisk {
        SimDisk { platter: Arc::new(Mutex::new(Platter::new(dice))), process: 0 }
    }

    /// From now on operations fail at these rates.
    pub fn set_fault_rates(&self, rates: FaultRates) {
        self.lock().rates = rates;
    }

    /// The power goes off during the operation after the next `count` ones; `None`: it stays.
    pub fn burn_after(&self, count: Option<u64>) {
        self.lock().fuse = count;
    }

    /// Whether the power went off.
    pub fn is_off(&self) -> bool {
        self.lock().is_off
    }

    /// The power goes off, and on again. What is left is what was durable, and what the seed left.
    pub fn cycle_power(&self) {
        self.lock().cycle_power();
    }

    /// A handle for a new process. Those of the old one do nothing from now on.
    #[must_use]
    pub fn for_next_process(&self) -> SimDisk {
        let mut platter = self.lock();
        platter.process += 1;
        SimDisk { platter: Arc::clone(&self.platter), process: platter.process }
    }

    /// The disk has no free space any more, or has it again.
    pub fn set_full(&self, is_full: bool) {
        self.lock().is_full = is_full;
    }

    /// Whether it has no free space.
    pub fn is_full(&self) -> bool {
        self.lock().is_full
    }

    /// Whether something was written that no sync has made durable yet.
    pub fn has_unsynced(&self) -> bool {
        self.lock().has_unsynced()
    }

    /// Milliseconds that operations took since this was asked last.
    pub fn take_busy_ms(&self) -> u64 {
        std::mem::take(&mut self.lock().busy_ms)
    }

    /// Another disk with the same bytes on it, on which nothing goes wrong.
    #[must_use]
    pub fn copy(&self) -> SimDisk {
        let platter = self.lock().copy();
        SimDisk { process: platter.process, platter: Arc::new(Mutex::new(platter)) }
    }

    /// Flips one bit of a segment or a snapshot that has no unsynced writes; says which. To be called while no
    /// process runs.
    pub fn flip_bit(&self) -> Option<Flipped> {
        self.lock().flip_bit()
    }

    /// Takes the bit that flipped last from the mirror again, unless it was overwritten since.
    pub fn heal(&self) {
        self.lock().heal();
    }

    /// What has happened so far.
    pub fn tally(&self) -> Tally {
        self.lock().tally
    }

    fn lock(&self) -> MutexGuard<'_, Platter> {
        self.platter.lock().expect("no thread panics with the platter in its hands")
    }

    /// The platter for one operation of this handle's process.
    fn operate(&self) -> io::Result<MutexGuard<'_, Platter>> {
        let platter = self.lock();
        if platter.is_off || platter.process != self.process {
            return Err(gone());
        }
        Ok(platter)
    }
}

impl Disk for SimDisk {
    type File = SimFile;

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.operate()?.names.list())
    }

    fn create(&self, name: &str, size_bytes: u64) -> io::Result<SimFile> {
        let mut platter = self.operate()?;
        if platter.names.get(name).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let size_bytes = usize_of(size_bytes)?;
        let said_no = platter.begin_create();
        // A part of a file that could not be made stays behind under its name.
        let made = if said_no.is_err() { platter.part_of(size_bytes) } else { size_bytes };
        let file = platter.make_file(made);
        platter.names.create(name, file);
        said_no?;
        Ok(SimFile::new(self.clone(), file, Access::Write))
    }

    fn open(&self, name: &str, access: Access) -> io::Result<SimFile> {
        let platter = self.operate()?;
        let file = platter.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(SimFile::new(self.clone(), file, access))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut platter = self.operate()?;
        let file = platter.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        platter.begin_name()?;
        platter.names.rename(from, to, file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut platter = self.operate()?;
        platter.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        platter.begin_name()?;
        platter.names.remove(name);
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut platter = self.operate()?;
        platter.begin_name()?;
        platter.names.sync();
        Ok(())
    }
}

fn gone() -> io::Error {
    io::Error::other("the power is off, or this process is dead")
}

fn usize_of(size_bytes: u64) -> io::Result<usize> {
    usize::try_from(size_bytes).map_err(|_| io::ErrorKind::FileTooLarge.into())
}
