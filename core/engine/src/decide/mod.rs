//! What a command brings. One command, one file; nothing here writes.
//!
//! Repeating a command that is already so brings no facts, and its answer is the first one again. Refusals
//! come in the order in which [`domain::Refusal`] lists them; the look-up of the idempotency key comes first.

mod cancel_order;
mod change_stock;
mod create_sale;
mod edit_sale;
mod extend_hold;
mod move_sale;
mod place_order;
mod record_payment;
mod record_refund;
mod terms;
mod tick;

use domain::{Actor, Command, Fact, OrderId, OrderState, Refusal, UnixMs, planted};
use smallvec::{SmallVec, smallvec};

use crate::state::{Order, State};

/// The facts that a command brings: usually one, so they need no allocation.
pub type Facts = SmallVec<[Fact; 1]>;

/// Decides a command on the state that all commands before it left. `now` never runs backwards.
///
/// # Errors
/// The refusal, which changes nothing.
pub fn decide(state: &State, command: &Command, now: UnixMs) -> Result<Facts, Refusal> {
    match command {
        Command::PlaceOrder { sale, buyer, key, wishes } => place_order::decide(
            state,
            place_order::Wanted { sale: *sale, buyer: *buyer, key: *key, wishes },
            now,
        ),
        Command::ExtendHold { order, buyer, key } => extend_hold::decide(state, *order, *buyer, *key, now),
        Command::CancelOrder { order, by } => cancel_order::decide(state, *order, *by, now),
        Command::RecordPayment { order, payment, amount, currency, result } => {
            let payment = record_payment::Payment {
                payment: *payment,
                amount: *amount,
                currency: *currency,
                result: *result,
            };
            record_payment::decide(state, *order, payment, now)
        }
        Command::RecordRefund { order, surplus, step } => {
            record_refund::decide(state, *order, *surplus, *step, now)
        }
        Command::CreateSale { slug, terms, items } => create_sale::decide(state, slug, terms, items),
        Command::EditSale { sale, patch } => edit_sale::decide(state, *sale, patch, now),
        Command::MoveSale { sale, to } => move_sale::decide(state, *sale, *to, now),
        Command::ChangeStock { sale, item, change, key } => change_stock::decide(
            state,
            change_stock::Change { sale: *sale, item: *item, change: *change, key: *key },
        ),
        Command::Tick => Ok(tick::decide(state, now)),
    }
}

/// Whether a `Tick` at `now` would bring nothing; cheap enough to be asked before every batch.
pub fn is_quiet(state: &State, now: UnixMs) -> bool {
    (planted!(NeverExpire) || state.deadlines.none_due(now))
        && state.sales.iter().all(|sale| tick::clock_move(sale, now).is_none())
}

fn already_so() -> Result<Facts, Refusal> {
    Ok(Facts::new())
}

fn one(fact: Fact) -> Result<Facts, Refusal> {
    Ok(smallvec![fact])
}

/// An order that `by` may see. Somebody else's order is not found, so that nobody learns that it exists.
pub(crate) fn find_order(state: &State, order: OrderId, by: Actor) -> Result<(u32, &Order), Refusal> {
    let slot = state.orders.slot(order).ok_or(Refusal::OrderNotFound)?;
    let found = state.orders.get(slot);
    match by {
        Actor::Buyer(buyer) if buyer != found.buyer && !planted!(ShowOrderToAnybody) => {
            Err(Refusal::OrderNotFound)
        }
        _ => Ok((slot, found)),
    }
}

fn illegal(from: OrderState, to: OrderState) -> Result<Facts, Refusal> {
    Err(Refusal::OrderState { from, to })
}
