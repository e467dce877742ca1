//! Give a hold its full time again, once.

use domain::{Actor, BuyerId, Fact, KeyDigest, OrderId, OrderState, Refusal, UnixMs};

use super::{Facts, already_so, find_order, illegal, one};
use crate::state::State;

pub(super) fn decide(
    state: &State,
    order: OrderId,
    buyer: BuyerId,
    key: KeyDigest,
    now: UnixMs,
) -> Result<Facts, Refusal> {
    let (slot, found) = find_order(state, order, Actor::Buyer(buyer))?;
    match state.extensions.get(&slot) {
        Some(extension) if extension.key == key => return already_so(),
        Some(_) => return Err(Refusal::HoldAlreadyExtended),
        None => {}
    }
    match state.standing(slot, now) {
        OrderState::Held => one(Fact::HoldExtended { order, key, expires_at: now.plus_s(found.hold_ttl_s) }),
        from => illegal(from, OrderState::Held),
    }
}
