//! One sale with its items, and the arithmetic of units.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use domain::{
    Amount, ItemIndex, ItemTerms, KeyDigest, Levels, Phase, SaleStatus, SaleTerms, Slug, StockReceipt, UnixMs,
};

use crate::snapshot::Turnover;

/// One sale.
pub struct Sale {
    pub(crate) slug: Slug,
    pub(crate) terms: Box<SaleTerms>,
    pub(crate) status: SaleStatus,
    pub(crate) items: Vec<Item>,
    pub(crate) stock_keys: BTreeMap<KeyDigest, StockReceipt>,
    pub(crate) money: Money,
    /// Whether units are counted for each buyer: from the first such limit on, for good.
    pub(crate) counts_buyers: bool,
    /// The same for each buyer and day.
    pub(crate) counts_days: bool,
    /// Whether a limit was tightened in mid-sale, so that a buyer may rightly have more than it says.
    pub(crate) limits_tightened: bool,
}

/// The money of a sale, in its currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Money {
    pub(crate) taken: Amount,
    pub(crate) returned: Amount,
}

/// One item of a sale.
pub struct Item {
    pub(crate) terms: Box<ItemTerms>,
    pub(crate) levels: Levels,
    pub(crate) turnover: Turnover,
    /// Whether units are counted for each buyer: from the first such limit on, for good.
    pub(crate) counts_buyers: bool,
}

impl Sale {
    /// Its code.
    pub fn slug(&self) -> &Slug {
        &self.slug
    }

    /// Its terms.
    pub fn terms(&self) -> &SaleTerms {
        &self.terms
    }

    /// What was done to it last.
    pub fn status(&self) -> SaleStatus {
        self.status
    }

    /// Its items by position.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// What it answers to an order at `now`.
    pub fn phase(&self, now: UnixMs) -> Phase {
        self.status.phase(&self.terms, now)
    }

    pub(crate) fn item(&self, item: ItemIndex) -> Option<&Item> {
        self.items.get(usize::from(item.0))
    }

    pub(crate) fn item_mut(&mut self, item: ItemIndex) -> &mut Item {
        &mut self.items[usize::from(item.0)]
    }
}

/// How units move. Every unit that comes back is counted under exactly one cause.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Move {
    /// free → held: an order was placed.
    Hold,
    /// held → free: the order was cancelled.
    Cancel,
    /// held → free: the hold expired.
    Expire,
    /// held → paid.
    Pay,
    /// free → paid: a payment came after the hold had expired.
    PayLate,
    /// paid → free: the money went back.
    Refund,
    /// paid → withdrawn: the money went back, and the units stay off sale.
    RefundWithdraw,
}

impl Move {
    /// The levels after so many units moved; `None` when they are not there. Values, not places: adding the levels
    /// up right behind narrower writes to them would wait for every write before (a failed store forwarding), which
    /// was a fifth of the time of an order.
    fn levels_after(self, levels: Levels, units: u32) -> Option<Levels> {
        let Levels { free, held, paid, withdrawn, .. } = levels;
        Some(match self {
            Move::Hold => Levels { free: free.checked_sub(units)?, held: held + units, ..levels },
            Move::Cancel | Move::Expire => {
                Levels { held: held.checked_sub(units)?, free: free + units, ..levels }
            }
            Move::Pay => Levels { held: held.checked_sub(units)?, paid: paid + units, ..levels },
            Move::PayLate => Levels { free: free.checked_sub(units)?, paid: paid + units, ..levels },
            Move::Refund => Levels { paid: paid.checked_sub(units)?, free: free + units, ..levels },
            Move::RefundWithdraw => {
                Levels { paid: paid.checked_sub(units)?, withdrawn: withdrawn + units, ..levels }
            }
        })
    }
}

impl Item {
    /// Its terms.
    pub fn terms(&self) -> &ItemTerms {
        &self.terms
    }

    /// Where its units are.
    pub fn levels(&self) -> Levels {
        self.levels
    }

    /// Where its units have been.
    pub fn turnover(&self) -> Turnover {
        self.turnover
    }

    /// Moves the units of an order's line.
    pub(crate) fn move_units(&mut self, how: Move, quantity: u16) {
        let units = u32::from(quantity);
        let before = self.levels;
        let levels = how.levels_after(before, units);
        let levels =
            levels.unwrap_or_else(|| panic!("I1: {how:?} of {units} units, but there are {before:?}"));
        assert!(levels.is_conserved(), "I1: {how:?} of {units} units left {levels:?}");
        self.levels = levels;
        if let Some(counter) = self.counter(how) {
            *counter += u64::from(units);
        }
    }

    /// Adds stock, or withdraws free units.
    pub(crate) fn change_stock(&mut self, change: i32) {
        let units = change.unsigned_abs();
        if change >= 0 {
            self.levels.stock += units;
            self.levels.free += units;
        } else {
            assert!(self.levels.free >= units, "I1: withdraw {units} of {} free units", self.levels.free);
            self.levels.free -= units;
            self.levels.withdrawn += units;
        }
        assert!(self.levels.is_conserved(), "I1: change of {change} left {:?}", self.levels);
    }

    fn counter(&mut self, how: Move) -> Option<&mut u64> {
        let turnover = &mut self.turnover;
        match how {
            Move::Hold | Move::PayLate => Some(&mut turnover.taken),
            Move::Cancel => Some(&mut turnover.cancelled),
            Move::Expire => Some(&mut turnover.expired),
            Move::Refund | Move::RefundWithdraw => Some(&mut turnover.refunded),
            Move::Pay => None,
        }
    }
}
