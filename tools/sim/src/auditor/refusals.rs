//! Which refusals are fair.

use domain::{OrderState, Refusal};

use super::known::can_reach;
use super::{Auditor, Verdict, ensure, wants};
use crate::crowd::{Deed, Purchase};
use crate::reached::Mark;

impl Auditor {
    pub(super) fn judge_refusal(&mut self, purchase: &Purchase, deed: &Deed, refusal: &Refusal) -> Verdict {
        match deed {
            Deed::Place | Deed::AskAgain => self.judge_no_order(purchase, refusal),
            Deed::AskOther => {
                self.reached.mark(Mark::KeyReused);
                ensure(*refusal == Refusal::IdempotencyKeyReused, "the key was used before")
            }
            Deed::Spy => {
                self.reached.mark(Mark::SpiedInVain);
                ensure(*refusal == Refusal::OrderNotFound, "a spy learns that there is an order")
            }
            Deed::PayWrong(_) => {
                self.reached.mark(Mark::PaidWrongAmount);
                ensure(
                    matches!(refusal, Refusal::AmountMismatch { .. }),
                    "the amount was wrong, nothing else",
                )
            }
            Deed::Look | Deed::Pay(_) | Deed::PayInVain(_) => {
                Err("an acknowledged order can be looked at and paid at any time".to_owned())
            }
            Deed::ReturnSurplus(_) => {
                ensure(*refusal == Refusal::PaymentNotFound, "no reason not to return it")
            }
            Deed::Cancel
            | Deed::Extend(_)
            | Deed::StartRefund { .. }
            | Deed::EndRefund
            | Deed::FailRefund
            | Deed::AwaitEnd => self.judge_state(purchase, refusal),
        }
    }

    fn judge_no_order(&mut self, purchase: &Purchase, refusal: &Refusal) -> Verdict {
        let is_known = self.by_key.contains_key(&(purchase.buyer, purchase.key));
        ensure(!is_known, "an acknowledged order was refused")?;
        match refusal {
            Refusal::StockExhausted { wish, left } => {
                self.reached.mark(Mark::StockExhausted);
                ensure(wants(&purchase.wishes, wish.item) == Some(wish.quantity), "nobody wished that")?;
                ensure(*left < u32::from(wish.quantity), "there was enough")
            }
            Refusal::BuyerLimitReached { limit, taken, .. } => {
                self.reached.mark(Mark::LimitReached);
                let wanted = purchase.wishes.iter().map(|wish| u32::from(wish.quantity)).sum::<u32>();
                ensure(taken + wanted > *limit, "the limit was not reached")
            }
            Refusal::SalePaused => {
                self.reached.mark(Mark::SalePaused);
                Ok(())
            }
            Refusal::SaleNotOpen { .. } => {
                self.reached.mark(Mark::SaleNotOpen);
                Ok(())
            }
            _ => Err("no reason for that".to_owned()),
        }
    }

    fn judge_state(&mut self, purchase: &Purchase, refusal: &Refusal) -> Verdict {
        let order = purchase.order.as_ref().expect("only a known order is dealt with").order;
        let known = &self.orders[&order];
        let Refusal::OrderState { from, .. } = refusal else { return Err("no reason for that".to_owned()) };
        if *from == OrderState::Expired {
            self.reached.mark(Mark::Expired);
        }
        ensure(can_reach(known.last.state, *from), "the order cannot stand there")
    }
}
