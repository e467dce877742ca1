//! Time has passed.

use alloc::vec::Vec;

use domain::{Cause, Fact, OrderId, Phase, SaleId, SaleStatus, UnixMs, limits};

use super::{Sale, Twin};

impl Twin {
    pub(super) fn tick(&self, now: UnixMs) -> Vec<Fact> {
        let mut facts = Vec::new();
        for (sale, number) in self.sales.iter().zip(0..) {
            if let Some(to) = sale.moved_by_clock(now) {
                facts.push(Fact::SaleMoved { sale: SaleId(number), to, cause: Cause::Clock });
            }
        }
        let due = self.orders.iter().filter(|(id, order)| order.is_due(**id, now));
        let mut due: Vec<(UnixMs, OrderId)> = due.map(|(id, order)| (order.expires_at(*id), *id)).collect();
        due.sort();
        facts.extend(due.into_iter().map(|(_, order)| Fact::OrderExpired { order }));
        facts.truncate(limits::TICK_FACT_COUNT_MAX);
        facts
    }
}

impl Sale {
    /// Where an instant of the terms brings the sale, if it is not there yet.
    fn moved_by_clock(&self, now: UnixMs) -> Option<SaleStatus> {
        match (self.status, self.phase(now)) {
            (SaleStatus::Closed, _) => None,
            (_, Phase::Closed) => Some(SaleStatus::Closed),
            (SaleStatus::Scheduled, Phase::Open) => Some(SaleStatus::Open),
            _ => None,
        }
    }
}
