//! Money that comes and money that goes back.

use alloc::vec;
use alloc::vec::Vec;

use domain::{
    Amount, Currency, Fact, Line, OrderId, OrderState, PaymentId, PaymentResult, RefundCause, RefundStep,
    Refusal, UnixMs, Wish, limits,
};

use super::{Order, Twin};

/// A payment as the provider reports it.
pub(super) struct Paying {
    pub(super) payment: PaymentId,
    pub(super) amount: Amount,
    pub(super) currency: Currency,
}

impl Twin {
    pub(super) fn record_payment(
        &self,
        id: OrderId,
        paying: &Paying,
        result: PaymentResult,
        now: UnixMs,
    ) -> Result<Vec<Fact>, Refusal> {
        let order = self.orders.get(&id).ok_or(Refusal::OrderNotFound)?;
        match result {
            PaymentResult::Failed => Ok(failed(id, order, paying.payment, now)),
            PaymentResult::Succeeded => self.succeeded(id, order, paying, now),
        }
    }

    fn succeeded(
        &self,
        id: OrderId,
        order: &Order,
        paying: &Paying,
        now: UnixMs,
    ) -> Result<Vec<Fact>, Refusal> {
        let Paying { payment, amount, currency } = *paying;
        if order.payment == Some(payment) || order.surplus.iter().any(|surplus| surplus.payment == payment) {
            return Ok(vec![]);
        }
        let expected = order.lines.total();
        let expected_currency = self.find_sale(order.sale).expect("an order has a sale").terms.currency;
        if amount != expected || currency != expected_currency {
            return Err(Refusal::AmountMismatch { expected, currency: expected_currency });
        }
        match order.state_at(id, now) {
            OrderState::Held => Ok(vec![Fact::OrderPaid { order: id, payment, amount }]),
            OrderState::Expired => Ok(self.paid_late(id, order, paying)),
            OrderState::Cancelled => {
                let cause = RefundCause::PaidAfterCancel;
                Ok(vec![Fact::PaymentUnmatched { order: id, payment, amount, cause }])
            }
            OrderState::Paid | OrderState::Refunding | OrderState::Refunded => {
                let remembered: usize = self.orders.values().map(|order| order.surplus.len()).sum();
                if remembered >= limits::SURPLUS_COUNT_MAX {
                    return Err(Refusal::CapacityExhausted { limit: "SURPLUS_COUNT_MAX" });
                }
                Ok(vec![Fact::PaymentSurplus { order: id, payment, amount }])
            }
        }
    }

    /// The hold is over: the units again if they are to be had, else the money goes back.
    fn paid_late(&self, id: OrderId, order: &Order, paying: &Paying) -> Vec<Fact> {
        let Paying { payment, amount, .. } = *paying;
        let mut facts = vec![];
        let mut after = self.clone();
        if order.state == OrderState::Held {
            facts.push(Fact::OrderExpired { order: id });
            after.apply(&facts[0]);
        }
        let wishes: Vec<Wish> = order.lines.iter().map(Line::wish).collect();
        let cause = if after.check_free(order.sale, &wishes).is_err() {
            Some(RefundCause::StockTaken)
        } else if after.check_limits(order.sale, order.buyer, id.placed_at(), &wishes).is_err() {
            Some(RefundCause::LimitReached)
        } else {
            None
        };
        facts.push(match cause {
            Some(cause) => Fact::PaymentUnmatched { order: id, payment, amount, cause },
            None => Fact::OrderPaid { order: id, payment, amount },
        });
        facts
    }

    pub(super) fn record_refund(
        &self,
        id: OrderId,
        surplus: Option<PaymentId>,
        step: RefundStep,
        now: UnixMs,
    ) -> Result<Vec<Fact>, Refusal> {
        let order = self.orders.get(&id).ok_or(Refusal::OrderNotFound)?;
        if let Some(payment) = surplus {
            return refund_surplus(id, order, payment, step);
        }
        let from = order.state_at(id, now);
        let refuse = |to| Err(Refusal::OrderState { from, to });
        match (step, from) {
            (RefundStep::Start { restock }, OrderState::Paid) => {
                Ok(vec![Fact::RefundStarted { order: id, restock }])
            }
            (RefundStep::Start { .. }, OrderState::Refunding) => Ok(vec![]),
            (RefundStep::Start { .. }, _) => refuse(OrderState::Refunding),
            (RefundStep::Succeeded, OrderState::Refunding) => Ok(vec![Fact::OrderRefunded { order: id }]),
            (RefundStep::Succeeded, OrderState::Refunded) => Ok(vec![]),
            (RefundStep::Succeeded, _) => refuse(OrderState::Refunded),
            (RefundStep::Failed, OrderState::Refunding) => Ok(vec![Fact::RefundFailed { order: id }]),
            (RefundStep::Failed, _) => refuse(OrderState::Paid),
        }
    }
}

fn failed(id: OrderId, order: &Order, payment: PaymentId, now: UnixMs) -> Vec<Fact> {
    if order.payment != Some(payment) && order.state_at(id, now) == OrderState::Held {
        vec![Fact::PaymentFailed { order: id, payment }]
    } else {
        vec![]
    }
}

fn refund_surplus(
    id: OrderId,
    order: &Order,
    payment: PaymentId,
    step: RefundStep,
) -> Result<Vec<Fact>, Refusal> {
    let surplus =
        order.surplus.iter().find(|surplus| surplus.payment == payment).ok_or(Refusal::PaymentNotFound)?;
    match step {
        RefundStep::Succeeded if !surplus.returned => Ok(vec![Fact::SurplusReturned { order: id, payment }]),
        _ => Ok(vec![]),
    }
}
