//! What is answered when it is not refused. Everything in an answer is durable when it leaves.

use alloc::vec::Vec;

use crate::id::{BuyerId, ItemIndex, OrderId, PaymentId, SaleId, Seq};
use crate::lines::Lines;
use crate::money::Amount;
use crate::order::{OrderState, RefundCause};
use crate::stock::Levels;
use crate::time::UnixMs;

/// What is answered to a command or a question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// About an order.
    Order(OrderView),
    /// About a sale; its terms and levels are in the catalogue view, which is at `seq` or later by then.
    Sale {
        /// Which sale.
        sale: SaleId,
        /// The position that the answer rests on.
        seq: Seq,
        /// Whether this very command made the sale.
        created: bool,
    },
    /// About a change of stock.
    Stock(StockReceipt),
    /// Nothing to say but that it is so.
    Done {
        /// The position that the answer rests on.
        seq: Seq,
    },
}

/// An order as its buyer and the organiser see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderView {
    /// Its number.
    pub order: OrderId,
    /// Of which sale.
    pub sale: SaleId,
    /// Whose.
    pub buyer: BuyerId,
    /// Where it stands.
    pub state: OrderState,
    /// Its units and prices.
    pub lines: Lines,
    /// When its hold ends or ended.
    pub expires_at: UnixMs,
    /// The position of the fact that changed it last.
    pub seq: Seq,
    /// Whether its hold was extended.
    pub extended: bool,
    /// How many payments failed; stops counting at 255.
    pub payments_failed: u8,
    /// The payment that counts, when there is one.
    pub payment: Option<PaymentId>,
    /// Why its money goes or went back.
    pub refund_cause: Option<RefundCause>,
    /// Payments that came on top and must go back, or did; empty but in rare cases.
    pub surplus: Vec<Surplus>,
}

impl OrderView {
    /// The sum over all lines, in the sale's currency.
    pub fn total(&self) -> Amount {
        self.lines.total()
    }
}

/// A payment that came on top of the one that counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Surplus {
    /// Which payment.
    pub payment: PaymentId,
    /// How much.
    pub amount: Amount,
    /// Whether it was given back.
    pub returned: bool,
}

/// The answer to a change of stock; the same again for the same key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StockReceipt {
    /// Which sale.
    pub sale: SaleId,
    /// Which item.
    pub item: ItemIndex,
    /// By how many units.
    pub change: i32,
    /// The levels right after.
    pub levels: Levels,
    /// The position of the change.
    pub seq: Seq,
}
