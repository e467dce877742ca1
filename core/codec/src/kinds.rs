//! The registry of kinds: every number that ever stood before stored bytes.
//!
//! The law: a number is never used for anything else, nor is the form behind it ever changed, not even when
//! nothing writes it any more. A new form of an old fact gets the next free number of its range, and the old
//! one stays readable. 0 is no kind, so that zeroed space is never taken for a fact. Facts have the numbers
//! below 128, snapshot entries those from 128 on, so that neither is taken for the other.

/// [`domain::Fact::TermStarted`].
pub const TERM_STARTED: u8 = 1;
/// [`domain::Fact::SaleCreated`].
pub const SALE_CREATED: u8 = 2;
/// [`domain::Fact::SaleEdited`].
pub const SALE_EDITED: u8 = 3;
/// [`domain::Fact::ItemAdded`].
pub const ITEM_ADDED: u8 = 4;
/// [`domain::Fact::ItemEdited`].
pub const ITEM_EDITED: u8 = 5;
/// [`domain::Fact::SaleMoved`].
pub const SALE_MOVED: u8 = 6;
/// [`domain::Fact::StockChanged`].
pub const STOCK_CHANGED: u8 = 7;

/// [`domain::Fact::OrderHeld`] of one line: the hot kind, 44 bytes.
pub const ORDER_HELD: u8 = 16;
/// [`domain::Fact::OrderHeld`] of 2–16 lines.
pub const ORDER_HELD_LINES: u8 = 17;
/// [`domain::Fact::HoldExtended`].
pub const HOLD_EXTENDED: u8 = 18;
/// [`domain::Fact::OrderCancelled`].
pub const ORDER_CANCELLED: u8 = 19;
/// [`domain::Fact::OrderExpired`].
pub const ORDER_EXPIRED: u8 = 20;
/// [`domain::Fact::OrderPaid`].
pub const ORDER_PAID: u8 = 21;
/// [`domain::Fact::PaymentFailed`].
pub const PAYMENT_FAILED: u8 = 22;
/// [`domain::Fact::PaymentUnmatched`].
pub const PAYMENT_UNMATCHED: u8 = 23;
/// [`domain::Fact::PaymentSurplus`].
pub const PAYMENT_SURPLUS: u8 = 24;
/// [`domain::Fact::SurplusReturned`].
pub const SURPLUS_RETURNED: u8 = 25;
/// [`domain::Fact::RefundStarted`].
pub const REFUND_STARTED: u8 = 26;
/// [`domain::Fact::OrderRefunded`].
pub const ORDER_REFUNDED: u8 = 27;
/// [`domain::Fact::RefundFailed`].
pub const REFUND_FAILED: u8 = 28;

/// [`engine::snapshot::Entry::Head`].
pub const ENTRY_HEAD: u8 = 128;
/// [`engine::snapshot::Entry::Sale`].
pub const ENTRY_SALE: u8 = 129;
/// [`engine::snapshot::Entry::Item`].
pub const ENTRY_ITEM: u8 = 130;
/// [`engine::snapshot::Entry::StockKey`].
pub const ENTRY_STOCK_KEY: u8 = 131;
/// [`engine::snapshot::Entry::Order`].
pub const ENTRY_ORDER: u8 = 132;
/// [`engine::snapshot::Entry::Surplus`].
pub const ENTRY_SURPLUS: u8 = 133;

/// Every kind of fact with its stable name, which golden files and documents use.
pub const FACTS: [(u8, &str); 20] = [
    (TERM_STARTED, "term_started"),
    (SALE_CREATED, "sale_created"),
    (SALE_EDITED, "sale_edited"),
    (ITEM_ADDED, "item_added"),
    (ITEM_EDITED, "item_edited"),
    (SALE_MOVED, "sale_moved"),
    (STOCK_CHANGED, "stock_changed"),
    (ORDER_HELD, "order_held"),
    (ORDER_HELD_LINES, "order_held_lines"),
    (HOLD_EXTENDED, "hold_extended"),
    (ORDER_CANCELLED, "order_cancelled"),
    (ORDER_EXPIRED, "order_expired"),
    (ORDER_PAID, "order_paid"),
    (PAYMENT_FAILED, "payment_failed"),
    (PAYMENT_UNMATCHED, "payment_unmatched"),
    (PAYMENT_SURPLUS, "payment_surplus"),
    (SURPLUS_RETURNED, "surplus_returned"),
    (REFUND_STARTED, "refund_started"),
    (ORDER_REFUNDED, "order_refunded"),
    (REFUND_FAILED, "refund_failed"),
];

/// Every kind of snapshot entry with its stable name.
pub const ENTRIES: [(u8, &str); 6] = [
    (ENTRY_HEAD, "entry_head"),
    (ENTRY_SALE, "entry_sale"),
    (ENTRY_ITEM, "entry_item"),
    (ENTRY_STOCK_KEY, "entry_stock_key"),
    (ENTRY_ORDER, "entry_order"),
    (ENTRY_SURPLUS, "entry_surplus"),
];

/// The stable name of a kind; `None` when the number is not in use.
pub fn name(kind: u8) -> Option<&'static str> {
    FACTS.iter().chain(&ENTRIES).find(|(number, _)| *number == kind).map(|(_, name)| *name)
}

/// Whether every number of the registry grows, so that none stands twice, and lies in its range.
const fn is_registry_sound() -> bool {
    let mut last = 0;
    let mut index = 0;
    while index < FACTS.len() {
        if FACTS[index].0 <= last || FACTS[index].0 >= 128 {
            return false;
        }
        last = FACTS[index].0;
        index += 1;
    }
    index = 0;
    last = 127;
    while index < ENTRIES.len() {
        if ENTRIES[index].0 <= last {
            return false;
        }
        last = ENTRIES[index].0;
        index += 1;
    }
    true
}

const _: () = assert!(is_registry_sound(), "two kinds share a number, or one is out of its range");
