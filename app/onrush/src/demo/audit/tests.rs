//! Each check is shown to fail on the difference that it is there for.

use std::time::Instant;

use domain::{
    Amount, BuyerId, Cause, Currency, Fact, ItemIndex, ItemTerms, KeyDigest, Line, Lines, OrderId, PaymentId,
    SaleId, SaleStatus, SaleTerms, ShardId, Slug, UnixMs,
};

use super::*;
use crate::demo::ledger::Key;
use crate::demo::visit::{buyer_name, key_text};
use crate::demo::wire::{LevelsAnswer, LineAnswer, OrderAnswer, TotalAnswer};

const SALE: &str = "concert";
const KEY: Key = Key { buyer: 7, attempt: 0 };
const PRICE: u32 = 6_000;

struct Sides {
    replay: Replay,
    ledger: Ledger,
    page: StockAnswer,
}

fn order_id() -> OrderId {
    OrderId::next(ShardId::FIRST, UnixMs::EPOCH, None)
}

fn facts() -> Vec<Fact> {
    let terms = SaleTerms {
        name: "Concert".into(),
        currency: Currency::new("EUR").unwrap(),
        opens_at: None,
        closes_at: None,
        hold_ttl_s: 3,
        per_order_max: None,
        per_buyer_max: None,
        per_buyer_day_max: None,
    };
    let item = ItemTerms {
        code: Slug::new("ga").unwrap(),
        name: "GA".into(),
        unit_price: PRICE,
        per_order_max: None,
        per_buyer_max: None,
    };
    let (sale, order) = (SaleId(0), order_id());
    let line = Line { item: ItemIndex(0), quantity: 2, unit_price: PRICE };
    vec![
        Fact::SaleCreated { sale, slug: Slug::new(SALE).unwrap(), terms: Box::new(terms) },
        Fact::ItemAdded { sale, item: ItemIndex(0), terms: Box::new(item), stock: 2 },
        Fact::SaleMoved { sale, to: SaleStatus::Open, cause: Cause::Organiser },
        Fact::OrderHeld {
            order,
            sale,
            buyer: BuyerId::from_text(&buyer_name(KEY.buyer)),
            key: KeyDigest::from_text(&key_text(SALE, KEY.attempt)),
            hold_ttl_s: 3,
            lines: Lines::one(line),
        },
        Fact::OrderPaid { order, payment: PaymentId::from_text("p"), amount: Amount(u64::from(2 * PRICE)) },
    ]
}

fn answer(state: &str) -> OrderAnswer {
    OrderAnswer {
        order: "CODE".to_owned(),
        state: state.to_owned(),
        lines: vec![LineAnswer { item: "ga".to_owned(), quantity: 2, unit_price: PRICE }],
        total: TotalAnswer { amount: u64::from(2 * PRICE), currency: "EUR".to_owned() },
        expires_at: "2026-12-01T19:00:00.000Z".to_owned(),
        seq: 4,
        payments_failed: 0,
    }
}

/// A sale of two units, both bought by one buyer; `facts` is how many of the facts the journal has.
fn sides(fact_count: usize) -> Sides {
    let mut replay = Replay::new(SALE);
    facts().iter().take(fact_count).for_each(|fact| replay.apply(fact));
    let mut ledger = Ledger::new(Instant::now());
    ledger.acknowledged(KEY, &answer("held"));
    ledger.seen(&answer("paid"));
    let levels = LevelsAnswer { item: "ga".to_owned(), stock: 2, paid: 2, ..LevelsAnswer::default() };
    Sides { replay, ledger, page: StockAnswer { items: vec![levels] } }
}

/// The names of the checks that fail.
fn failing(sides: &Sides) -> Vec<&'static str> {
    let Sides { replay, ledger, page } = sides;
    let checks = Story { units: 2, ledger, page, replay }.checks();
    checks.into_iter().filter(|check| !check.ok).map(|check| check.name).collect()
}

#[test]
fn two_sides_that_agree_pass() {
    assert_eq!(failing(&sides(5)), [""; 0]);
}

#[test]
fn lost_order_is_found() {
    let found = failing(&sides(3));
    assert!(found.contains(&"no acknowledged order lost"), "{found:?}");
    assert!(
        found.contains(&"nothing stranded") && found.contains(&"exactly the stock was sold"),
        "{found:?}"
    );
}

#[test]
fn payment_that_only_one_side_knows_is_found() {
    let found = failing(&sides(4));
    assert!(found.contains(&"every order is as it was told"), "{found:?}");
    assert!(found.contains(&"clients and journal agree on units"), "{found:?}");
    assert!(found.contains(&"the page shows the journal's stock"), "{found:?}");
}

#[test]
fn order_that_nobody_was_told_of_is_found() {
    let silent = Sides { ledger: Ledger::new(Instant::now()), ..sides(5) };
    let found = failing(&silent);
    assert!(found.contains(&"no order that nobody was told of"), "{found:?}");
}

#[test]
fn second_outcome_of_a_key_is_found() {
    let mut sides = sides(5);
    sides.ledger.acknowledged(KEY, &OrderAnswer { order: "OTHER".to_owned(), ..answer("held") });
    let found = failing(&sides);
    assert_eq!(found, ["every order is as it was told", "one outcome per key"]);
}

#[test]
fn order_that_is_not_as_it_was_told_is_found() {
    let changes: [fn(&mut OrderAnswer); 4] = [
        |answer| answer.seq = 5,
        |answer| answer.total.amount = 1,
        |answer| answer.lines[0].quantity = 1,
        |answer| answer.lines[0].unit_price = 1,
    ];
    for change in changes {
        let mut told = answer("held");
        change(&mut told);
        let mut sides = Sides { ledger: Ledger::new(Instant::now()), ..sides(5) };
        sides.ledger.acknowledged(KEY, &told);
        sides.ledger.seen(&answer("paid"));
        assert!(failing(&sides).contains(&"every order is as it was told"), "{told:?}");
    }
}

#[test]
fn faulty_answer_fails_the_demo() {
    let mut sides = sides(5);
    sides.ledger.fault("an order was answered 500 internal_error");
    assert_eq!(failing(&sides), ["no faulty answer"]);
}
