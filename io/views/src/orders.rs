//! Listings of a sale's orders, page by page.

use core::ops::ControlFlow;

use domain::{OrderId, OrderState, OrderView, SaleId, Seq};
use engine::State;

/// Orders on one page, at most.
pub const PAGE_ORDER_COUNT_MAX: usize = 1_000;
/// Orders that are looked at for one page, of whatever sale and state: bounds what a page costs. A page may
/// therefore be short, even empty, and not be the last.
pub const PAGE_LOOK_COUNT_MAX: usize = 16_384;

/// Which orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrdersQuery {
    /// Of which sale.
    pub sale: SaleId,
    /// Only in this state.
    pub state: Option<OrderState>,
    /// Only after this order, in the order of numbers, which is that of placing.
    pub after: Option<OrderId>,
    /// How many, at most; no more than [`PAGE_ORDER_COUNT_MAX`], and at least one.
    pub count_max: usize,
}

/// One page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrdersPage {
    /// The orders, by number.
    pub orders: Vec<OrderView>,
    /// What to ask for as [`OrdersQuery::after`] to go on; `None` at the end.
    pub next: Option<OrderId>,
    /// The position that the page rests on.
    pub seq: Seq,
}

/// The page that the query asks for, as the state has it.
pub fn orders(state: &State, query: &OrdersQuery) -> OrdersPage {
    let count_max = query.count_max.clamp(1, PAGE_ORDER_COUNT_MAX);
    let mut orders: Vec<OrderView> = Vec::new();
    let Some(first) = first_after(query.after) else {
        return OrdersPage { orders, next: None, seq: state.seq() };
    };
    let mut is_more = false;
    let unseen = state.orders_from(query.sale, first, PAGE_LOOK_COUNT_MAX, |order| {
        if query.state.is_some_and(|wanted| wanted != order.state) {
            return ControlFlow::Continue(());
        }
        if orders.len() == count_max {
            // One more than the page has room for: so there is a next page.
            is_more = true;
            return ControlFlow::Break(());
        }
        orders.push(order);
        ControlFlow::Continue(())
    });
    let next = match is_more {
        true => orders.last().map(|last| last.order),
        false => unseen.and_then(|first| OrderId::from_raw(first.raw().checked_sub(1)?)),
    };
    OrdersPage { orders, next, seq: state.seq() }
}

/// The first number that may stand on the page; `None` behind the very last number.
fn first_after(after: Option<OrderId>) -> Option<OrderId> {
    OrderId::from_raw(after.map_or(0, |after| after.raw() + 1))
}

#[cfg(test)]
mod tests;
