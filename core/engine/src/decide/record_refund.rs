//! A step in giving money back, by hand.

use domain::{Actor, Fact, OrderId, OrderState, PaymentId, RefundStep, Refusal, UnixMs};

use super::{Facts, already_so, find_order, illegal, one};
use crate::state::State;

pub(super) fn decide(
    state: &State,
    order: OrderId,
    surplus: Option<PaymentId>,
    step: RefundStep,
    now: UnixMs,
) -> Result<Facts, Refusal> {
    let (slot, _) = find_order(state, order, Actor::Organiser)?;
    if let Some(payment) = surplus {
        return return_surplus(state, order, payment, step);
    }
    match (step, state.standing(slot, now)) {
        (RefundStep::Start { restock }, OrderState::Paid) => one(Fact::RefundStarted { order, restock }),
        (RefundStep::Start { .. }, OrderState::Refunding) => already_so(),
        (RefundStep::Start { .. }, from) => illegal(from, OrderState::Refunding),
        (RefundStep::Succeeded, OrderState::Refunding) => one(Fact::OrderRefunded { order }),
        (RefundStep::Succeeded, OrderState::Refunded) => already_so(),
        (RefundStep::Succeeded, from) => illegal(from, OrderState::Refunded),
        (RefundStep::Failed, OrderState::Refunding) => one(Fact::RefundFailed { order }),
        (RefundStep::Failed, from) => illegal(from, OrderState::Paid),
    }
}

fn return_surplus(
    state: &State,
    order: OrderId,
    payment: PaymentId,
    step: RefundStep,
) -> Result<Facts, Refusal> {
    let surplus = state.surplus.get(&(order, payment)).ok_or(Refusal::PaymentNotFound)?;
    match step {
        RefundStep::Succeeded if !surplus.returned => one(Fact::SurplusReturned { order, payment }),
        _ => already_so(),
    }
}
