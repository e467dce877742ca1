//! What somebody wants. A command is not stored: the facts that it brings are.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::id::{BuyerId, ItemIndex, KeyDigest, OrderId, PaymentId, SaleId};
use crate::lines::Wishes;
use crate::money::{Amount, Currency};
use crate::sale::{ItemTerms, SaleStatus, SaleTerms, Slug};
use crate::time::UnixMs;

/// What somebody wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Make a new sale, not open yet. The same sale with the same terms once more changes nothing.
    CreateSale {
        /// Its code, unique in the installation.
        slug: Slug,
        /// What holds for it. In a box: every order goes through queues that have room for the largest command.
        terms: Box<SaleTerms>,
        /// Its items with their first stock.
        items: Vec<(ItemTerms, u32)>,
    },
    /// Change a sale's terms; holds and orders that exist keep what they were given.
    EditSale {
        /// Which sale.
        sale: SaleId,
        /// What to change.
        patch: Box<SalePatch>,
    },
    /// Open, pause, resume or close a sale. A sale that is already there stays there.
    MoveSale {
        /// Which sale.
        sale: SaleId,
        /// Where to.
        to: SaleStatus,
    },
    /// Add stock (positive) or withdraw free units (negative).
    ChangeStock {
        /// Which sale.
        sale: SaleId,
        /// Which item.
        item: ItemIndex,
        /// By how many units.
        change: i32,
        /// The organiser's idempotency key, if there is one.
        key: Option<KeyDigest>,
    },
    /// Claim units.
    PlaceOrder {
        /// Of which sale.
        sale: SaleId,
        /// For whom.
        buyer: BuyerId,
        /// The buyer's idempotency key.
        key: KeyDigest,
        /// Which units.
        wishes: Wishes,
    },
    /// Give a hold its full time again, counted from now; once per order.
    ExtendHold {
        /// Which order.
        order: OrderId,
        /// The order's buyer.
        buyer: BuyerId,
        /// The buyer's idempotency key.
        key: KeyDigest,
    },
    /// Give up an order that is not paid.
    CancelOrder {
        /// Which order.
        order: OrderId,
        /// Who asks.
        by: Actor,
    },
    /// A payment provider's word about a payment.
    RecordPayment {
        /// For which order.
        order: OrderId,
        /// The provider's name of the payment.
        payment: PaymentId,
        /// How much, in `currency`.
        amount: Amount,
        /// In which currency.
        currency: Currency,
        /// What became of it.
        result: PaymentResult,
    },
    /// A step in giving money back.
    RecordRefund {
        /// Of which order.
        order: OrderId,
        /// Of which of its surplus payments; `None`: of the order itself.
        surplus: Option<PaymentId>,
        /// Which step.
        step: RefundStep,
    },
    /// Time has passed: expire holds, open and close sales.
    Tick,
}

/// What comes to a shard's writer: something to decide, or something to read in its place in the order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// Decide.
    Command(Command),
    /// Show an order, as the commands before this question left it.
    ShowOrder {
        /// Which order.
        order: OrderId,
        /// Who asks; a buyer sees only their own.
        by: Actor,
    },
}

const _: () = assert!(size_of::<Request>() <= 56);

/// One order of a bulk: all of [`Command::PlaceOrder`] but the sale, which is the same for the whole bulk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderWanted {
    /// For whom.
    pub buyer: BuyerId,
    /// The buyer's idempotency key.
    pub key: KeyDigest,
    /// Which units.
    pub wishes: Wishes,
}

impl OrderWanted {
    /// The very request that this order would be if it came alone.
    pub fn of_sale(self, sale: SaleId) -> Request {
        let OrderWanted { buyer, key, wishes } = self;
        Request::Command(Command::PlaceOrder { sale, buyer, key, wishes })
    }
}

/// A payment provider's verdict.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PaymentResult {
    /// The money is there.
    Succeeded,
    /// No money came; the buyer may try again while the hold lasts.
    Failed,
}

/// Who asks for something about an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Actor {
    /// A buyer, who sees only their own orders.
    Buyer(BuyerId),
    /// The organiser.
    Organiser,
}

/// A step in giving money back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RefundStep {
    /// Start: paid → refunding.
    Start {
        /// Whether the units go back on sale at the end, or are withdrawn.
        restock: bool,
    },
    /// The money is back: refunding → refunded.
    Succeeded,
    /// The money could not be given back: refunding → paid, if the order still has its units.
    Failed,
}

/// Changes to a sale; `None` leaves a field as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SalePatch {
    /// A new name.
    pub name: Option<Box<str>>,
    /// A new opening instant; `Some(None)` takes it away.
    pub opens_at: Option<Option<UnixMs>>,
    /// A new closing instant; `Some(None)` takes it away.
    pub closes_at: Option<Option<UnixMs>>,
    /// A new hold time, for orders placed from now on.
    pub hold_ttl_s: Option<u16>,
    /// A new limit; `Some(None)` takes it away.
    pub per_order_max: Option<Option<u32>>,
    /// A new limit; `Some(None)` takes it away.
    pub per_buyer_max: Option<Option<u32>>,
    /// A new limit; `Some(None)` takes it away.
    pub per_buyer_day_max: Option<Option<u32>>,
    /// Changes to items.
    pub items: Vec<ItemPatch>,
    /// New items with their first stock.
    pub items_added: Vec<(ItemTerms, u32)>,
}

/// Changes to an item; `None` leaves a field as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ItemPatch {
    /// Which item.
    pub item: ItemIndex,
    /// A new name.
    pub name: Option<Box<str>>,
    /// A new price, for orders placed from now on.
    pub unit_price: Option<u32>,
    /// A new limit; `Some(None)` takes it away.
    pub per_order_max: Option<Option<u32>>,
    /// A new limit; `Some(None)` takes it away.
    pub per_buyer_max: Option<Option<u32>>,
}
