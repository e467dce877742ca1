//! What buyers, their payment provider and the organiser do with an order.

use domain::{
    Actor, Amount, BuyerId, Command, Currency, ItemIndex, KeyDigest, OrderView, PaymentId, PaymentResult,
    RefundStep, Request, Wish, Wishes,
};
use gate::Work;

use super::Purchase;
use crate::place::SaleRef;

/// One thing that is done, and done again until it is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Deed {
    /// Asks for the units.
    Place,
    /// Asks once more under the same key though it was answered.
    AskAgain,
    /// Asks for something else under the same key.
    AskOther,
    /// Asks for the same of another sale under the same key.
    AskElsewhere(SaleRef),
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
    /// Money that came on top could not go back.
    FailReturn(PaymentId),
    /// Money that came on top is back.
    ReturnSurplus(PaymentId),
}

impl Deed {
    /// What the gate takes it for.
    pub fn work(&self) -> Work {
        match self {
            Deed::Place | Deed::AskAgain | Deed::AskOther | Deed::AskElsewhere(_) => Work::Order,
            Deed::Look | Deed::Spy => Work::Question,
            _ => Work::Promise,
        }
    }

    /// Whether it asks for units.
    pub fn is_claim(&self) -> bool {
        self.work() == Work::Order
    }

    /// The request that does it.
    ///
    /// # Panics
    /// When the order must be known first and is not, or nothing is to be asked.
    pub fn request(&self, purchase: &Purchase, currency: Currency) -> Request {
        if let Some(command) = self.claim(purchase) {
            return Request::Command(command);
        }
        let (order, _) = purchase.given.as_ref().expect("the order is there by now");
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
            Deed::FailReturn(payment) => refund(Some(*payment), RefundStep::Failed),
            Deed::ReturnSurplus(payment) => refund(Some(*payment), RefundStep::Succeeded),
            Deed::Place | Deed::AskAgain | Deed::AskOther | Deed::AskElsewhere(_) | Deed::AwaitEnd => {
                unreachable!("{self:?} is asked elsewhere or not at all")
            }
        })
    }

    /// The order that it places, if it places one.
    pub fn claim(&self, purchase: &Purchase) -> Option<Command> {
        let Purchase { sale, buyer, key, ref wishes, .. } = *purchase;
        let (sale, wishes) = match self {
            Deed::Place | Deed::AskAgain => (sale.sale, wishes.clone()),
            Deed::AskOther => (sale.sale, Wishes::one(Wish { item: ItemIndex(0), quantity: 9 })),
            Deed::AskElsewhere(other) => (other.sale, wishes.clone()),
            _ => return None,
        };
        Some(Command::PlaceOrder { sale, buyer, key, wishes })
    }
}

fn look(order: &OrderView, buyer: BuyerId) -> Request {
    Request::ShowOrder { order: order.order, by: Actor::Buyer(buyer) }
}
