//! Counting the units of buyers, for the limits.

use core::ops::Range;

use domain::{Line, Lines, SaleId, UnixMs};

use super::allowances::Change;
use super::later::Later;
use super::{Order, Sale, Scope, State};

/// What of some orders goes into the indexes.
pub struct Notes {
    pub(crate) keys: Later<u32>,
    pub(crate) changes: Later<Change>,
}

/// A live order, as far as counting goes.
pub(crate) struct Counted {
    pub(crate) placed_at: UnixMs,
    pub(crate) units: u32,
    pub(crate) lines: Lines,
}

impl State {
    /// Counts an order's units for its buyer (`taken`), or no longer.
    pub(crate) fn count(&mut self, slot: u32, taken: bool) {
        let order = self.orders.get(slot);
        let (sale, buyer, lines) =
            (&self.sales[usize::from(order.sale.0)], order.buyer, self.orders.lines(order));
        for_each_count(sale, order, lines, |scope, units| match taken {
            true => self.allowances.add(scope, buyer, units),
            false => self.allowances.subtract(scope, buyer, units),
        });
    }

    /// The keys and units of the orders of these slots.
    pub(crate) fn note(&self, slots: Range<u32>) -> Notes {
        let mut changes = Later::with_capacity(slots.len());
        for order in slots.clone().map(|slot| self.orders.get(slot)).filter(|order| order.has_units()) {
            self.for_each_count(order, |scope, units| {
                self.allowances.note(&mut changes, scope, order.buyer, units);
            });
        }
        Notes { keys: self.orders.note(slots), changes }
    }

    /// Takes what was noted of orders; together, every order must be noted once.
    pub(crate) fn add_noted(&mut self, notes: Notes) {
        self.orders.add_noted(notes.keys);
        self.allowances.add_noted(notes.changes);
    }

    /// Calls `f` with every scope in which the order's units count, and how many.
    pub(crate) fn for_each_count(&self, order: &Order, f: impl FnMut(Scope, u32)) {
        for_each_count(&self.sales[usize::from(order.sale.0)], order, self.orders.lines(order), f);
    }

    /// What a buyer may have in a scope.
    pub(crate) fn limit(&self, scope: Scope) -> Option<u32> {
        scope.limit(self.sale(scope.sale_id())?)
    }

    /// A limit is new in mid-sale: counts what each buyer has already. One pass over all orders; the only
    /// thing in the engine whose cost grows with them, and only an organiser can ask for it.
    pub(crate) fn count_again(&mut self, sale: SaleId, count: impl Fn(&Counted) -> Option<(Scope, u32)>) {
        for order in self.orders.iter().filter(|order| order.sale == sale && order.has_units()) {
            let lines = self.orders.lines_owned(order);
            let units = lines.iter().map(|line| u32::from(line.quantity)).sum();
            let counted = Counted { placed_at: order.placed_at(), units, lines };
            if let Some((scope, units)) = count(&counted) {
                self.allowances.add(scope, order.buyer, units);
            }
        }
    }
}

fn for_each_count(
    sale: &Sale,
    order: &Order,
    lines: impl Iterator<Item = Line> + Clone,
    mut f: impl FnMut(Scope, u32),
) {
    if sale.counts_buyers || sale.counts_days {
        let units = lines.clone().map(|line| u32::from(line.quantity)).sum();
        if sale.counts_buyers {
            f(Scope::sale(order.sale), units);
        }
        if sale.counts_days {
            f(Scope::day(order.sale, order.placed_at()), units);
        }
    }
    for Line { item, quantity, .. } in lines {
        if sale.items[usize::from(item.0)].counts_buyers {
            f(Scope::item(order.sale, item), quantity.into());
        }
    }
}
