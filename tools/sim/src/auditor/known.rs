//! An acknowledged order, as its buyer knows it.

use domain::{KeyDigest, OrderState, OrderView, PaymentId, RefundCause, UnixMs};

use super::{HOLD_TTL_S_MAX, Verdict, ensure};
use crate::crowd::{Deed, Purchase, payment};
use crate::reached::Mark;

#[derive(Clone, Debug)]
pub(super) struct Known {
    /// Its first answer.
    pub(super) first: OrderView,
    /// How it was last seen.
    pub(super) last: OrderView,
    /// Whether the organiser never tried to give its money back.
    pub(super) is_firm: bool,
    /// Payments whose arrival was acknowledged.
    payments: Vec<PaymentId>,
    /// The first answer to its extension.
    extension: Option<(KeyDigest, OrderView)>,
}

impl Known {
    pub(super) fn new(first: &OrderView) -> Known {
        Known {
            first: first.clone(),
            last: first.clone(),
            is_firm: true,
            payments: Vec::new(),
            extension: None,
        }
    }

    /// The order was seen again: it must have come from where it stood before.
    pub(super) fn see(&mut self, view: &OrderView, now: UnixMs) -> Verdict {
        let last = &self.last;
        ensure(view.seq > last.seq || view == last, "an order changed without a fact")?;
        let same = (view.order, view.sale, view.buyer, &view.lines)
            == (last.order, last.sale, last.buyer, &last.lines);
        ensure(same, "an order became another one")?;
        let has_expired = last.state == OrderState::Held && view.state == OrderState::Expired;
        ensure(!has_expired || view.expires_at <= now, "a hold ended early")?;
        ensure(view.payments_failed >= last.payments_failed, "a failed payment got lost")?;
        ensure(can_reach(last.state, view.state), "an order moved against the table of states")?;
        ensure(view.extended || !last.extended, "an extension got lost")?;
        ensure(view.expires_at >= last.expires_at, "a hold became shorter")?;
        ensure(
            self.payments.iter().all(|payment| has_payment(view, *payment)),
            "an acknowledged payment got lost",
        )?;
        let returned = last.surplus.iter().filter(|surplus| surplus.returned);
        let mut still = returned.map(|surplus| view.surplus.contains(surplus));
        ensure(still.all(|still| still), "a returned payment is due again")?;
        self.last = view.clone();
        Ok(())
    }

    /// The answer must say that the deed was done.
    pub(super) fn judge_deed(&mut self, deed: &Deed, view: &OrderView, now: UnixMs) -> Verdict {
        let surplus = |payment: &PaymentId| view.surplus.iter().find(|surplus| surplus.payment == *payment);
        match deed {
            Deed::Pay(payment) => self.judge_payment(*payment, view, now),
            Deed::PayInVain(_) => {
                let counts = view.state == OrderState::Held;
                ensure(!counts || view.payments_failed > 0, "a failed payment was not counted")
            }
            Deed::Cancel => ensure(view.state == OrderState::Cancelled, "not cancelled"),
            Deed::StartRefund { .. } => ensure(view.state == OrderState::Refunding, "not refunding"),
            Deed::EndRefund => ensure(view.state == OrderState::Refunded, "not refunded"),
            Deed::FailRefund => {
                let is_back = matches!(view.state, OrderState::Paid | OrderState::Refunding);
                ensure(is_back, "a refund failed, and the order is not paid")
            }
            Deed::FailReturn(payment) => ensure(surplus(payment).is_some(), "money that came got lost"),
            Deed::ReturnSurplus(payment) => {
                ensure(surplus(payment).is_some_and(|surplus| surplus.returned), "not returned")
            }
            _ => Ok(()),
        }
    }

    /// Money that came in time pays; money that came late is told apart by its cause.
    fn judge_payment(&mut self, payment: PaymentId, view: &OrderView, now: UnixMs) -> Verdict {
        ensure(has_payment(view, payment), "a payment was acknowledged but is not there")?;
        let takes_money =
            matches!(view.state, OrderState::Paid | OrderState::Refunding | OrderState::Refunded);
        ensure(takes_money, "an order was paid and is not")?;
        let is_late = matches!(view.refund_cause, Some(RefundCause::StockTaken | RefundCause::LimitReached));
        ensure(!is_late || view.expires_at <= now, "a payment in time was taken for late")?;
        if !self.payments.contains(&payment) {
            self.payments.push(payment);
        }
        Ok(())
    }

    /// The answer to an extension is the first answer to it again, whatever became of the order since.
    pub(super) fn judge_extension(&mut self, key: KeyDigest, view: &OrderView, now: UnixMs) -> Verdict {
        ensure(view.state == OrderState::Held && view.extended, "not extended")?;
        ensure(view.expires_at >= self.first.expires_at, "a hold became shorter")?;
        ensure(view.expires_at <= now.plus_s(HOLD_TTL_S_MAX), "a hold became longer than any")?;
        let (first_key, first) = self.extension.get_or_insert_with(|| (key, view.clone()));
        ensure(*first_key == key, "a hold was extended twice")?;
        ensure(first == view, "another answer to the same extension")?;
        self.last.extended = true;
        self.last.expires_at = self.last.expires_at.max(view.expires_at);
        Ok(())
    }
}

fn has_payment(view: &OrderView, payment: PaymentId) -> bool {
    view.payment == Some(payment) || view.surplus.iter().any(|surplus| surplus.payment == payment)
}

/// Whether an order can get from one state to the other in any number of moves.
pub(super) fn can_reach(from: OrderState, to: OrderState) -> bool {
    let mut reached = vec![from];
    let mut index = 0;
    while let Some(state) = reached.get(index).copied() {
        let next = OrderState::ALL.into_iter().filter(|next| state.may_become(*next));
        for next in next.collect::<Vec<_>>() {
            if !reached.contains(&next) {
                reached.push(next);
            }
        }
        index += 1;
    }
    reached.contains(&to)
}

/// The interesting states that an answer shows; `known` is how the order was known before.
pub(super) fn marks(purchase: &Purchase, deed: &Deed, view: &OrderView, known: &Known) -> Vec<Mark> {
    let mut marks: Vec<Mark> = by_state(deed, view).into_iter().collect();
    let second = payment(purchase.key, 2);
    match deed {
        Deed::Pay(payment) => {
            if known.payments.contains(payment) {
                marks.push(Mark::PaymentToldTwice);
            } else if known.last.payments_failed > 0 && view.payment == Some(*payment) {
                marks.push(Mark::PaidAfterFailure);
            }
            if purchase.order.is_none() {
                marks.push(Mark::PaidBeforeBuyerKnew);
            }
            if *payment != second && view.payment == Some(second) {
                marks.push(Mark::SecondPaymentFirst);
            }
        }
        Deed::PayInVain(payment) if view.payment == Some(*payment) => {
            marks.push(Mark::PaymentFailedAfterSuccess);
        }
        _ => {}
    }
    marks
}

fn by_state(deed: &Deed, view: &OrderView) -> Option<Mark> {
    match (deed, view.state, view.refund_cause) {
        (Deed::Extend(_), ..) => Some(Mark::Extended),
        (Deed::Cancel, ..) => Some(Mark::Cancelled),
        (Deed::PayInVain(_), OrderState::Held, _) if view.payments_failed > 0 => Some(Mark::PaymentFailed),
        (Deed::Pay(_), OrderState::Paid, _) if !view.surplus.is_empty() => Some(Mark::PaidTwice),
        (Deed::Pay(_), OrderState::Paid, _) => Some(Mark::Paid),
        (Deed::Pay(_), OrderState::Refunding, Some(RefundCause::StockTaken)) => {
            Some(Mark::PaidLateStockTaken)
        }
        (Deed::Pay(_), OrderState::Refunding, Some(RefundCause::LimitReached)) => {
            Some(Mark::PaidLateLimitReached)
        }
        (Deed::Pay(_), OrderState::Refunding, Some(RefundCause::PaidAfterCancel)) => {
            Some(Mark::PaidAfterCancel)
        }
        (Deed::EndRefund, OrderState::Refunded, _) => Some(Mark::Refunded),
        (Deed::FailRefund, OrderState::Paid, _) => Some(Mark::RefundFailed),
        (Deed::FailReturn(_), ..) => Some(Mark::ReturnFailed),
        (Deed::ReturnSurplus(_), ..) => Some(Mark::SurplusReturned),
        (_, OrderState::Expired, _) => Some(Mark::Expired),
        _ => None,
    }
}
