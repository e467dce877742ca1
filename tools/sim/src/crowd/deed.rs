//! What buyers, their payment provider and the organiser do with an order.

use std::collections::VecDeque;

use domain::{
    Actor, Amount, BuyerId, Command, Currency, ItemIndex, KeyDigest, OrderView, PaymentId, PaymentResult,
    RefundStep, Request, Wish, Wishes,
};

use super::Purchase;
use crate::dice::Dice;

/// One thing that is done, and done again until it is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Deed {
    /// Asks for the units.
    Place,
    /// Asks once more under the same key though it was answered.
    AskAgain,
    /// Asks for something else under the same key.
    AskOther,
    /// Looks at the order.
    Look,
    /// Somebody else looks at the order.
    Spy,
    /// Waits until the hold that was promised first is over.
    AwaitEnd,
    /// The provider says that the money came.
    Pay(PaymentId),
    /// The provider says that no money came.
    PayInVain(PaymentId),
    /// The provider says that other money came than was asked for.
    PayWrong(PaymentId),
    /// Gives the order up.
    Cancel,
    /// Wants the hold's time again.
    Extend(KeyDigest),
    /// The organiser starts to give the money back.
    StartRefund {
        /// Whether the units go back on sale.
        restock: bool,
    },
    /// The money is back.
    EndRefund,
    /// The money could not go back.
    FailRefund,
    /// Money that came on top is back.
    ReturnSurplus(PaymentId),
}

/// What one buyer will do with one order.
pub(super) fn plan(dice: &mut Dice, key: KeyDigest) -> VecDeque<Deed> {
    let payment = |n: u64| PaymentId::from_text(&format!("pay-{}-{n}", key.0));
    let (first, second, third) = (payment(1), payment(2), payment(3));
    let restock = dice.below(2) == 0;
    let mut plan = match dice.below(16) {
        0..=4 => vec![Deed::Pay(first)],
        5 => vec![Deed::PayInVain(third), Deed::Pay(first)],
        6 | 7 => vec![Deed::AwaitEnd, Deed::Pay(first)],
        8 => vec![],
        9 => vec![Deed::Cancel],
        10 => vec![Deed::Cancel, Deed::Pay(first), Deed::EndRefund],
        11 => vec![Deed::Extend(key), Deed::Pay(first)],
        12 => vec![Deed::Extend(key), Deed::AwaitEnd],
        13 => vec![Deed::Pay(first), Deed::Pay(second), Deed::ReturnSurplus(second)],
        14 => vec![Deed::Pay(first), Deed::StartRefund { restock }, Deed::EndRefund],
        _ => vec![Deed::Pay(first), Deed::StartRefund { restock }, Deed::FailRefund],
    };
    let extras = [Deed::AskAgain, Deed::AskOther, Deed::Look, Deed::Spy, Deed::PayWrong(third)];
    for extra in extras {
        if dice.below(5) == 0 {
            plan.insert(dice.index(plan.len() + 1), extra);
        }
    }
    plan.into()
}

impl Deed {
    /// The request that does it.
    ///
    /// # Panics
    /// When the order must be known first and is not, or nothing is to be asked.
    pub fn request(&self, purchase: &Purchase, currency: Currency) -> Request {
        if matches!(self, Deed::Place | Deed::AskAgain | Deed::AskOther) {
            return place(purchase, *self == Deed::AskOther);
        }
        let order = purchase.order.as_ref().expect("the order is known by now");
        let pay = |payment: &PaymentId, result, amount| {
            let (order, payment) = (order.order, *payment);
            Command::RecordPayment { order, payment, amount, currency, result }
        };
        let refund = |surplus, step| Command::RecordRefund { order: order.order, surplus, step };
        let total = order.total();
        Request::Command(match self {
            Deed::Look => return look(order, order.buyer),
            Deed::Spy => return look(order, BuyerId::from_text("spy")),
            Deed::Pay(payment) => pay(payment, PaymentResult::Succeeded, total),
            Deed::PayInVain(payment) => pay(payment, PaymentResult::Failed, total),
            Deed::PayWrong(payment) => pay(payment, PaymentResult::Succeeded, Amount(total.0 + 1)),
            Deed::Cancel => Command::CancelOrder { order: order.order, by: Actor::Buyer(order.buyer) },
            Deed::Extend(key) => Command::ExtendHold { order: order.order, buyer: order.buyer, key: *key },
            Deed::StartRefund { restock } => refund(None, RefundStep::Start { restock: *restock }),
            Deed::EndRefund => refund(None, RefundStep::Succeeded),
            Deed::FailRefund => refund(None, RefundStep::Failed),
            Deed::ReturnSurplus(payment) => refund(Some(*payment), RefundStep::Succeeded),
            Deed::Place | Deed::AskAgain | Deed::AskOther | Deed::AwaitEnd => {
                unreachable!("{self:?} is asked elsewhere or not at all")
            }
        })
    }
}

fn look(order: &OrderView, buyer: BuyerId) -> Request {
    Request::ShowOrder { order: order.order, by: Actor::Buyer(buyer) }
}

fn place(purchase: &Purchase, other: bool) -> Request {
    let wishes =
        if other { Wishes::one(Wish { item: ItemIndex(0), quantity: 9 }) } else { purchase.wishes.clone() };
    let Purchase { sale, buyer, key, .. } = *purchase;
    Request::Command(Command::PlaceOrder { sale, buyer, key, wishes })
}
