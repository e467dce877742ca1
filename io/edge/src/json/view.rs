//! Sales, stock and orders as JSON, in the shapes that clients rely on.

use std::cell::RefCell;
use std::sync::Arc;

use arc_swap::Guard;
use domain::{Levels, Line, Lines, OrderState, OrderView, SaleTerms, Slug, StockReceipt, UnixMs};
use views::{Front, SaleEntry, SaleSnapshot};

use super::write::{push_name, push_number, push_text, push_time, push_time_or_null};

/// An order: `{"order":…,"sale":…,"state":…,"lines":[…],"total":{…},"expires_at":…,"seq":…}`, and further
/// members only where they say something.
pub(crate) fn push_order(out: &mut Vec<u8>, code: &[u8], order: &OrderView, sale: &SaleEntry) {
    push_order_open(out, code, order, sale);
    out.push(b'}');
}

/// The same without the closing brace, so that more members can follow.
pub(crate) fn push_order_open(out: &mut Vec<u8>, code: &[u8], order: &OrderView, sale: &SaleEntry) {
    out.push(b'{');
    OrderPen::new(out, sale).push_members(code, order);
}

/// Writes orders of one sale, one after the other. What many of them have in common is found or made once.
pub(crate) struct OrderPen<'a> {
    pub(crate) out: &'a mut Vec<u8>,
    sale: &'a SaleEntry,
    front: Guard<Arc<Front>>,
}

impl<'a> OrderPen<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>, sale: &'a SaleEntry) -> OrderPen<'a> {
        OrderPen { out, sale, front: sale.front() }
    }

    /// An order without its braces.
    pub(crate) fn push_members(&mut self, code: &[u8], order: &OrderView) {
        let OrderPen { out, sale, front } = self;
        out.extend_from_slice(b"\"order\":\"");
        out.extend_from_slice(code);
        LAST_TERMS.with_borrow_mut(|last| {
            let terms = last.get_or_insert_with(|| OrderTerms::new(order, (sale, front)));
            if !terms.are_of(order, front) {
                terms.renew(order, (sale, front));
            }
            terms.push(out, &order.lines);
        });
        push_number(out, order.seq.0);
        push_order_extras(out, order);
    }
}

thread_local! {
    /// The last that were written: all holds of a batch end at once, and in a rush everybody wants the same.
    static LAST_TERMS: RefCell<Option<OrderTerms>> = const { RefCell::new(None) };
}

/// What an order says between its code and its position, and what that follows from.
struct OrderTerms {
    /// The sale's: as long as it is kept, no other stands at its address.
    front: Arc<Front>,
    state: OrderState,
    expires_at: UnixMs,
    /// Before the lines, and behind the total.
    around: (Vec<u8>, Vec<u8>),
    /// The last single line.
    line: Option<Line>,
    /// With its total; made when it is wanted a second time: where each order is another, nothing is written twice.
    line_bytes: Vec<u8>,
}

impl OrderTerms {
    fn new(order: &OrderView, (sale, front): (&SaleEntry, &Arc<Front>)) -> OrderTerms {
        let OrderView { state, expires_at, .. } = *order;
        let (around, line_bytes) = (<(Vec<u8>, Vec<u8>)>::default(), Vec::new());
        let mut terms =
            OrderTerms { front: Arc::clone(front), state, expires_at, around, line: None, line_bytes };
        terms.renew(order, (sale, front));
        terms
    }

    /// Makes them those of another order, in the same memory: where several sales are open, each order's may be others.
    fn renew(&mut self, order: &OrderView, (sale, front): (&SaleEntry, &Arc<Front>)) {
        self.front.clone_from(front);
        (self.state, self.expires_at, self.line) = (order.state, order.expires_at, None);
        let (before, behind) = &mut self.around;
        before.clear();
        before.extend_from_slice(b"\",\"sale\":\"");
        before.extend_from_slice(sale.slug().as_str().as_bytes());
        before.extend_from_slice(b"\",\"state\":\"");
        before.extend_from_slice(order.state.name().as_bytes());
        before.extend_from_slice(b"\",\"lines\":[");
        behind.clear();
        behind.extend_from_slice(b",\"currency\":\"");
        behind.extend_from_slice(front.terms.currency.as_str().as_bytes());
        behind.extend_from_slice(b"\"},\"expires_at\":");
        push_time(behind, order.expires_at);
        push_name(behind, "seq");
    }

    fn are_of(&self, order: &OrderView, front: &Arc<Front>) -> bool {
        self.expires_at == order.expires_at && self.state == order.state && Arc::ptr_eq(&self.front, front)
    }

    fn push(&mut self, out: &mut Vec<u8>, lines: &Lines) {
        let OrderTerms { front, around: (before, behind), line: last, line_bytes, .. } = self;
        out.extend_from_slice(before);
        match lines.as_slice() {
            [line] if *last == Some(*line) => {
                if line_bytes.is_empty() {
                    push_lines(line_bytes, lines, front);
                }
                out.extend_from_slice(line_bytes);
            }
            some => {
                push_lines(out, lines, front);
                *last = some.first().copied().filter(|_| some.len() == 1);
                line_bytes.clear();
            }
        }
        out.extend_from_slice(behind);
    }
}

/// The lines, and what they come to.
fn push_lines(out: &mut Vec<u8>, lines: &Lines, front: &Front) {
    for (index, line) in lines.iter().enumerate() {
        out.extend_from_slice(if index == 0 { b"{\"item\":\"" } else { b",{\"item\":\"" });
        // An order's items are published before the order, and items are never taken away.
        out.extend_from_slice(front.code(line.item).unwrap_or_default());
        out.extend_from_slice(b"\",\"quantity\":");
        push_number(out, u64::from(line.quantity));
        out.extend_from_slice(b",\"unit_price\":");
        push_number(out, u64::from(line.unit_price));
        out.push(b'}');
    }
    out.extend_from_slice(b"],\"total\":{\"amount\":");
    push_number(out, lines.total().0);
}

fn push_order_extras(out: &mut Vec<u8>, order: &OrderView) {
    if order.extended {
        out.extend_from_slice(b",\"extended\":true");
    }
    if order.payments_failed > 0 {
        push_name(out, "payments_failed");
        push_number(out, u64::from(order.payments_failed));
    }
    if let Some(payment) = order.payment {
        out.extend_from_slice(b",\"payment\":{\"id\":");
        push_text(out, &payment.0.to_string());
        out.push(b'}');
    }
    if let Some(cause) = order.refund_cause {
        push_name(out, "refund_cause");
        push_text(out, cause.name());
    }
    if !order.surplus.is_empty() {
        push_surplus(out, order);
    }
}

fn push_surplus(out: &mut Vec<u8>, order: &OrderView) {
    out.extend_from_slice(b",\"surplus_payments\":[");
    for (index, surplus) in order.surplus.iter().enumerate() {
        out.extend_from_slice(if index == 0 { b"{\"id\":" } else { b",{\"id\":" });
        push_text(out, &surplus.payment.0.to_string());
        push_name(out, "amount");
        push_number(out, surplus.amount.0);
        push_name(out, "returned");
        out.extend_from_slice(if surplus.returned { b"true}" } else { b"false}" });
    }
    out.push(b']');
}

/// A sale with its terms and items: what `POST /v1/sales` took, and where the sale stands.
pub(crate) fn push_sale(out: &mut Vec<u8>, slug: &Slug, sale: &SaleSnapshot) {
    let terms = &sale.terms;
    out.extend_from_slice(b"{\"sale\":");
    push_text(out, slug.as_str());
    push_name(out, "name");
    push_text(out, &terms.name);
    push_name(out, "status");
    push_text(out, sale.status.name());
    push_name(out, "currency");
    push_text(out, terms.currency.as_str());
    push_instants(out, [("opens_at", terms.opens_at), ("closes_at", terms.closes_at)]);
    push_name(out, "hold_ttl_seconds");
    push_number(out, u64::from(terms.hold_ttl_s));
    push_sale_limits(out, terms);
    push_name(out, "items");
    out.push(b'[');
    for (index, (item, levels)) in sale.items.iter().zip(&sale.levels).enumerate() {
        out.extend_from_slice(if index == 0 { b"{\"item\":" } else { b",{\"item\":" });
        push_text(out, item.code.as_str());
        push_name(out, "name");
        push_text(out, &item.name);
        push_name(out, "unit_price");
        push_number(out, u64::from(item.unit_price));
        push_name(out, "stock");
        push_number(out, u64::from(levels.stock));
        out.extend_from_slice(b",\"limits\":{\"per_order\":");
        push_limit(out, item.per_order_max);
        push_name(out, "per_buyer");
        push_limit(out, item.per_buyer_max);
        out.extend_from_slice(b"}}");
    }
    out.extend_from_slice(b"],\"seq\":");
    push_number(out, sale.page_seq.0);
    out.push(b'}');
}

fn push_instants(out: &mut Vec<u8>, instants: [(&str, Option<UnixMs>); 2]) {
    for (name, instant) in instants {
        push_name(out, name);
        push_time_or_null(out, instant);
    }
}

fn push_sale_limits(out: &mut Vec<u8>, terms: &SaleTerms) {
    out.extend_from_slice(b",\"limits\":{\"per_order\":");
    push_limit(out, terms.per_order_max);
    push_name(out, "per_buyer");
    push_limit(out, terms.per_buyer_max);
    push_name(out, "per_buyer_per_day");
    push_limit(out, terms.per_buyer_day_max);
    out.push(b'}');
}

fn push_limit(out: &mut Vec<u8>, limit: Option<u32>) {
    match limit {
        Some(limit) => push_number(out, u64::from(limit)),
        None => out.extend_from_slice(b"null"),
    }
}

/// A sale's levels, all at one position.
pub(crate) fn push_stock(out: &mut Vec<u8>, slug: &Slug, sale: &SaleSnapshot) {
    out.extend_from_slice(b"{\"sale\":");
    push_text(out, slug.as_str());
    out.extend_from_slice(b",\"items\":[");
    for (index, (item, levels)) in sale.items.iter().zip(&sale.levels).enumerate() {
        out.extend_from_slice(if index == 0 { b"{\"item\":" } else { b",{\"item\":" });
        push_text(out, item.code.as_str());
        push_levels(out, levels);
        out.push(b'}');
    }
    out.extend_from_slice(b"],\"seq\":");
    push_number(out, sale.seq.0);
    out.push(b'}');
}

/// What a change of stock came to.
pub(crate) fn push_stock_receipt(out: &mut Vec<u8>, slug: &Slug, item: &str, receipt: &StockReceipt) {
    out.extend_from_slice(b"{\"sale\":");
    push_text(out, slug.as_str());
    push_name(out, "item");
    push_text(out, item);
    push_levels(out, &receipt.levels);
    push_name(out, "change");
    if receipt.change < 0 {
        out.push(b'-');
    }
    push_number(out, u64::from(receipt.change.unsigned_abs()));
    push_name(out, "seq");
    push_number(out, receipt.seq.0);
    out.push(b'}');
}

fn push_levels(out: &mut Vec<u8>, levels: &Levels) {
    assert!(levels.is_conserved(), "I1: {levels:?}");
    let named = [
        ("stock", levels.stock),
        ("free", levels.free),
        ("held", levels.held),
        ("paid", levels.paid),
        ("withdrawn", levels.withdrawn),
    ];
    for (name, units) in named {
        push_name(out, name);
        push_number(out, u64::from(units));
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use domain::{BuyerId, Currency, ItemIndex, ItemTerms, Lines, OrderId, SaleId, SaleStatus, Seq, ShardId};
    use serde_json::{Value, json};
    use views::{Catalog, SalePublished};

    use super::*;

    fn sale(catalog: &Catalog, number: u16, price: u32) -> Arc<SaleEntry> {
        let slug = Slug::new(&format!("sale-{number}")).unwrap();
        let item = |code| ItemTerms::new(Slug::new(code).unwrap(), "An item", price);
        catalog.put_sale(SalePublished {
            shard: ShardId::FIRST,
            sale: SaleId(number),
            slug: slug.clone(),
            terms: SaleTerms::new("A sale", Currency::new("EUR").unwrap(), 600),
            status: SaleStatus::Open,
            items: ["ga", "vip"].map(item).to_vec(),
            levels: vec![Levels::default(); 2],
            seq: Seq(1),
        });
        catalog.sale(slug.as_str()).unwrap()
    }

    fn order(item: u16, expires_s: u64) -> OrderView {
        OrderView {
            order: OrderId::from_raw(7).unwrap(),
            sale: SaleId(0),
            buyer: BuyerId::from_text("ada"),
            state: OrderState::Held,
            lines: Lines::one(Line { item: ItemIndex(item), quantity: 2, unit_price: 500 }),
            expires_at: UnixMs(expires_s * 1_000),
            seq: Seq(9),
            extended: false,
            payments_failed: 0,
            payment: None,
            refund_cause: None,
            surplus: Vec::new(),
        }
    }

    #[test]
    fn every_order_has_its_own_terms_whatever_was_written_before() {
        let catalog = Catalog::new(NonZeroU16::MIN, 12);
        let sales = [sale(&catalog, 0, 500), sale(&catalog, 1, 500)];
        let usual = (order(0, 60), "ga", 0);
        let paid = OrderView { state: OrderState::Paid, ..order(0, 60) };
        // Each differs from the one before in one thing, and the last of a sale from the first of the next one in the sale.
        let others = [(order(1, 60), "vip", 0), (order(0, 61), "ga", 1), (paid, "ga", 0)];
        let thrice = |order: (OrderView, &'static str, u8)| [order.clone(), order.clone(), order];
        let orders =
            others.into_iter().flat_map(|other| [usual.clone(), other, usual.clone()]).flat_map(thrice);
        let orders: Vec<_> = orders.collect();
        for (code, sale) in [("A", &sales[0]), ("B", &sales[1]), ("C", &sales[0])] {
            for (order, item, seconds) in &orders {
                let mut out = Vec::new();
                push_order(&mut out, code.as_bytes(), order, sale);
                let expected = json!({
                    "order": code,
                    "sale": sale.slug().as_str(),
                    "state": order.state.name(),
                    "lines": [{"item": item, "quantity": 2, "unit_price": 500}],
                    "total": {"amount": 1_000, "currency": "EUR"},
                    "expires_at": format!("1970-01-01T00:01:0{seconds}.000Z"),
                    "seq": 9,
                });
                assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), expected);
            }
        }
    }
}
