//! Makes a fact so. It cannot fail: a fact that does not fit the state is a bug (or a journal of another
//! shard), and an assertion stops the writer before anything wrong is confirmed.

mod order;
mod sale;

use domain::{Fact, OrderState, RefundCause};

use crate::state::State;

/// Applies the next fact. `state.seq()` grows by one.
///
/// # Panics
/// When the fact does not fit the state.
pub fn apply(state: &mut State, fact: &Fact) {
    state.seq = state.seq.next();
    match fact {
        Fact::TermStarted { .. } => {}
        Fact::SaleCreated { sale, slug, terms } => sale::created(state, *sale, slug, terms),
        Fact::SaleEdited { sale, terms } => sale::edited(state, *sale, terms),
        Fact::ItemAdded { sale, item, terms, stock } => {
            sale::item_added(state, (*sale, *item), terms, *stock)
        }
        Fact::ItemEdited { sale, item, terms } => sale::item_edited(state, *sale, *item, terms),
        Fact::SaleMoved { sale, to, .. } => sale::moved(state, *sale, *to),
        Fact::StockChanged { sale, item, change, key } => {
            sale::stock_changed(state, (*sale, *item), *change, *key)
        }
        Fact::OrderHeld { order, sale, buyer, key, hold_ttl_s, lines } => {
            let (id, seq) = (*order, state.seq);
            let new = crate::state::NewOrder {
                id,
                sale: *sale,
                buyer: *buyer,
                key: *key,
                hold_ttl_s: *hold_ttl_s,
                lines,
                seq,
            };
            order::held(state, &new);
        }
        Fact::HoldExtended { order, key, expires_at } => order::extended(state, *order, *key, *expires_at),
        Fact::OrderCancelled { order, .. } => order::ended(state, *order, OrderState::Cancelled),
        Fact::OrderExpired { order } => order::ended(state, *order, OrderState::Expired),
        Fact::OrderPaid { order, payment, amount } => order::paid(state, *order, *payment, *amount),
        Fact::PaymentFailed { order, .. } => order::payment_failed(state, *order),
        Fact::PaymentUnmatched { order, payment, amount, cause } => {
            order::unmatched(state, *order, (*payment, *amount), *cause);
        }
        Fact::PaymentSurplus { order, payment, amount } => order::surplus(state, *order, *payment, *amount),
        Fact::SurplusReturned { order, payment } => order::surplus_returned(state, *order, *payment),
        Fact::RefundStarted { order, restock } => {
            order::refund_started(state, *order, RefundCause::Organiser, *restock);
        }
        Fact::OrderRefunded { order } => order::refunded(state, *order),
        Fact::RefundFailed { order } => order::refund_failed(state, *order),
    }
}
