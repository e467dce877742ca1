//! One stored sample of every kind, under `golden/v1/`: what this version writes is what every version wrote,
//! and what was ever written is still read. A sample is never changed; `GOLDEN_WRITE=1 cargo test -p codec`
//! adds those that are missing and leaves the others alone.
#![allow(clippy::unwrap_used)] // The lint spares functions marked `#[test]` only, not their helpers.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use codec::kinds;
use domain::{
    Amount, BuyerId, Cause, Currency, Fact, ItemIndex, ItemTerms, KeyDigest, Levels, Line, Lines, OrderId,
    OrderState, PaymentId, RefundCause, SaleId, SaleStatus, SaleTerms, Seq, ShardId, Slug, StockReceipt,
    Surplus, Term, UnixMs,
};
use engine::snapshot::{Entry, Extension, Head, ItemEntry, OrderEntry, SaleEntry, Turnover};

const SALE: SaleId = SaleId(0x0102);
const ITEM: ItemIndex = ItemIndex(0x0304);
const KEY: KeyDigest = KeyDigest(0x1112_1314_1516_1718);
const TIME: UnixMs = UnixMs(0x0000_019A_2B3C_4D5E);

fn order() -> OrderId {
    OrderId::from_raw(0x2122_2324_2526_2728).unwrap()
}

fn buyer() -> BuyerId {
    BuyerId::from_text("alice")
}

fn payment() -> PaymentId {
    PaymentId::from_text("a payment of more than fifteen bytes")
}

fn line(item: u16) -> Line {
    Line { item: ItemIndex(item), quantity: 0x3132, unit_price: 0x4142_4344 }
}

fn sale_terms() -> SaleTerms {
    SaleTerms {
        name: "Große Halle".into(),
        currency: Currency::new("EUR").unwrap(),
        opens_at: Some(TIME),
        closes_at: None,
        hold_ttl_s: 600,
        per_order_max: Some(4),
        per_buyer_max: None,
        per_buyer_day_max: Some(8),
    }
}

fn item_terms() -> ItemTerms {
    ItemTerms {
        code: Slug::new("ga").unwrap(),
        name: "General admission".into(),
        unit_price: 6_000,
        per_order_max: None,
        per_buyer_max: Some(2),
    }
}

fn levels() -> Levels {
    Levels { stock: 10, free: 1, held: 2, paid: 3, withdrawn: 4 }
}

fn held(lines: Vec<Line>) -> Fact {
    let lines = Lines::new(lines).unwrap();
    Fact::OrderHeld { order: order(), sale: SALE, buyer: buyer(), key: KEY, hold_ttl_s: 600, lines }
}

fn facts() -> Vec<Fact> {
    let (order, payment, amount) = (order(), payment(), Amount(12_000));
    vec![
        Fact::TermStarted { term: Term(0x0506_0708) },
        Fact::SaleCreated { sale: SALE, slug: Slug::new("concert").unwrap(), terms: sale_terms().into() },
        Fact::SaleEdited { sale: SALE, terms: sale_terms().into() },
        Fact::ItemAdded { sale: SALE, item: ITEM, terms: item_terms().into(), stock: 2_000 },
        Fact::ItemEdited { sale: SALE, item: ITEM, terms: item_terms().into() },
        Fact::SaleMoved { sale: SALE, to: SaleStatus::Open, cause: Cause::Organiser },
        Fact::StockChanged { sale: SALE, item: ITEM, change: -2, key: Some(KEY) },
        held(vec![line(1)]),
        held(vec![line(1), line(2)]),
        Fact::HoldExtended { order, key: KEY, expires_at: TIME },
        Fact::OrderCancelled { order, by_organiser: true },
        Fact::OrderExpired { order },
        Fact::OrderPaid { order, payment, amount },
        Fact::PaymentFailed { order, payment },
        Fact::PaymentUnmatched { order, payment, amount, cause: RefundCause::StockTaken },
        Fact::PaymentSurplus { order, payment, amount },
        Fact::SurplusReturned { order, payment },
        Fact::RefundStarted { order, restock: true },
        Fact::OrderRefunded { order },
        Fact::RefundFailed { order },
    ]
}

fn entries() -> Vec<Entry> {
    let order_entry = OrderEntry {
        order: order(),
        sale: SALE,
        buyer: buyer(),
        key: KEY,
        hold_ttl_s: 600,
        lines: Lines::new(vec![line(1), line(2)]).unwrap(),
        state: OrderState::Refunding,
        held_seq: Seq(7),
        changed_seq: Seq(9),
        extension: Some(Extension { key: KEY, seq: Seq(8), expires_at: TIME }),
        payments_failed: 1,
        payment: Some(payment()),
        refund_cause: Some(RefundCause::Organiser),
        has_units: true,
        restock: false,
    };
    let turnover = Turnover { taken: 9, cancelled: 1, expired: 2, refunded: 1 };
    vec![
        Entry::Head(Head {
            shard: ShardId::new(3).unwrap(),
            seq: Seq(9),
            last_order: Some(order()),
            sale_count: 1,
            order_count: 1,
        }),
        Entry::Sale(SaleEntry {
            sale: SALE,
            slug: Slug::new("concert").unwrap(),
            terms: sale_terms(),
            status: SaleStatus::Paused,
            money_taken: Amount(24_000),
            money_returned: Amount(12_000),
        }),
        Entry::Item(ItemEntry { sale: SALE, item: ITEM, terms: item_terms(), levels: levels(), turnover }),
        Entry::StockKey {
            key: KEY,
            receipt: StockReceipt { sale: SALE, item: ITEM, change: 5, levels: levels(), seq: Seq(6) },
        },
        Entry::Order(order_entry),
        Entry::Surplus {
            order: order(),
            surplus: Surplus { payment: payment(), amount: Amount(12_000), returned: true },
        },
    ]
}

/// The text of a sample: what it is, then its bytes, sixteen in a line.
fn sample(kind: u8, value: &str, payload: &[u8]) -> String {
    let name = kinds::name(kind).unwrap();
    let mut text = format!("# kind {kind} {name}, {} bytes\n# {value}\n", payload.len());
    for line in payload.chunks(16) {
        let bytes: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(text, "{}", bytes.join(" ")).unwrap();
    }
    text
}

fn payload_of(sample: &str) -> Vec<u8> {
    let lines = sample.lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(str::split_whitespace).map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

fn path(kind: u8) -> PathBuf {
    let name = kinds::name(kind).unwrap();
    PathBuf::from(format!("{}/golden/v1/{kind:03}-{name}.hex", env!("CARGO_MANIFEST_DIR")))
}

/// The stored sample of a kind; compared as a whole, so that a changed value is noticed as well.
fn check(kind: u8, value: &str, payload: &[u8]) -> Vec<u8> {
    let (path, written) = (path(kind), sample(kind, value, payload));
    if std::env::var_os("GOLDEN_WRITE").is_some() && !path.exists() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &written).unwrap();
    }
    let stored = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(stored, written, "{}", path.display());
    payload_of(&stored)
}

#[test]
fn every_kind_of_fact_is_written_and_read_as_ever() {
    let mut kinds_seen = Vec::new();
    for fact in facts() {
        let mut payload = Vec::new();
        let kind = codec::encode(&fact, &mut payload);
        let stored = check(kind, &format!("{fact:?}"), &payload);
        assert_eq!(codec::decode(kind, &stored), Ok(fact));
        kinds_seen.push(kind);
    }
    assert_eq!(kinds_seen, kinds::FACTS.map(|(kind, _)| kind));
}

#[test]
fn every_kind_of_entry_is_written_and_read_as_ever() {
    let mut kinds_seen = Vec::new();
    for entry in entries() {
        let mut payload = Vec::new();
        let kind = codec::encode_entry(&entry, &mut payload);
        let stored = check(kind, &format!("{entry:?}"), &payload);
        assert_eq!(codec::decode_entry(kind, &stored), Ok(entry));
        kinds_seen.push(kind);
    }
    assert_eq!(kinds_seen, kinds::ENTRIES.map(|(kind, _)| kind));
}

#[test]
fn no_sample_is_of_a_forgotten_kind() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/v1");
    let known: Vec<PathBuf> =
        kinds::FACTS.iter().chain(&kinds::ENTRIES).map(|(kind, _)| path(*kind)).collect();
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        assert!(known.contains(&file), "{} has no kind in the registry", file.display());
    }
}

#[test]
fn hot_facts_fit_in_one_cache_line_with_their_record_header() {
    const RECORD_HEADER_SIZE_BYTES: usize = 20;
    for fact in facts() {
        let mut payload = Vec::new();
        match codec::encode(&fact, &mut payload) {
            kinds::ORDER_HELD => assert_eq!(payload.len(), codec::ORDER_HELD_SIZE_BYTES),
            kinds::ORDER_PAID | kinds::ORDER_EXPIRED | kinds::ORDER_CANCELLED => {
                assert!(payload.len() + RECORD_HEADER_SIZE_BYTES <= 64, "{fact:?}: {}", payload.len());
            }
            _ => {}
        }
    }
}
