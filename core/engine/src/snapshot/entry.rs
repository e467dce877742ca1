//! What a snapshot is made of. Whatever follows from these entries (limits used, indexes, queues of
//! ends) is not stored but built again.

use domain::{
    Amount, BuyerId, ItemIndex, ItemTerms, KeyDigest, Levels, Lines, OrderId, OrderState, PaymentId,
    RefundCause, SaleId, SaleStatus, SaleTerms, Seq, ShardId, Slug, StockReceipt, Surplus, UnixMs,
};

/// One entry of a snapshot. They stand in the order of the variants: the head, then each sale with its
/// items and stock keys, then the orders by number, then the surplus payments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entry {
    /// The first entry.
    Head(Head),
    /// A sale.
    Sale(SaleEntry),
    /// An item of the sale before it.
    Item(ItemEntry),
    /// A stock change of the sale before it that must not be made twice.
    StockKey {
        /// The organiser's key.
        key: KeyDigest,
        /// The answer that was given.
        receipt: StockReceipt,
    },
    /// An order.
    Order(OrderEntry),
    /// A payment that came on top.
    Surplus {
        /// For which order.
        order: OrderId,
        /// Which payment.
        surplus: Surplus,
    },
}

/// What the whole snapshot is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// The shard.
    pub shard: ShardId,
    /// The last fact that is in it.
    pub seq: Seq,
    /// The last order number given out.
    pub last_order: Option<OrderId>,
    /// How many [`Entry::Sale`] follow.
    pub sale_count: u16,
    /// How many [`Entry::Order`] follow.
    pub order_count: u64,
}

/// A sale as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SaleEntry {
    /// Its number.
    pub sale: SaleId,
    /// Its code.
    pub slug: Slug,
    /// Its terms.
    pub terms: SaleTerms,
    /// Its status.
    pub status: SaleStatus,
    /// All money that came in.
    pub money_taken: Amount,
    /// All money that went back.
    pub money_returned: Amount,
}

/// An item as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ItemEntry {
    /// Its sale.
    pub sale: SaleId,
    /// Its position.
    pub item: ItemIndex,
    /// Its terms.
    pub terms: ItemTerms,
    /// Where its units are.
    pub levels: Levels,
    /// Where they have been.
    pub turnover: Turnover,
}

/// How often units of an item moved, over its whole life (invariant I4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Turnover {
    /// Claimed by orders, again by late payments included.
    pub taken: u64,
    /// Given back because the order was cancelled.
    pub cancelled: u64,
    /// Given back because the hold expired.
    pub expired: u64,
    /// Given back, or withdrawn, because the money went back.
    pub refunded: u64,
}

/// An order as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderEntry {
    /// Its number.
    pub order: OrderId,
    /// Its sale.
    pub sale: SaleId,
    /// Its buyer.
    pub buyer: BuyerId,
    /// The buyer's key.
    pub key: KeyDigest,
    /// The length of its hold.
    pub hold_ttl_s: u16,
    /// Its lines.
    pub lines: Lines,
    /// Where it stands.
    pub state: OrderState,
    /// The position of the fact that made it.
    pub held_seq: Seq,
    /// The position of the fact that changed it last.
    pub changed_seq: Seq,
    /// The extension of its hold.
    pub extension: Option<Extension>,
    /// How many payments failed, up to 255.
    pub payments_failed: u8,
    /// The payment that counts.
    pub payment: Option<PaymentId>,
    /// Why its money goes or went back.
    pub refund_cause: Option<RefundCause>,
    /// Whether it has its units: held, paid, and refunding unless the payment came too late.
    pub has_units: bool,
    /// Whether its units go back on sale when it is refunded.
    pub restock: bool,
}

/// The extension of a hold.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Extension {
    /// The buyer's key.
    pub key: KeyDigest,
    /// The position of the fact.
    pub seq: Seq,
    /// When the hold ends since then.
    pub expires_at: UnixMs,
}
