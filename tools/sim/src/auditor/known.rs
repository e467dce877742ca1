//! An acknowledged order, as its buyer knows it.

use domain::{OrderState, OrderView, PaymentId, RefundCause};

use super::{Verdict, ensure};
use crate::crowd::Deed;
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
    extension: Option<OrderView>,
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
    pub(super) fn see(&mut self, view: &OrderView) -> Verdict {
        let last = &self.last;
        let same = (view.order, view.sale, view.buyer, &view.lines)
            == (last.order, last.sale, last.buyer, &last.lines);
        ensure(same, "an order became another one")?;
        ensure(view.seq >= last.seq, "an order went back in time")?;
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
    pub(super) fn judge_deed(&mut self, deed: &Deed, view: &OrderView) -> Verdict {
        match deed {
            Deed::Pay(payment) => {
                ensure(has_payment(view, *payment), "a payment was acknowledged but is not there")?;
                if !self.payments.contains(payment) {
                    self.payments.push(*payment);
                }
                Ok(())
            }
            Deed::Cancel => ensure(view.state == OrderState::Cancelled, "not cancelled"),
            Deed::StartRefund { .. } => ensure(view.state == OrderState::Refunding, "not refunding"),
            Deed::EndRefund => ensure(view.state == OrderState::Refunded, "not refunded"),
            Deed::ReturnSurplus(payment) => {
                let returned =
                    view.surplus.iter().any(|surplus| surplus.payment == *payment && surplus.returned);
                ensure(returned, "not returned")
            }
            _ => Ok(()),
        }
    }
}

impl Known {
    /// The answer to an extension is the first answer to it again, whatever became of the order since.
    pub(super) fn judge_extension(&mut self, view: &OrderView) -> Verdict {
        ensure(view.state == OrderState::Held && view.extended, "not extended")?;
        ensure(view.expires_at >= self.first.expires_at, "a hold became shorter")?;
        let first = self.extension.get_or_insert_with(|| view.clone());
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

/// The interesting states that an answer shows.
pub(super) fn marks(deed: &Deed, view: &OrderView) -> Vec<Mark> {
    let by_state = match (deed, view.state, view.refund_cause) {
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
        (Deed::ReturnSurplus(_), ..) => Some(Mark::SurplusReturned),
        (_, OrderState::Expired, _) => Some(Mark::Expired),
        _ => None,
    };
    by_state.into_iter().collect()
}
