//! Which refusals are fair.

use domain::{ItemIndex, OrderState, Refusal, Wishes};

use super::known::can_reach;
use super::{Auditor, Verdict, ensure, wants};
use crate::crowd::{Deed, Purchase};
use crate::reached::Mark;

impl Auditor {
    pub(super) fn judge_refusal(&mut self, purchase: &Purchase, deed: &Deed, refusal: &Refusal) -> Verdict {
        match deed {
            Deed::Place | Deed::AskAgain => self.judge_no_order(purchase, refusal),
            Deed::AskOther | Deed::AskElsewhere(_) => {
                self.reached.mark(Mark::KeyReused);
                ensure(*refusal == Refusal::IdempotencyKeyReused, "the key was used before")
            }
            Deed::Spy => {
                self.reached.mark(Mark::SpiedInVain);
                ensure(*refusal == Refusal::OrderNotFound, "a spy learns that there is an order")
            }
            Deed::PayWrong(_) => {
                self.reached.mark(Mark::PaidWrongAmount);
                let expected = purchase.given.as_ref().map(|(order, _)| order.total());
                let is_fair = matches!(refusal, Refusal::AmountMismatch { expected: told, .. }
                    if Some(*told) == expected);
                ensure(is_fair, "the amount was wrong, nothing else")
            }
            Deed::Look | Deed::Pay(_) | Deed::PayInVain(_) => {
                Err("an acknowledged order can be looked at and paid at any time".to_owned())
            }
            Deed::FailReturn(payment) | Deed::ReturnSurplus(payment) => {
                let is_due = self.known_of(purchase).is_some_and(|known| {
                    known.last.surplus.iter().any(|surplus| surplus.payment == *payment)
                });
                ensure(!is_due && *refusal == Refusal::PaymentNotFound, "no reason not to return it")
            }
            Deed::Extend(key) if *refusal == Refusal::HoldAlreadyExtended => {
                self.reached.mark(Mark::ExtendedTwiceInVain);
                ensure(*key != purchase.key, "it was not extended before")
            }
            Deed::Extend(_) => self.judge_state(purchase, refusal, &[OrderState::Held]),
            Deed::Cancel => self.judge_state(purchase, refusal, &[OrderState::Held, OrderState::Cancelled]),
            Deed::StartRefund { .. } => {
                self.judge_state(purchase, refusal, &[OrderState::Paid, OrderState::Refunding])
            }
            Deed::EndRefund => {
                self.judge_state(purchase, refusal, &[OrderState::Refunding, OrderState::Refunded])
            }
            Deed::FailRefund => self.judge_state(purchase, refusal, &[OrderState::Refunding]),
            Deed::AwaitEnd => Err("nobody asked".to_owned()),
        }
    }

    fn judge_no_order(&mut self, purchase: &Purchase, refusal: &Refusal) -> Verdict {
        let is_known = self.known_of(purchase).is_some();
        ensure(!is_known, "an acknowledged order was refused")?;
        let sale = self.sales.get(&purchase.sale).ok_or("a sale that nobody made")?;
        let (mark, is_fair) = match refusal {
            Refusal::StockExhausted { wish, left } => {
                let is_wished = wants(&purchase.wishes, wish.item) == Some(wish.quantity);
                (Mark::StockExhausted, is_wished && *left < u32::from(wish.quantity))
            }
            Refusal::BuyerLimitReached { item, limit, taken, per_day } => {
                let mark = if *per_day { Mark::DayLimitReached } else { Mark::LimitReached };
                (mark, wanted(&purchase.wishes, *item).is_some_and(|wanted| taken + wanted > *limit))
            }
            Refusal::QuantityOutOfRange { item, quantity_max } => {
                let wanted = wanted(&purchase.wishes, *item);
                (Mark::QuantityOutOfRange, wanted.is_some_and(|wanted| wanted > *quantity_max))
            }
            Refusal::SalePaused => (Mark::SalePaused, sale.may_be_paused),
            Refusal::SaleNotOpen { .. } => (Mark::SaleNotOpen, !sale.has_opened),
            Refusal::SaleClosed => (Mark::SaleClosed, self.may_be_closed(purchase.sale)),
            _ => return Err("no reason for that".to_owned()),
        };
        self.reached.mark(mark);
        ensure(is_fair, "that is not so")
    }

    /// The order stands where `allowed` would not have let it stand, and it can stand there.
    fn judge_state(&mut self, purchase: &Purchase, refusal: &Refusal, allowed: &[OrderState]) -> Verdict {
        let known = self.known_of(purchase).ok_or("an order that nobody was given")?;
        let Refusal::OrderState { from, .. } = refusal else { return Err("no reason for that".to_owned()) };
        ensure(!allowed.contains(from), "it could have been done there")?;
        ensure(can_reach(known.last.state, *from), "the order cannot stand there")?;
        let is_early = *from == OrderState::Expired
            && known.last.state == OrderState::Held
            && self.now < known.last.expires_at;
        ensure(!is_early, "a hold ended early")?;
        if *from == OrderState::Expired {
            self.reached.mark(Mark::Expired);
        }
        Ok(())
    }

    fn known_of(&self, purchase: &Purchase) -> Option<&super::Known> {
        let order = self.by_key.get(&(purchase.sale.shard, purchase.buyer, purchase.key))?;
        self.orders.get(order)
    }
}

/// How many units are wanted: of one item, or of all together.
fn wanted(wishes: &Wishes, item: Option<ItemIndex>) -> Option<u32> {
    match item {
        Some(item) => wants(wishes, item).map(u32::from),
        None => Some(wishes.iter().map(|wish| u32::from(wish.quantity)).sum()),
    }
}
