//! The ordinary answer "no", with its reason and a stable code. A refusal changes nothing, is not stored,
//! and binds no key: asking again is asking anew.

use crate::id::ItemIndex;
use crate::lines::Wish;
use crate::money::{Amount, Currency};
use crate::order::OrderState;
use crate::sale::SaleStatus;
use crate::time::UnixMs;

/// Why not. For an order the reasons are tried in the order in which they stand here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The key was used before, for another request.
    IdempotencyKeyReused,
    /// There is no such sale.
    SaleNotFound,
    /// The sale opens later.
    SaleNotOpen {
        /// When it opens by itself, if it does.
        opens_at: Option<UnixMs>,
    },
    /// The sale takes no orders for the moment.
    SalePaused,
    /// The sale takes no orders any more.
    SaleClosed,
    /// The sale has no such item.
    ItemNotFound {
        /// Position of the line in the basket, which is sorted by item.
        item: ItemIndex,
    },
    /// Zero units, or more than one order may have.
    QuantityOutOfRange {
        /// The item; `None`: the sum over all lines.
        item: Option<ItemIndex>,
        /// The most that one order may have.
        quantity_max: u32,
    },
    /// The buyer would have more units than one buyer may have.
    BuyerLimitReached {
        /// The item; `None`: the limit of the whole sale.
        item: Option<ItemIndex>,
        /// Whether it is the limit for one day.
        per_day: bool,
        /// The limit.
        limit: u32,
        /// How many the buyer has already.
        taken: u32,
    },
    /// Fewer units are free than are wanted.
    StockExhausted {
        /// The first such line.
        wish: Wish,
        /// How many are free.
        left: u32,
    },
    /// There is no such order, or it is somebody else's.
    OrderNotFound,
    /// The order's state does not allow it.
    OrderState {
        /// Where the order stands.
        from: OrderState,
        /// Where it should have gone.
        to: OrderState,
    },
    /// The hold was extended once already.
    HoldAlreadyExtended,
    /// The payment is not what the order costs.
    AmountMismatch {
        /// What the order costs.
        expected: Amount,
        /// In which currency.
        currency: Currency,
    },
    /// There is no such payment to give back.
    PaymentNotFound,
    /// Another sale has this code.
    SaleExists,
    /// The sale's status does not allow it.
    SaleState {
        /// Where the sale stands.
        from: SaleStatus,
        /// Where it should have gone.
        to: SaleStatus,
    },
    /// The terms contradict themselves.
    TermsInvalid(TermsFault),
    /// Stock would exceed [`crate::limits::STOCK_MAX`].
    StockOutOfRange,
    /// A bound of the system is reached; someone has to act.
    CapacityExhausted {
        /// The name of the bound in [`crate::limits`].
        limit: &'static str,
    },
}

/// What is wrong with the terms of a sale.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TermsFault {
    /// Closes before or when it opens.
    ClosesBeforeOpening,
    /// The hold is shorter or longer than [`crate::limits`] allows.
    HoldOutOfRange,
    /// A limit of zero units sells nothing.
    LimitZero,
    /// No item, or more than [`crate::limits::ITEM_COUNT_MAX`].
    ItemCount,
    /// Two items have one code.
    ItemTwice,
    /// A name is empty or longer than [`crate::limits::NAME_SIZE_BYTES_MAX`].
    NameLength,
}

impl TermsFault {
    /// What is wrong, in words.
    pub fn description(self) -> &'static str {
        match self {
            TermsFault::ClosesBeforeOpening => "the sale closes before or when it opens",
            TermsFault::HoldOutOfRange => "the hold must last from 1 to 65,535 seconds",
            TermsFault::LimitZero => "a limit must be at least 1",
            TermsFault::ItemCount => "a sale has from 1 to 10,000 items",
            TermsFault::ItemTwice => "two items have the same code",
            TermsFault::NameLength => "a name has from 1 to 200 bytes",
        }
    }
}

impl Refusal {
    /// The stable code: in answers, metrics and documents.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::IdempotencyKeyReused => "idempotency_key_reused",
            Refusal::SaleNotFound => "sale_not_found",
            Refusal::SaleNotOpen { .. } => "sale_not_open",
            Refusal::SalePaused => "sale_paused",
            Refusal::SaleClosed => "sale_closed",
            Refusal::ItemNotFound { .. } => "item_not_found",
            Refusal::QuantityOutOfRange { .. } => "quantity_out_of_range",
            Refusal::BuyerLimitReached { .. } => "buyer_limit_reached",
            Refusal::StockExhausted { .. } => "stock_exhausted",
            Refusal::OrderNotFound => "order_not_found",
            Refusal::OrderState { .. } => "order_state",
            Refusal::HoldAlreadyExtended => "hold_already_extended",
            Refusal::AmountMismatch { .. } => "amount_mismatch",
            Refusal::PaymentNotFound => "payment_not_found",
            Refusal::SaleExists => "sale_exists",
            Refusal::SaleState { .. } => "sale_state",
            Refusal::TermsInvalid(_) => "terms_invalid",
            Refusal::StockOutOfRange => "stock_out_of_range",
            Refusal::CapacityExhausted { .. } => "capacity_exhausted",
        }
    }
}
