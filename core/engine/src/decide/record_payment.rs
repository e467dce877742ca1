//! A payment provider's word. Money that came is never lost, whatever became of the order.

use domain::{
    Actor, Amount, Currency, Fact, OrderId, OrderState, PaymentId, PaymentResult, RefundCause, Refusal,
    UnixMs, Wish, limits, planted,
};
use smallvec::smallvec;

use super::place_order::{Claim, check_limits, check_stock};
use super::{Facts, already_so, find_order, one};
use crate::state::{Order, State};

pub(super) struct Payment {
    pub(super) payment: PaymentId,
    pub(super) amount: Amount,
    pub(super) currency: Currency,
    pub(super) result: PaymentResult,
}

pub(super) fn decide(state: &State, order: OrderId, by: Payment, now: UnixMs) -> Result<Facts, Refusal> {
    let (slot, found) = find_order(state, order, Actor::Organiser)?;
    let Payment { payment, amount, currency, result } = by;
    if found.payment() == Some(payment) || state.surplus.contains_key(&(order, payment)) {
        return already_so();
    }
    let standing = state.standing(slot, now);
    if result == PaymentResult::Failed {
        let counts = standing == OrderState::Held;
        return if counts { one(Fact::PaymentFailed { order, payment }) } else { already_so() };
    }
    let sale = state.sale(found.sale).expect("an order's sale exists");
    let expected = Amount(state.orders.lines(found).map(|line| line.total().0).sum());
    if (amount, currency) != (expected, sale.terms.currency) && !planted!(AcceptAnyAmount) {
        return Err(Refusal::AmountMismatch { expected, currency: sale.terms.currency });
    }
    match standing {
        OrderState::Held => one(Fact::OrderPaid { order, payment, amount }),
        OrderState::Expired => Ok(pay_late(state, found, payment, amount)),
        OrderState::Cancelled => {
            one(Fact::PaymentUnmatched { order, payment, amount, cause: RefundCause::PaidAfterCancel })
        }
        _ if state.surplus.len() >= limits::SURPLUS_COUNT_MAX => {
            Err(Refusal::CapacityExhausted { limit: "SURPLUS_COUNT_MAX" })
        }
        _ if planted!(ForgetSurplus) => already_so(),
        _ => one(Fact::PaymentSurplus { order, payment, amount }),
    }
}

/// The hold is over: the same units again if they are free and the limits allow it, else the money goes back.
fn pay_late(state: &State, order: &Order, payment: PaymentId, amount: Amount) -> Facts {
    let id = order.id;
    let paid = match obstacle(state, order) {
        None => Fact::OrderPaid { order: id, payment, amount },
        Some(cause) => Fact::PaymentUnmatched { order: id, payment, amount, cause },
    };
    // Due, but no tick has said so yet.
    let is_due = order.state == OrderState::Held;
    if is_due { smallvec![Fact::OrderExpired { order: id }, paid] } else { smallvec![paid] }
}

/// Why an order whose hold is over cannot have its units again. While it still has them, because no tick has come,
/// they are free for it, and are counted for its buyer already.
fn obstacle(state: &State, order: &Order) -> Option<RefundCause> {
    let sale = state.sale(order.sale).expect("an order's sale exists");
    let has_units = order.has_units();
    let missing = state
        .orders
        .lines(order)
        .map(move |line| Wish { item: line.item, quantity: if has_units { 0 } else { line.quantity } });
    if planted!(NeverPayLate) || check_stock(sale, missing.clone()).is_err() {
        return Some(RefundCause::StockTaken);
    }
    let claim = Claim { sale_id: order.sale, sale, buyer: order.buyer, placed_at: order.placed_at() };
    let is_beyond = !planted!(PayLateBeyondLimit) && check_limits(state, &claim, missing).is_err();
    is_beyond.then_some(RefundCause::LimitReached)
}
