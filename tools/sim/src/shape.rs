//! What kind of world a seed makes. Every world is bad in another way: faults that are always all on
//! together hide what happens when they come alone (A. Groce et al., "Swarm testing", 2012).

use domain::{Currency, ItemTerms, SaleTerms, Slug};
use journal::Options;

use crate::dice::Dice;
use crate::disk::FaultRates;

/// What kind of world it is. Rates are times in a thousand steps, or operations.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Steps of the rush.
    pub step_count: u64,
    /// How many people want something.
    pub buyer_count: u64,
    /// New purchases in one step, at most.
    pub purchase_count_max: u64,
    /// The sale.
    pub terms: SaleTerms,
    /// Its items with their first stock.
    pub items: Vec<(ItemTerms, u32)>,
    /// How the journal is laid out.
    pub journal: Options,
    /// What the disk does wrong.
    pub faults: FaultRates,
    /// The power goes off before a step.
    pub power_cut: u64,
    /// The power goes off in the middle of a step, a recovery or the upkeep.
    pub fuse: u64,
    /// The process is killed before a step.
    pub kill: u64,
    /// The clock jumps.
    pub clock_jump: u64,
    /// An answer is lost.
    pub answer_lost: u64,
    /// A request comes twice at once.
    pub click_twice: u64,
    /// An old request comes again.
    pub come_late_again: u64,
    /// A snapshot is taken.
    pub snapshot: u64,
    /// Whether segments are dropped that snapshots stand for.
    pub truncates: bool,
    /// The organiser does something.
    pub organiser: u64,
}

impl Shape {
    /// The world of these dice.
    pub fn new(dice: &mut Dice) -> Shape {
        let item_count = dice.between(1, 4);
        Shape {
            step_count: dice.between(100, 500),
            buyer_count: dice.between(3, 60),
            purchase_count_max: dice.between(1, 8),
            terms: sale_terms(dice),
            items: (0..item_count).map(|index| item(index, dice)).collect(),
            journal: Options {
                segment_size_bytes: 4_096 * dice.between(6, 64),
                block_size_bytes_max: 4_096 * 17,
            },
            faults: faults(dice),
            power_cut: rate(dice, 20),
            fuse: rate(dice, 60),
            kill: rate(dice, 20),
            clock_jump: rate(dice, 20),
            answer_lost: rate(dice, 150),
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
        no_space: rate(dice, 60),
        name_error: rate(dice, 30),
    }
}

fn sale_terms(dice: &mut Dice) -> SaleTerms {
    SaleTerms {
        name: "Rush".into(),
        currency: Currency::new("EUR").expect("three capital letters"),
        opens_at: None,
        closes_at: None,
        hold_ttl_s: u16::try_from(dice.between(1, 12)).expect("it is small"),
        per_order_max: None,
        per_buyer_max: limit(dice),
        per_buyer_day_max: limit(dice),
    }
}

fn item(index: u64, dice: &mut Dice) -> (ItemTerms, u32) {
    let terms = ItemTerms {
        code: Slug::new(&format!("item-{index}")).expect("a legal code"),
        name: "Item".into(),
        unit_price: u32::try_from(dice.between(1, 9_999)).expect("it is small"),
        per_order_max: None,
        per_buyer_max: limit(dice),
    };
    (terms, u32::try_from(dice.between(1, 120)).expect("it is small"))
}

fn limit(dice: &mut Dice) -> Option<u32> {
    let max = u32::try_from(dice.between(3, 12)).expect("it is small");
    (dice.below(3) == 0).then_some(max)
}
