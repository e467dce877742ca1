//! What happened. Facts are what the journal stores; the state is nothing but their sum.

use alloc::boxed::Box;

use crate::id::{BuyerId, ItemIndex, KeyDigest, OrderId, PaymentId, SaleId, Term};
use crate::lines::Lines;
use crate::money::Amount;
use crate::order::RefundCause;
use crate::sale::{Cause, ItemTerms, SaleStatus, SaleTerms, Slug};
use crate::time::UnixMs;

/// Something that happened in a shard. Facts are numbered by [`crate::Seq`] without a gap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// A new leader took over the shard.
    TermStarted {
        /// Its number.
        term: Term,
    },
    /// A sale was made, without items yet.
    SaleCreated {
        /// Its number: that of the sale before plus one.
        sale: SaleId,
        /// Its code.
        slug: Slug,
        /// What holds for it.
        terms: Box<SaleTerms>,
    },
    /// A sale's terms are these now.
    SaleEdited {
        /// Which sale.
        sale: SaleId,
        /// All of its terms.
        terms: Box<SaleTerms>,
    },
    /// A sale got one more item.
    ItemAdded {
        /// Which sale.
        sale: SaleId,
        /// Its position: that of the item before plus one.
        item: ItemIndex,
        /// What holds for it.
        terms: Box<ItemTerms>,
        /// Its first stock, all of it free.
        stock: u32,
    },
    /// An item's terms are these now.
    ItemEdited {
        /// Which sale.
        sale: SaleId,
        /// Which item.
        item: ItemIndex,
        /// All of its terms.
        terms: Box<ItemTerms>,
    },
    /// A sale was opened, paused, resumed or closed.
    SaleMoved {
        /// Which sale.
        sale: SaleId,
        /// Its status from now on.
        to: SaleStatus,
        /// By whom.
        cause: Cause,
    },
    /// Stock was added, or free units were withdrawn.
    StockChanged {
        /// Which sale.
        sale: SaleId,
        /// Which item.
        item: ItemIndex,
        /// Positive: so many new free units. Negative: so many went from free to withdrawn.
        change: i32,
        /// The organiser's key, if there was one.
        key: Option<KeyDigest>,
    },
    /// An order claimed its units: free → held.
    OrderHeld {
        /// Its number, which says when it was placed.
        order: OrderId,
        /// Of which sale.
        sale: SaleId,
        /// For whom.
        buyer: BuyerId,
        /// Under which key.
        key: KeyDigest,
        /// The hold ends so many seconds after the order was placed.
        hold_ttl_s: u16,
        /// Which units at which price.
        lines: Lines,
    },
    /// A hold was given its time again.
    HoldExtended {
        /// Which order.
        order: OrderId,
        /// Under which key.
        key: KeyDigest,
        /// When it ends now.
        expires_at: UnixMs,
    },
    /// An order was given up: held → free.
    OrderCancelled {
        /// Which order.
        order: OrderId,
        /// Whether the organiser asked for it, not the buyer.
        by_organiser: bool,
    },
    /// A hold ended unpaid: held → free.
    OrderExpired {
        /// Which order.
        order: OrderId,
    },
    /// An order was paid in time: held → paid. When its hold had expired: free → paid.
    OrderPaid {
        /// Which order.
        order: OrderId,
        /// By which payment.
        payment: PaymentId,
        /// How much: the order's total.
        amount: Amount,
    },
    /// The provider said that no money came. The order stays as it is.
    PaymentFailed {
        /// Which order.
        order: OrderId,
        /// Which payment.
        payment: PaymentId,
    },
    /// Money came for an order that has no units any more: its state is refunding now.
    PaymentUnmatched {
        /// Which order.
        order: OrderId,
        /// Which payment.
        payment: PaymentId,
        /// How much: the order's total.
        amount: Amount,
        /// Why the units could not be had again.
        cause: RefundCause,
    },
    /// Money came a second time for an order; it has to go back, and the order stays as it is.
    PaymentSurplus {
        /// Which order.
        order: OrderId,
        /// Which payment.
        payment: PaymentId,
        /// How much.
        amount: Amount,
    },
    /// A surplus payment was given back.
    SurplusReturned {
        /// Which order.
        order: OrderId,
        /// Which payment.
        payment: PaymentId,
    },
    /// The organiser started to give the money back: paid → refunding. The units stay `paid` for now.
    RefundStarted {
        /// Which order.
        order: OrderId,
        /// Whether the units go back on sale at the end, or are withdrawn.
        restock: bool,
    },
    /// The money is back: refunding → refunded. Units, if the order has any: paid → free or withdrawn.
    OrderRefunded {
        /// Which order.
        order: OrderId,
    },
    /// The money could not be given back. An order that has its units is paid again; another one stays
    /// refunding.
    RefundFailed {
        /// Which order.
        order: OrderId,
    },
}
