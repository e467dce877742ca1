//! The machine that the process runs on: one disk for each shard, and one power supply for all.

use crate::dice::Dice;
use crate::disk::{FaultRates, SimDisk, Tally};

/// The machine. Clones are the same machine.
#[derive(Clone)]
pub struct Machine {
    disks: Vec<SimDisk>,
}

impl Machine {
    /// A machine with so many empty disks.
    pub fn new(dice: &mut Dice, disk_count: u16) -> Machine {
        Machine { disks: (0..disk_count).map(|_| SimDisk::new(dice.fork())).collect() }
    }

    /// Its disks, by shard.
    pub fn disks(&self) -> &[SimDisk] {
        &self.disks
    }

    /// From now on the disks fail at these rates.
    pub fn set_fault_rates(&self, rates: FaultRates) {
        self.disks.iter().for_each(|disk| disk.set_fault_rates(rates));
    }

    /// The power goes off during the operation after the next `count` ones of one of the disks.
    pub fn burn_after(&self, disk: usize, count: u64) {
        self.disks[disk].burn_after(Some(count));
    }

    /// The power will stay.
    pub fn quench(&self) {
        self.disks.iter().for_each(|disk| disk.burn_after(None));
    }

    /// Whether the power went off.
    pub fn is_off(&self) -> bool {
        self.disks.iter().any(SimDisk::is_off)
    }

    /// The power goes off, and on again.
    pub fn cycle_power(&self) {
        self.disks.iter().for_each(SimDisk::cycle_power);
    }

    /// No disk is full any more.
    pub fn make_room(&self) {
        self.disks.iter().for_each(|disk| disk.set_full(false));
    }

    /// Whether something was written that no sync has made durable yet.
    pub fn has_unsynced(&self) -> bool {
        self.disks.iter().any(SimDisk::has_unsynced)
    }

    /// Handles for a new process. Those of the old one do nothing from now on.
    #[must_use]
    pub fn for_next_process(&self) -> Machine {
        Machine { disks: self.disks.iter().map(SimDisk::for_next_process).collect() }
    }

    /// Another machine with the same bytes on its disks, on which nothing goes wrong.
    #[must_use]
    pub fn copy(&self) -> Machine {
        Machine { disks: self.disks.iter().map(SimDisk::copy).collect() }
    }

    /// Milliseconds that the disks took since this was asked last.
    pub fn take_busy_ms(&self) -> u64 {
        self.disks.iter().map(SimDisk::take_busy_ms).sum()
    }

    /// What happened so far, on all disks together.
    pub fn tally(&self) -> Tally {
        self.disks.iter().map(SimDisk::tally).fold(Tally::default(), Tally::plus)
    }
}
