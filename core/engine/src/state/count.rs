//! Counting the units of buyers, for the limits.

use domain::{Line, Lines, SaleId, UnixMs};

use super::{Scope, State};

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
        let (sale_id, buyer) = (order.sale, order.buyer);
        let sale = &self.sales[usize::from(sale_id.0)];
        let mut change = |scope: Scope, units: u32| match taken {
            true => self.allowances.add(scope, buyer, units),
            false => self.allowances.subtract(scope, buyer, units),
        };
        if sale.counts_buyers || sale.counts_days {
            let units = self.orders.lines(order).map(|line| u32::from(line.quantity)).sum();
            if sale.counts_buyers {
                change(Scope::sale(sale_id), units);
            }
            if sale.counts_days {
                change(Scope::day(sale_id, order.placed_at()), units);
            }
        }
        for Line { item, quantity, .. } in self.orders.lines(order) {
            if sale.items[usize::from(item.0)].counts_buyers {
                change(Scope::item(sale_id, item), quantity.into());
            }
        }
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
