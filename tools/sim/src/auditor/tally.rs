//! Counting: what the clients know, item by item, against the levels that the system claims.

use std::collections::BTreeMap;

use domain::{Levels, OrderId, OrderState, OrderView, RefundCause};

use super::{Auditor, Verdict, ensure};
use crate::place::{Place, SaleRef};

impl Auditor {
    /// Somebody tried to give an order's money back: from now on nobody is sure of its units.
    pub fn expect_refund(&mut self, order: OrderId) {
        if let Some(known) = self.orders.get_mut(&order) {
            known.is_firm = false;
        }
    }

    /// Units that buyers know to be theirs are never more than there are. To be checked at any time.
    ///
    /// # Errors
    /// Which item was oversold.
    pub fn check_not_oversold(&self) -> Verdict {
        let mut sold: BTreeMap<Place, u64> = BTreeMap::new();
        for known in
            self.orders.values().filter(|known| known.is_firm && known.last.state == OrderState::Paid)
        {
            for line in &known.last.lines {
                *sold.entry((sale_of(&known.last), line.item)).or_default() += u64::from(line.quantity);
            }
        }
        match sold.iter().find(|(place, units)| **units > self.stock[place].high) {
            Some((place, units)) => {
                Err(format!("oversold: {units} units of {place:?}, {:?}", self.stock[place]))
            }
            None => Ok(()),
        }
    }

    /// The levels of an item are between what the organiser knows, and nothing got lost. To be checked at any
    /// time.
    ///
    /// # Errors
    /// What does not add up.
    pub fn check_levels(&self, place: Place, levels: Levels) -> Verdict {
        let bounds = self.stock[&place];
        let stock = u64::from(levels.stock);
        let fits = levels.is_conserved() && bounds.low <= stock && stock <= bounds.high;
        ensure(fits, &format!("{place:?} has {levels:?}, but must have {bounds:?}"))
    }

    /// At rest, when nothing is in doubt, every unit is where an order or the organiser put it.
    ///
    /// # Errors
    /// What does not add up.
    pub fn check_levels_at_rest(&self, place: Place, levels: Levels) -> Verdict {
        let mut expected = Levels { stock: levels.stock, ..Levels::default() };
        for known in self.orders.values().filter(|known| sale_of(&known.last) == place.0) {
            let view = &known.last;
            let units: u32 =
                view.lines.iter().filter(|line| line.item == place.1).map(|l| u32::from(l.quantity)).sum();
            match whereabouts(view) {
                Whereabouts::Held => expected.held += units,
                Whereabouts::Paid => expected.paid += units,
                Whereabouts::Gone => {}
            }
        }
        let bounds = self.stock[&place];
        ensure(bounds.low == u64::from(levels.stock), &format!("{place:?}: {levels:?} of {bounds:?}"))?;
        let same = (expected.held, expected.paid) == (levels.held, levels.paid);
        ensure(same, &format!("{place:?} has {levels:?}, but the buyers know of {expected:?}"))?;
        ensure(levels.is_conserved(), "units got lost")
    }
}

fn sale_of(view: &OrderView) -> SaleRef {
    SaleRef { shard: view.order.shard(), sale: view.sale }
}

enum Whereabouts {
    Held,
    Paid,
    /// Free again, or withdrawn.
    Gone,
}

fn whereabouts(view: &OrderView) -> Whereabouts {
    match (view.state, view.refund_cause) {
        (OrderState::Held, _) => Whereabouts::Held,
        (OrderState::Paid, _) | (OrderState::Refunding, Some(RefundCause::Organiser)) => Whereabouts::Paid,
        _ => Whereabouts::Gone,
    }
}
