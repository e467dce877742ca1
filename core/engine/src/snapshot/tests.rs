use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use domain::{
    Amount, BuyerId, Currency, Fact, ItemIndex, ItemTerms, KeyDigest, Line, Lines, OrderId, PaymentId,
    SaleId, SaleTerms, ShardId, Slug, UnixMs,
};

use super::{Entry, Restore, RestoreError, export};
use crate::{KeyTwice, Loading, State, Unsettled, apply, invariants};

const SALE: SaleId = SaleId(0);
const ITEM: ItemIndex = ItemIndex(0);

fn order_id(number: u64) -> OrderId {
    OrderId::next(ShardId::FIRST, UnixMs(UnixMs::EPOCH.0 + number + 1), None)
}

fn sale_facts(per_buyer_max: Option<u32>) -> Vec<Fact> {
    let terms = SaleTerms::new("Concert", Currency::new("EUR").unwrap(), 600);
    let terms = Box::new(SaleTerms { per_buyer_max, ..terms });
    let item = Box::new(ItemTerms::new(Slug::new("ga").unwrap(), "Standing", 500));
    vec![
        Fact::SaleCreated { sale: SALE, slug: Slug::new("concert").unwrap(), terms },
        Fact::ItemAdded { sale: SALE, item: ITEM, terms: item, stock: 1_000 },
    ]
}

fn buyer_of(number: u64) -> &'static str {
    match number % 3 {
        0 => "a",
        1 => "b",
        _ => "c",
    }
}

fn held(number: u64, buyer: &str, key: u64) -> Fact {
    let lines = Lines::one(Line { item: ITEM, quantity: 2, unit_price: 500 });
    let (order, buyer, key) = (order_id(number), BuyerId::from_text(buyer), KeyDigest(key));
    Fact::OrderHeld { order, sale: SALE, buyer, key, hold_ttl_s: 600, lines }
}

/// Orders that are held, paid, cancelled and expired, of buyers with one and with several.
fn facts() -> Vec<Fact> {
    let mut facts = sale_facts(Some(100));
    for number in 0..200 {
        facts.push(held(number, buyer_of(number), number));
        let order = order_id(number);
        match number % 4 {
            0 => facts.push(Fact::OrderPaid {
                order,
                payment: PaymentId::from_text("p"),
                amount: Amount(1_000),
            }),
            1 => facts.push(Fact::OrderCancelled { order, by_organiser: false }),
            2 => facts.push(Fact::OrderExpired { order }),
            _ => {}
        }
    }
    facts
}

fn state_of(facts: &[Fact]) -> State {
    let mut state = State::new(ShardId::FIRST, 1);
    facts.iter().for_each(|fact| apply(&mut state, fact));
    state
}

fn restored(entries: impl Iterator<Item = Entry>) -> Result<State, RestoreError> {
    let mut restore = Restore::new(2);
    entries.into_iter().try_for_each(|entry| restore.push(entry))?;
    restore.finish()
}

// covers: I1, I2, I3, I4, I6, I7
#[test]
fn loading_comes_to_the_state_that_applying_comes_to() {
    let facts = facts();
    let mut loading = Loading::new(State::new(ShardId::FIRST, 3));
    facts.iter().for_each(|fact| loading.apply(fact));
    let (loaded, applied) = (loading.finish().unwrap(), state_of(&facts));
    assert_eq!(loaded, applied);
    invariants::check(&loaded).unwrap();
    for number in 0..200 {
        let buyer = BuyerId::from_text(buyer_of(number));
        assert_eq!(loaded.order_by_key(buyer, KeyDigest(number)), Some(order_id(number)));
    }
}

// covers: I2, I3
#[test]
fn state_on_its_way_may_be_looked_at_again_and_again() {
    let facts = facts();
    let mut loading = Loading::new(State::new(ShardId::FIRST, 3));
    for (index, fact) in facts.iter().enumerate() {
        loading.apply(fact);
        if index % 40 == 0 || index + 1 == facts.len() {
            assert_eq!(*loading.settled().unwrap(), state_of(&facts[..=index]));
            assert_eq!(loading.note_count(), 0);
            invariants::check(loading.settled().unwrap()).unwrap();
        }
    }
}

#[test]
fn restored_state_goes_on_as_the_one_it_was_taken_of() {
    let mut original = state_of(&facts());
    let mut copy = restored(export(&original)).unwrap();
    invariants::check(&copy).unwrap();
    for fact in [held(900, "d", 1), Fact::OrderCancelled { order: order_id(3), by_organiser: true }] {
        apply(&mut original, &fact);
        apply(&mut copy, &fact);
    }
    assert_eq!(copy, original);
    invariants::check(&copy).unwrap();
}

// covers: I2, I3
#[test]
fn state_that_several_threads_settle_is_the_one_that_finish_makes() {
    let original = state_of(&facts());
    for range_count in [1, 3, 1_000] {
        let mut restore = Restore::new(2);
        export(&original).try_for_each(|entry| restore.push(entry)).unwrap();
        let notes: Vec<_> =
            restore.ranges(range_count).into_iter().filter_map(|range| restore.note(range)).collect();
        assert_eq!(notes.len(), range_count.min(original.order_count()));
        restore.add_noted(notes.into_iter());
        // In another order than a single thread's.
        let pieces: Vec<_> = restore.unsettled().collect();
        pieces.into_iter().rev().for_each(Unsettled::settle);
        let settled = restore.finish().unwrap();
        assert_eq!(settled, original);
        invariants::check(&settled).unwrap();
    }
}

#[test]
fn key_that_stands_twice_is_found_by_whoever_settles() {
    let mut restore = Restore::new(2);
    let entries = export(&state_of(&facts())).collect::<Vec<_>>();
    for mut entry in entries {
        if let Entry::Order(order) = &mut entry {
            (order.buyer, order.key) = (BuyerId::from_text("same"), KeyDigest(7));
        }
        restore.push(entry).unwrap();
    }
    let notes: Vec<_> = restore.ranges(2).into_iter().filter_map(|range| restore.note(range)).collect();
    restore.add_noted(notes.into_iter());
    restore.unsettled().for_each(Unsettled::settle);
    assert_eq!(restore.finish(), Err(RestoreError::Misplaced("a key twice")));
}

#[test]
fn key_that_stands_twice_is_found() {
    let mut loading = Loading::new(State::new(ShardId::FIRST, 3));
    let twice = [held(1, "a", 7), held(2, "a", 7)];
    sale_facts(None).iter().chain(&twice).for_each(|fact| loading.apply(fact));
    for _ in 0..2 {
        assert_eq!(loading.settled().map(|_| ()), Err(KeyTwice), "and so it stays");
    }
    assert_eq!(loading.finish().map(|_| ()), Err(KeyTwice));
}

/// Changes one entry of a sound snapshot; what restoring says to that.
fn spoiled(change: impl Fn(&mut Entry)) -> RestoreError {
    restored(export(&state_of(&facts())).map(|mut entry| {
        change(&mut entry);
        entry
    }))
    .unwrap_err()
}

fn broken_id(error: RestoreError) -> &'static str {
    let RestoreError::Broken(broken) = error else { panic!("{error:?}") };
    broken.id
}

#[test]
fn entries_that_do_not_add_up_are_no_state() {
    let levels = spoiled(|entry| {
        if let Entry::Item(item) = entry {
            item.levels.held += 2;
            item.levels.free -= 2;
        }
    });
    assert_eq!(broken_id(levels), "I1");
    let turnover = spoiled(|entry| {
        if let Entry::Item(item) = entry {
            item.turnover.expired += 2;
        }
    });
    assert_eq!(broken_id(turnover), "I4");
    let money = spoiled(|entry| {
        if let Entry::Sale(sale) = entry {
            sale.money_taken.0 += 1;
        }
    });
    assert_eq!(broken_id(money), "I7");
    let order = spoiled(|entry| {
        if let Entry::Order(order) = entry {
            order.has_units = true;
        }
    });
    assert_eq!(broken_id(order), "I6");
}

#[test]
fn entries_out_of_place_are_no_state() {
    let key = spoiled(|entry| {
        if let Entry::Order(order) = entry {
            order.buyer = BuyerId::from_text("a");
            order.key = KeyDigest(1);
        }
    });
    assert_eq!(key, RestoreError::Misplaced("a key twice"));
    let sale = spoiled(|entry| {
        if let Entry::Order(order) = entry {
            order.sale = SaleId(1);
        }
    });
    assert_eq!(sale, RestoreError::Misplaced("an order of no sale"));
    let missing = restored(export(&state_of(&facts())).take(100)).unwrap_err();
    assert_eq!(missing, RestoreError::Incomplete);
}

#[test]
fn buyer_with_more_than_a_limit_that_was_tightened_is_no_fault() {
    let mut facts = facts();
    let terms = SaleTerms::new("Concert", Currency::new("EUR").unwrap(), 600);
    facts.push(Fact::SaleEdited {
        sale: SALE,
        terms: Box::new(SaleTerms { per_buyer_max: Some(1), ..terms }),
    });
    let state = state_of(&facts);
    invariants::check(&state).unwrap();
    invariants::check(&restored(export(&state)).unwrap()).unwrap();
}

#[test]
fn wrong_counters_of_a_buyer_are_found() {
    let mut state = state_of(&facts());
    let (scope, buyer) = (crate::state::Scope::sale(SALE), BuyerId::from_text("a"));
    state.allowances.add(scope, buyer, 1);
    assert_eq!(invariants::check(&state).unwrap_err().id, "I2");
    state.allowances.subtract(scope, buyer, 1);
    invariants::check(&state).unwrap();
    state.allowances.add(scope, BuyerId::from_text("nobody"), 1);
    assert_eq!(invariants::check(&state).unwrap_err().id, "I2", "a counter too many");
}
