//! Time has passed: sales open and close by themselves, holds expire.

use domain::{Cause, Fact, OrderState, SaleId, SaleStatus, UnixMs, limits};

use super::Facts;
use crate::state::{Sale, State};

/// The moves of sales in the order of their numbers, then the ends of holds in the order of their instants
/// and, within one, of order numbers; at most [`limits::TICK_FACT_COUNT_MAX`] facts, the rest by the next tick.
pub(super) fn decide(state: &State, now: UnixMs) -> Facts {
    let moves = state.sales().filter_map(|(sale, found)| moved(sale, found, now));
    let live = |deadline| state.is_live(deadline);
    let expiries = state
        .deadlines
        .due(now, live)
        .map(|deadline| Fact::OrderExpired { order: state.orders.get(deadline.slot).id });
    moves.chain(expiries).take(limits::TICK_FACT_COUNT_MAX).collect()
}

/// Where the clock wants a sale that is not there yet.
pub(super) fn clock_move(sale: &Sale, now: UnixMs) -> Option<SaleStatus> {
    let reached = |instant: Option<UnixMs>| instant.is_some_and(|instant| instant <= now);
    match sale.status {
        SaleStatus::Closed => None,
        _ if reached(sale.terms.closes_at) => Some(SaleStatus::Closed),
        SaleStatus::Scheduled if reached(sale.terms.opens_at) => Some(SaleStatus::Open),
        _ => None,
    }
}

fn moved(sale: SaleId, found: &Sale, now: UnixMs) -> Option<Fact> {
    clock_move(found, now).map(|to| Fact::SaleMoved { sale, to, cause: Cause::Clock })
}

impl State {
    /// Whether the end of a first hold still counts: the order is held and was not extended.
    pub(crate) fn is_live(&self, deadline: crate::state::Deadline) -> bool {
        let order = self.orders.get(deadline.slot);
        order.state == OrderState::Held && !order.is_extended()
    }
}
