//! A disk in memory that fails as disks do. It stands under the very same journal and snapshot code as
//! the real one ([`journal::Disk`]).
//!
//! # What can go wrong
//!
//! **Power.** When the power goes off, in the middle of any operation if a [fuse](SimDisk::burn_after) says
//! so, everything that was not synced is at the seed's mercy. Each 512-byte sector that was written since its
//! file's last `sync` is kept or lost, independently of the others, so a write can be torn in any way; a sector
//! is never torn in itself, which is what drives promise and [`journal::Disk`] builds on. Each creation, rename and removal since the last `sync_dir` is kept or lost, as a whole but independently of
//! the others (harsher than a journaling file system, which keeps a prefix). A `write_at` during which the
//! power goes has written some of its sectors. What was synced stays as it is: bit rot is not simulated here.
//!
//! **A process that dies** loses nothing: what it wrote stays visible, synced or not, and can still be lost
//! to the power later. Its open files are closed: whoever goes on using them gets an error.
//!
//! **A disk that says no.** A write can fail after some of its sectors, or be short. A `sync` can fail; then
//! each sector is durable or not, but *stays visible and counts as clean*: no later `sync` brings it to the disk
//! (PostgreSQL's "fsyncgate", 2018). Making a file can fail for want of space, leaving a part of it behind;
//! renames and `sync_dir` can fail without effect.
//!
//! **What cannot go wrong here:** reads fail or lie, synced data rots, space is taken by somebody else.

mod file;
mod names;
mod platter;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use journal::{Access, Disk};

use crate::dice::Dice;
pub use file::SimFile;
use platter::{Op, Platter};

/// How often the disk says no, in a thousand operations of the kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FaultRates {
    /// Writes that fail.
    pub write_error: u64,
    /// Writes that are short.
    pub write_short: u64,
    /// Syncs that fail.
    pub sync_error: u64,
    /// Files that cannot be made for want of space.
    pub no_space: u64,
    /// Renames, removals and syncs of the directory that fail.
    pub name_error: u64,
}

/// What the disk has done, for the counters of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Operations that could have gone wrong.
    pub operations: u64,
    /// Operations that were made to fail.
    pub faults: u64,
    /// Sectors that the power took.
    pub sectors_lost: u64,
    /// Unsynced sectors that stayed in spite of the power.
    pub sectors_kept: u64,
    /// Creations, renames and removals that the power took.
    pub names_lost: u64,
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
        let (rate, size_bytes) = (platter.rates.no_space, usize_of(size_bytes)?);
        let said_no = platter.begin(Op::Create, rate);
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
