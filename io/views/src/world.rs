//! A small world for this room's tests: two sales, and as many orders as wanted in most of their states.

use domain::{
    Amount, BuyerId, Cause, Currency, Fact, ItemIndex, ItemTerms, KeyDigest, Line, Lines, OrderId, PaymentId,
    SaleId, SaleStatus, SaleTerms, ShardId, Slug, Term, UnixMs,
};
use engine::State;
use journal::{Batch, Journal, Memory};

pub(crate) const SHARD: ShardId = ShardId::FIRST;
pub(crate) const CONCERT: SaleId = SaleId(0);
pub(crate) const DROP: SaleId = SaleId(1);
const PRICE: u32 = 500;

/// The number of the order placed as the `index`-th.
pub(crate) fn order_id(index: u64) -> OrderId {
    OrderId::next(SHARD, UnixMs(UnixMs::EPOCH.0 + index + 1), None)
}

/// Which sale the `index`-th order is of: every third one is of the drop.
pub(crate) fn sale_of(index: u64) -> SaleId {
    if index % 3 == 2 { DROP } else { CONCERT }
}

/// The facts of two sales and their orders.
pub(crate) fn facts(order_count: u64) -> Vec<Fact> {
    let mut facts = vec![Fact::TermStarted { term: Term(1) }];
    for (sale, name) in [(CONCERT, "concert"), (DROP, "drop")] {
        let slug = Slug::new(name).unwrap();
        facts.push(Fact::SaleCreated { sale, slug, terms: sale_terms(name).into() });
        for item in 0..2 {
            let terms = item_terms(item).into();
            facts.push(Fact::ItemAdded { sale, item: ItemIndex(item), terms, stock: 1_000_000 });
        }
        let change = 5;
        facts.push(Fact::StockChanged { sale, item: ItemIndex(0), change, key: Some(KeyDigest(9)) });
        facts.push(Fact::SaleMoved { sale, to: SaleStatus::Open, cause: Cause::Organiser });
    }
    (0..order_count).for_each(|index| order_facts(index, &mut facts));
    facts
}

fn order_facts(index: u64, facts: &mut Vec<Fact>) {
    let order = order_id(index);
    let line = |item| Line { item: ItemIndex(item), quantity: 1, unit_price: PRICE };
    let lines = match index % 4 {
        0 => Lines::new(vec![line(0), line(1)]).unwrap(),
        _ => Lines::one(line(1)),
    };
    let amount = lines.total();
    let buyer = BuyerId::from_text(&format!("buyer {index}"));
    facts.push(Fact::OrderHeld {
        order,
        sale: sale_of(index),
        buyer,
        key: KeyDigest(1),
        hold_ttl_s: 60,
        lines,
    });
    let payment = PaymentId::from_text("a payment");
    match index % 7 {
        1 => facts.push(Fact::OrderPaid { order, payment, amount }),
        2 => facts.push(Fact::OrderCancelled { order, by_organiser: false }),
        3 => facts.push(Fact::OrderExpired { order }),
        4 => {
            let expires_at = order.placed_at().plus_s(90);
            facts.push(Fact::HoldExtended { order, key: KeyDigest(2), expires_at });
            facts.push(Fact::PaymentFailed { order, payment });
        }
        5 => {
            facts.push(Fact::OrderPaid { order, payment, amount });
            let second = PaymentId::from_text("a second payment");
            facts.push(Fact::PaymentSurplus { order, payment: second, amount: Amount(7) });
            facts.push(Fact::RefundStarted { order, restock: true });
        }
        _ => {}
    }
}

fn sale_terms(name: &str) -> SaleTerms {
    SaleTerms {
        name: name.into(),
        currency: Currency::new("EUR").unwrap(),
        opens_at: None,
        closes_at: None,
        hold_ttl_s: 60,
        per_order_max: None,
        per_buyer_max: Some(4),
        per_buyer_day_max: None,
    }
}

fn item_terms(item: u16) -> ItemTerms {
    ItemTerms {
        code: Slug::new(&format!("item-{item}")).unwrap(),
        name: "Item".into(),
        unit_price: PRICE,
        per_order_max: None,
        per_buyer_max: None,
    }
}

/// The state that these facts come to.
pub(crate) fn state(facts: &[Fact]) -> State {
    let mut state = State::new(SHARD, 1);
    facts.iter().for_each(|fact| engine::apply(&mut state, fact));
    state
}

/// A journal with these facts, three in a batch.
pub(crate) fn journal(facts: &[Fact]) -> Memory {
    let mut journal = Memory::new();
    append(&mut journal, facts);
    journal
}

/// Appends facts, three in a batch, each batch a second after the one before.
pub(crate) fn append(journal: &mut Memory, facts: &[Fact]) {
    let (mut batch, mut payload) = (Batch::new(), Vec::new());
    for three in facts.chunks(3) {
        batch.clear();
        for fact in three {
            payload.clear();
            let kind = codec::encode(fact, &mut payload);
            batch.push(kind, &payload);
        }
        let time = UnixMs(journal.tip().time.0 + 1_000);
        journal.append(&batch, time).unwrap();
    }
}
