//! Give up an order that is not paid.

use domain::{Actor, Fact, OrderId, OrderState, Refusal, UnixMs};

use super::{Facts, already_so, find_order, illegal, one};
use crate::state::State;

pub(super) fn decide(state: &State, order: OrderId, by: Actor, now: UnixMs) -> Result<Facts, Refusal> {
    let (slot, _) = find_order(state, order, by)?;
    match state.standing(slot, now) {
        OrderState::Held => one(Fact::OrderCancelled { order, by_organiser: by == Actor::Organiser }),
        OrderState::Cancelled => already_so(),
        from => illegal(from, OrderState::Cancelled),
    }
}
