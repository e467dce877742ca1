//! What kind of world a seed makes. Every world is bad in another way: faults that are always all on
//! together hide what happens when they come alone (A. Groce et al., "Swarm testing", 2012).

mod knob;
mod sales;

use domain::UnixMs;
use journal::Options;

pub use knob::Knob;
pub use sales::SaleShape;

use crate::dice::Dice;
use crate::disk::FaultRates;
use crate::network::Weather;

/// Noon of 2026-12-01, UTC.
const NOON: u64 = UnixMs::EPOCH.0 + 334 * UnixMs::DAY_MS + UnixMs::DAY_MS / 2;

/// What kind of world it is. Rates are times in a thousand steps, messages or operations.
#[derive(Clone, Debug)]
pub struct Shape {
    /// What the clock shows first.
    pub start: UnixMs,
    /// Steps of the rush.
    pub step_count: u64,
    /// How many people want something.
    pub buyer_count: u64,
    /// New purchases in one step, at most.
    pub purchase_count_max: u64,
    /// Shards of the installation.
    pub shard_count: u16,
    /// The sales.
    pub sales: Vec<SaleShape>,
    /// Requests that wait for a shard's writer, at most.
    pub inbox_len_max: u32,
    /// How the journals are laid out.
    pub journal: Options,
    /// What the disks do wrong.
    pub faults: FaultRates,
    /// What the network does wrong.
    pub weather: Weather,
    /// The power goes off before a step.
    pub power_cut: u64,
    /// The power goes off in the middle of a step, a recovery or the upkeep.
    pub fuse: u64,
    /// The process is killed before a step.
    pub kill: u64,
    /// A disk becomes full for a while.
    pub disk_full: u64,
    /// A bit flips before a recovery.
    pub bit_flip: u64,
    /// The clock jumps.
    pub clock_jump: u64,
    /// A request comes twice at once.
    pub click_twice: u64,
    /// An old request comes again.
    pub come_late_again: u64,
    /// A snapshot is taken.
    pub snapshot: u64,
    /// Whether segments are dropped that snapshots stand for.
    pub truncates: bool,
    /// An organiser does something.
    pub organiser: u64,
}

impl Shape {
    /// The world of these dice.
    pub fn new(dice: &mut Dice) -> Shape {
        let start = UnixMs(NOON + dice.below(2) * (UnixMs::DAY_MS / 2 - 5_000));
        let shard_count = [1, 1, 2, 3][dice.index(4)];
        let sale_count = dice.between(1, 4);
        Shape {
            start,
            step_count: dice.between(80, 320),
            buyer_count: dice.between(3, 60),
            purchase_count_max: dice.between(1, 8),
            shard_count,
            sales: (0..sale_count).map(|index| SaleShape::new(index, start, dice)).collect(),
            inbox_len_max: u32::try_from(dice.between(3, 40)).expect("it is small"),
            journal: Options {
                segment_size_bytes: 4_096 * dice.between(6, 64),
                block_size_bytes_max: 4_096 * 17,
            },
            faults: faults(dice),
            weather: weather(dice),
            power_cut: rate(dice, 20),
            fuse: rate(dice, 60),
            kill: rate(dice, 20),
            disk_full: rate(dice, 10),
            bit_flip: rate(dice, 300),
            clock_jump: rate(dice, 20),
            click_twice: rate(dice, 200),
            come_late_again: rate(dice, 100),
            snapshot: rate(dice, 40),
            truncates: dice.per_mille(500),
            organiser: rate(dice, 100),
        }
    }
}

/// Zero in one world of three, else up to `max`.
fn rate(dice: &mut Dice, max: u64) -> u64 {
    if dice.below(3) == 0 { 0 } else { dice.between(1, max) }
}

fn faults(dice: &mut Dice) -> FaultRates {
    FaultRates {
        write_error: rate(dice, 8),
        write_short: rate(dice, 8),
        sync_error: rate(dice, 8),
        name_error: rate(dice, 30),
        slow: rate(dice, 20),
    }
}

fn weather(dice: &mut Dice) -> Weather {
    Weather { lost: rate(dice, 100), repeated: rate(dice, 100), late: rate(dice, 100) }
}
