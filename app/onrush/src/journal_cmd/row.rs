//! A fact as one line of JSON. The names of kinds and fields are stable: scripts rest on them.

use domain::{Amount, Cause, Fact, ItemTerms, KeyDigest, Line, OrderId, SaleTerms, UnixMs};
use serde::Serialize;

use super::names::{self, OrderNames};

/// One line of a dump.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) shard: u16,
    pub(crate) seq: u64,
    pub(crate) time: String,
    pub(crate) term: u32,
    #[serde(flatten)]
    pub(crate) fact: FactRow,
}

/// An order by its number, a text because it is larger than JavaScript can count, and by its code.
#[derive(Serialize)]
pub(crate) struct OrderRow {
    order: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

/// A fact and its fields. `kind` is the variant's name.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum FactRow {
    TermStarted {
        started: u32,
    },
    SaleCreated {
        sale: u16,
        slug: String,
        terms: SaleTermsRow,
    },
    SaleEdited {
        sale: u16,
        terms: SaleTermsRow,
    },
    ItemAdded {
        sale: u16,
        item: u16,
        terms: ItemTermsRow,
        stock: u32,
    },
    ItemEdited {
        sale: u16,
        item: u16,
        terms: ItemTermsRow,
    },
    SaleMoved {
        sale: u16,
        to: &'static str,
        cause: &'static str,
    },
    StockChanged {
        sale: u16,
        item: u16,
        change: i32,
        key: Option<String>,
    },
    OrderHeld(HeldRow),
    HoldExtended(ExtendedRow),
    OrderCancelled(CancelledRow),
    OrderExpired(OrderRow),
    OrderPaid(PaymentRow),
    PaymentFailed(PaymentRow),
    PaymentUnmatched(PaymentRow),
    PaymentSurplus(PaymentRow),
    SurplusReturned(PaymentRow),
    RefundStarted(RefundRow),
    OrderRefunded(OrderRow),
    RefundFailed(OrderRow),
    /// A sound record that is no fact of this version's.
    Unknown {
        number: u8,
        payload: String,
        error: String,
    },
}

#[derive(Serialize)]
pub(crate) struct HeldRow {
    #[serde(flatten)]
    order: OrderRow,
    sale: u16,
    buyer: String,
    key: String,
    hold_ttl_s: u16,
    lines: Vec<LineRow>,
    total: u64,
}

#[derive(Serialize)]
struct LineRow {
    item: u16,
    quantity: u16,
    unit_price: u32,
}

#[derive(Serialize)]
pub(crate) struct ExtendedRow {
    #[serde(flatten)]
    order: OrderRow,
    key: String,
    expires_at: String,
}

#[derive(Serialize)]
pub(crate) struct CancelledRow {
    #[serde(flatten)]
    order: OrderRow,
    by_organiser: bool,
}

#[derive(Serialize)]
pub(crate) struct PaymentRow {
    #[serde(flatten)]
    order: OrderRow,
    payment: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
}

#[derive(Serialize)]
pub(crate) struct RefundRow {
    #[serde(flatten)]
    order: OrderRow,
    restock: bool,
}

#[derive(Serialize)]
pub(crate) struct SaleTermsRow {
    name: String,
    currency: String,
    opens_at: Option<String>,
    closes_at: Option<String>,
    hold_ttl_s: u16,
    per_order_max: Option<u32>,
    per_buyer_max: Option<u32>,
    per_buyer_day_max: Option<u32>,
}

#[derive(Serialize)]
pub(crate) struct ItemTermsRow {
    code: String,
    name: String,
    unit_price: u32,
    per_order_max: Option<u32>,
    per_buyer_max: Option<u32>,
}

/// The order that a fact is about.
pub(crate) fn order_of(fact: &Fact) -> Option<OrderId> {
    match fact {
        Fact::TermStarted { .. }
        | Fact::SaleCreated { .. }
        | Fact::SaleEdited { .. }
        | Fact::ItemAdded { .. }
        | Fact::ItemEdited { .. }
        | Fact::SaleMoved { .. }
        | Fact::StockChanged { .. } => None,
        Fact::OrderHeld { order, .. }
        | Fact::HoldExtended { order, .. }
        | Fact::OrderCancelled { order, .. }
        | Fact::OrderExpired { order }
        | Fact::OrderPaid { order, .. }
        | Fact::PaymentFailed { order, .. }
        | Fact::PaymentUnmatched { order, .. }
        | Fact::PaymentSurplus { order, .. }
        | Fact::SurplusReturned { order, .. }
        | Fact::RefundStarted { order, .. }
        | Fact::OrderRefunded { order }
        | Fact::RefundFailed { order } => Some(*order),
    }
}

/// The fact for a dump.
pub(crate) fn fact_row(fact: &Fact, orders: &OrderNames) -> FactRow {
    match fact {
        Fact::TermStarted { term } => FactRow::TermStarted { started: term.0 },
        Fact::SaleCreated { sale, slug, terms } => {
            FactRow::SaleCreated { sale: sale.0, slug: slug.to_string(), terms: sale_terms(terms) }
        }
        Fact::SaleEdited { sale, terms } => FactRow::SaleEdited { sale: sale.0, terms: sale_terms(terms) },
        Fact::ItemAdded { sale, item, terms, stock } => {
            FactRow::ItemAdded { sale: sale.0, item: item.0, terms: item_terms(terms), stock: *stock }
        }
        Fact::ItemEdited { sale, item, terms } => {
            FactRow::ItemEdited { sale: sale.0, item: item.0, terms: item_terms(terms) }
        }
        Fact::SaleMoved { sale, to, cause } => {
            FactRow::SaleMoved { sale: sale.0, to: to.name(), cause: cause_name(*cause) }
        }
        Fact::StockChanged { sale, item, change, key } => {
            FactRow::StockChanged { sale: sale.0, item: item.0, change: *change, key: key.map(key_text) }
        }
        _ => order_row(fact, orders),
    }
}

fn order_row(fact: &Fact, orders: &OrderNames) -> FactRow {
    let id = order_of(fact).expect("every other fact is about an order");
    let order = OrderRow { order: id.raw().to_string(), code: orders.code(id) };
    let payment = |order, payment: &domain::PaymentId, amount: Option<Amount>| PaymentRow {
        order,
        payment: payment.0.to_string(),
        amount: amount.map(|amount| amount.0),
        cause: None,
    };
    match fact {
        Fact::OrderHeld { sale, buyer, key, hold_ttl_s, lines, .. } => FactRow::OrderHeld(HeldRow {
            order,
            sale: sale.0,
            buyer: buyer.0.to_string(),
            key: key_text(*key),
            hold_ttl_s: *hold_ttl_s,
            total: lines.total().0,
            lines: lines.iter().map(line_row).collect(),
        }),
        Fact::HoldExtended { key, expires_at, .. } => FactRow::HoldExtended(ExtendedRow {
            order,
            key: key_text(*key),
            expires_at: names::time(*expires_at),
        }),
        Fact::OrderCancelled { by_organiser, .. } => {
            FactRow::OrderCancelled(CancelledRow { order, by_organiser: *by_organiser })
        }
        Fact::OrderPaid { payment: by, amount, .. } => FactRow::OrderPaid(payment(order, by, Some(*amount))),
        Fact::PaymentFailed { payment: by, .. } => FactRow::PaymentFailed(payment(order, by, None)),
        Fact::PaymentUnmatched { payment: by, amount, cause, .. } => {
            let cause = Some(cause.name());
            FactRow::PaymentUnmatched(PaymentRow { cause, ..payment(order, by, Some(*amount)) })
        }
        Fact::PaymentSurplus { payment: by, amount, .. } => {
            FactRow::PaymentSurplus(payment(order, by, Some(*amount)))
        }
        Fact::SurplusReturned { payment: by, .. } => FactRow::SurplusReturned(payment(order, by, None)),
        Fact::RefundStarted { restock, .. } => FactRow::RefundStarted(RefundRow { order, restock: *restock }),
        Fact::OrderRefunded { .. } => FactRow::OrderRefunded(order),
        Fact::RefundFailed { .. } => FactRow::RefundFailed(order),
        Fact::OrderExpired { .. } => FactRow::OrderExpired(order),
        _ => unreachable!("`fact_row` has taken every fact that is not about an order: {fact:?}"),
    }
}

fn line_row(line: &Line) -> LineRow {
    LineRow { item: line.item.0, quantity: line.quantity, unit_price: line.unit_price }
}

fn cause_name(cause: Cause) -> &'static str {
    match cause {
        Cause::Clock => "clock",
        Cause::Organiser => "organiser",
    }
}

fn key_text(key: KeyDigest) -> String {
    format!("{:016x}", key.0)
}

fn sale_terms(terms: &SaleTerms) -> SaleTermsRow {
    let time = |time: Option<UnixMs>| time.map(names::time);
    SaleTermsRow {
        name: terms.name.to_string(),
        currency: terms.currency.as_str().to_owned(),
        opens_at: time(terms.opens_at),
        closes_at: time(terms.closes_at),
        hold_ttl_s: terms.hold_ttl_s,
        per_order_max: terms.per_order_max,
        per_buyer_max: terms.per_buyer_max,
        per_buyer_day_max: terms.per_buyer_day_max,
    }
}

fn item_terms(terms: &ItemTerms) -> ItemTermsRow {
    ItemTermsRow {
        code: terms.code.to_string(),
        name: terms.name.to_string(),
        unit_price: terms.unit_price,
        per_order_max: terms.per_order_max,
        per_buyer_max: terms.per_buyer_max,
    }
}
