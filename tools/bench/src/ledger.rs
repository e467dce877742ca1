//! What a store says was sold, and whether that can be true.

use std::ops::RangeInclusive;

use anyhow::ensure;
use serde::Deserialize;

use crate::arm::{Arm, PER_BUYER_MAX};

/// What is in a store after a run, counted from the store itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub(crate) struct Ledger {
    /// Units free in all items.
    pub(crate) free: u64,
    /// Orders, and the units in them.
    pub(crate) orders: u64,
    pub(crate) units: u64,
    /// Different pairs of buyer and key.
    pub(crate) keys: u64,
    /// Units that buyers have, by the counters that limits are checked with.
    pub(crate) taken: u64,
    /// The most that one buyer has.
    pub(crate) per_buyer_max: u64,
}

/// Every confirmed order is in the store, no more than those that were sent, none twice, and no unit is lost.
///
/// # Errors
/// When that is not so; says what is wrong. The run is void then.
pub(crate) fn check(arm: Arm, ledger: Ledger, confirmed: RangeInclusive<u64>) -> anyhow::Result<()> {
    let Ledger { free, orders, units, keys, taken, per_buyer_max } = ledger;
    let stock = u64::from(arm.stock()) * u64::from(arm.items());
    ensure!(units <= stock, "OVERSOLD: {units} units of {stock}");
    ensure!(stock == free + units, "stock {stock} is not free {free} + sold {units}");
    ensure!(taken == units, "buyers have {taken} units by the limit's counters, {units} by the orders");
    ensure!(orders == units, "{orders} orders of one unit hold {units} units");
    ensure!(keys == orders, "{orders} orders were placed under {keys} different keys");
    let limit = u64::from(PER_BUYER_MAX);
    ensure!(per_buyer_max <= limit, "a buyer has {per_buyer_max} units, {limit} are allowed");
    let expected = if arm.sells() { confirmed } else { 0..=0 };
    ensure!(expected.contains(&orders), "{orders} orders are in the store, expected {expected:?}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOCK: u64 = 1_000_000_000;
    const SOLD: Ledger = Ledger { free: STOCK - 5, orders: 5, units: 5, keys: 5, taken: 5, per_buyer_max: 1 };

    fn void(ledger: Ledger) -> String {
        check(Arm::Order, ledger, 4..=6).unwrap_err().to_string()
    }

    #[test]
    fn orders_may_be_more_than_answers_by_those_under_way_only() {
        check(Arm::Order, SOLD, 5..=6).unwrap();
        check(Arm::Order, SOLD, 3..=5).unwrap();
        assert!(check(Arm::Order, SOLD, 6..=9).is_err(), "a confirmed order is lost");
        assert!(check(Arm::Order, SOLD, 2..=4).is_err(), "an order that nobody sent");
    }

    #[test]
    fn lost_unit_makes_the_run_void() {
        assert!(void(Ledger { free: STOCK - 6, ..SOLD }).contains("is not free"));
        assert!(void(Ledger { orders: 4, keys: 4, ..SOLD }).contains("hold 5 units"));
        assert!(void(Ledger { taken: 4, ..SOLD }).contains("by the limit's counters"));
    }

    #[test]
    fn order_placed_twice_makes_the_run_void() {
        assert!(void(Ledger { keys: 4, ..SOLD }).contains("4 different keys"));
    }

    #[test]
    fn buyer_over_the_limit_makes_the_run_void() {
        assert!(void(Ledger { per_buyer_max: 5, ..SOLD }).contains("4 are allowed"));
    }

    #[test]
    fn sold_out_sale_sells_nothing() {
        let nothing = Ledger { free: 0, orders: 0, units: 0, keys: 0, taken: 0, per_buyer_max: 0 };
        check(Arm::SoldOut, nothing, 5..=6).unwrap();
        let oversold = check(Arm::SoldOut, Ledger { free: 0, ..SOLD }, 5..=6).unwrap_err();
        assert!(oversold.to_string().starts_with("OVERSOLD"), "{oversold}");
    }

    /// A store that reads the stock and writes it back in two steps: what two buyers read at the same time, both
    /// get. The check has to see through that, whether or not the counter went below zero.
    struct RacyStore {
        free: u64,
        ledger: Ledger,
    }

    impl RacyStore {
        fn two_buyers_at_once(&mut self) {
            let (first, second) = (self.free, self.free);
            self.free = first - 1;
            self.free = second - 1;
            for counted in [&mut self.ledger.orders, &mut self.ledger.units, &mut self.ledger.keys] {
                *counted += 2;
            }
            self.ledger.taken += 2;
        }
    }

    #[test]
    fn store_that_sells_a_unit_twice_is_found() {
        let none = Ledger { free: 0, orders: 0, units: 0, keys: 0, taken: 0, per_buyer_max: 1 };
        let mut racy = RacyStore { free: STOCK, ledger: none };
        racy.two_buyers_at_once();
        let ledger = Ledger { free: racy.free, ..racy.ledger };
        assert!(check(Arm::RedisAlways, ledger, 2..=2).is_err());
    }
}
