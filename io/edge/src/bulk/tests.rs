//! Both forms against each other, and the usual line against the slow way.

use std::num::NonZeroU16;

use domain::{
    BuyerId, Currency, ItemTerms, KeyDigest, Levels, SaleId, SaleStatus, SaleTerms, Seq, Slug, TermsFault,
    Wish,
};
use serde_json::Value;
use views::SalePublished;

use super::*;

/// So many items, of which the first two are `ga` and `vip`.
fn sale(status: SaleStatus, free: u32) -> (Catalog, Arc<SaleEntry>) {
    let catalog = Catalog::new(NonZeroU16::MIN, 12);
    let item = |code| ItemTerms::new(Slug::new(code).unwrap(), "An item", 500);
    catalog.put_sale(SalePublished {
        shard: ShardId::FIRST,
        sale: SaleId(0),
        slug: Slug::new("a").unwrap(),
        terms: SaleTerms::new("A sale", Currency::new("EUR").unwrap(), 600),
        status,
        items: ["ga", "vip"].map(item).to_vec(),
        levels: vec![Levels { stock: free, free, ..Levels::default() }; 2],
        seq: Seq(1),
    });
    let entry = catalog.sale("a").unwrap();
    (catalog, entry)
}

fn open_sale() -> Arc<SaleEntry> {
    sale(SaleStatus::Open, 1_000).1
}

fn code_of(problem: Problem) -> (String, Option<u64>) {
    let mut out = Vec::new();
    problem.push(&mut out);
    let body: Value = serde_json::from_slice(&out).unwrap();
    (body["code"].as_str().unwrap().to_owned(), body["line"].as_u64())
}

async fn read_all(form: Form, body: &[u8]) -> Result<Wanted, (String, Option<u64>)> {
    read(form, body, &open_sale(), 3).await.map_err(code_of)
}

async fn read_one(line: &str) -> Result<OrderWanted, String> {
    let mut wanted = read_all(Form::Lines, line.as_bytes()).await.map_err(|(code, _)| code)?;
    assert_eq!(wanted.orders.len(), 1);
    Ok(wanted.orders.pop().unwrap())
}

fn order(buyer: &str, key: &str, lines: &[(u16, u16)]) -> OrderWanted {
    let wish = |(item, quantity): &(u16, u16)| Wish { item: domain::ItemIndex(*item), quantity: *quantity };
    let wishes = domain::Wishes::new(lines.iter().map(wish).collect()).unwrap();
    OrderWanted { buyer: BuyerId::from_text(buyer), key: KeyDigest::from_text(key), wishes }
}

const LONG_NAME: &str = "a name of more than fifteen bytes";

#[tokio::test]
async fn every_way_of_writing_a_line_is_the_same_order() {
    let lines = [
        r#"{"buyer":"BUYER","key":"k 1","lines":[{"item":"vip","quantity":2},{"item":"ga","quantity":10000}]}"#,
        r#"{"buyer": "BUYER", "key": "k 1", "lines": [{"item": "vip", "quantity": 2}, {"item": "ga", "quantity": 10000}]}"#,
        r#" { "lines":[{"quantity":2,"item":"vip"},{"item":"\u0067a","quantity":10000}],"key":"k\u00201","buyer":"BUYER"}"#,
    ];
    for buyer in ["bob", LONG_NAME] {
        for line in lines {
            for end in ["", "\n", "\r\n"] {
                let line = line.replace("BUYER", buyer) + end;
                assert_eq!(read_one(&line).await, Ok(order(buyer, "k 1", &[(0, 10_000), (1, 2)])), "{line}");
            }
        }
    }
    let one = order("Zoë", "k", &[(0, 1)]);
    let line = r#"{"buyer":"Zoë","key":"k","lines":[{"item":"ga","quantity":1}]}"#;
    assert_eq!(read_one(line).await, Ok(one));
}

/// What the scan takes, the slow way takes too, and says the same of it.
#[test]
fn scan_takes_nothing_that_is_wrong() {
    let sale = open_sale();
    let good =
        r#"{"buyer":"bob","key":"k","lines":[{"item":"ga","quantity":12},{"item":"vip","quantity":1}]}"#;
    let scanned = |line: &[u8]| crate::json::scan::bulk_line(line, |code| sale.front().item(code));
    assert!(scanned(good.as_bytes()).is_some());
    let mut taken_count = 0;
    for at in 0..good.len() {
        for byte in 0..=u8::MAX {
            let mut line = good.as_bytes().to_vec();
            line[at] = byte;
            let Some((order, size_bytes)) = scanned(&line) else { continue };
            // Bytes that stand for the end of the line leave the rest to the next one.
            let slowly = lines::read_slowly(&line[..size_bytes], &sale.front()).map_err(code_of);
            assert_eq!(slowly.unwrap(), (order, None), "{}", String::from_utf8_lossy(&line));
            taken_count += 1;
        }
        assert!(scanned(&good.as_bytes()[..at]).is_none(), "{at} bytes");
    }
    // Each byte as it is, and what may stand in the two texts and the two numbers.
    assert!((400..600).contains(&taken_count), "{taken_count}");
}

#[tokio::test]
async fn wrong_line_is_named_and_nothing_is_read_behind_it() {
    let good = r#"{"buyer":"bob","key":"k","lines":[{"item":"ga","quantity":1}]}"#;
    let wrong = |line: &str| format!("{good}\n{line}\n{good}\n");
    let cases = [
        ("", "json_malformed"),
        ("{", "json_malformed"),
        ("[]", "fields_invalid"),
        (r#"{"buyer":"bob","key":"k","lines":[]}"#, "fields_invalid"),
        (r#"{"buyer":"bob","key":"k\n","lines":[{"item":"ga","quantity":1}]}"#, "fields_invalid"),
        (r#"{"buyer":"bob","key":"","lines":[{"item":"ga","quantity":1}]}"#, "fields_invalid"),
        (r#"{"buyer":"bob","key":"k","lines":[{"item":"ga","quantity":10001}]}"#, "fields_invalid"),
        (
            r#"{"buyer":"bob","key":"k","lines":[{"item":"ga","quantity":1},{"item":"ga","quantity":1}]}"#,
            "fields_invalid",
        ),
    ];
    for (line, code) in cases {
        let read = read_all(Form::Lines, wrong(line).as_bytes()).await.map(|_| ());
        assert_eq!(read, Err((code.to_owned(), Some(2))), "{line}");
    }
    assert_eq!(read_all(Form::Lines, b"").await.unwrap_err().0, "batch_empty");
    let four = [good; 4].join("\n");
    assert_eq!(read_all(Form::Lines, four.as_bytes()).await.unwrap_err().0, "batch_too_long");
    assert!(read_all(Form::Lines, &four.as_bytes()[good.len() + 1..]).await.is_ok());
}

/// Buyer, key, and for each line the item's position and the quantity.
type Record<'a> = (&'a str, &'a str, &'a [(u16, u16)]);

/// The binary form as `docs/formats/batch.md` says it.
fn records(codes: &[&str], orders: &[Record<'_>]) -> Vec<u8> {
    let mut out = b"ONRB\x01\x00".to_vec();
    out.extend_from_slice(&u16::try_from(codes.len()).unwrap().to_le_bytes());
    out.extend_from_slice(&u32::try_from(orders.len()).unwrap().to_le_bytes());
    for code in codes {
        out.push(u8::try_from(code.len()).unwrap());
        out.extend_from_slice(code.as_bytes());
    }
    for (buyer, key, lines) in orders {
        out.extend_from_slice(BuyerId::from_text(buyer).0.as_bytes());
        out.extend_from_slice(&KeyDigest::from_text(key).0.to_le_bytes());
        out.extend_from_slice(&u16::try_from(lines.len()).unwrap().to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        for (item, quantity) in *lines {
            out.extend_from_slice(&item.to_le_bytes());
            out.extend_from_slice(&quantity.to_le_bytes());
        }
    }
    out
}

#[tokio::test]
async fn records_are_the_same_orders_as_lines() {
    let lines = [
        r#"{"buyer":"bob","key":"k","lines":[{"item":"vip","quantity":3}]}"#.to_owned(),
        format!(
            r#"{{"buyer":"{LONG_NAME}","key":"k","lines":[{{"item":"ga","quantity":1}},{{"item":"none","quantity":2}}]}}"#
        ),
        r#"{"buyer":"zoe","key":"k","lines":[{"item":"other","quantity":1}]}"#.to_owned(),
    ];
    let body = records(
        &["other", "vip", "none", "ga"],
        &[("bob", "k", &[(1, 3)]), (LONG_NAME, "k", &[(3, 1), (2, 2)]), ("zoe", "k", &[(0, 1)])],
    );
    let by_lines = read_all(Form::Lines, lines.join("\n").as_bytes()).await.unwrap();
    let by_records = read_all(Form::Records, &body).await.unwrap();
    assert_eq!(by_records.orders, by_lines.orders);
    for (order, code) in [(0, None), (1, Some("none")), (2, Some("other"))] {
        assert_eq!((by_lines.unknown.of(order), by_records.unknown.of(order)), (code, code));
    }
}

#[tokio::test]
async fn records_that_are_wrong_are_refused() {
    let good = records(&["ga", "vip"], &[("bob", "k", &[(0, 1)]), ("eve", "k", &[(1, 2), (0, 1)])]);
    assert_eq!(read_all(Form::Records, &good).await.unwrap().orders.len(), 2);
    let malformed = |body: Vec<u8>| async move { read_all(Form::Records, &body).await.map(|_| ()) };
    for end in 0..good.len() {
        assert_eq!(malformed(good[..end].to_vec()).await.unwrap_err().0, "batch_malformed", "{end} bytes");
    }
    let longer = [&good[..], b"x"].concat();
    assert_eq!(malformed(longer).await.unwrap_err().0, "batch_malformed");
    // Where the first order begins, and what is changed there.
    let first = 12 + 3 + 4;
    for (at, byte) in [(0, b'X'), (4, 2), (6, 0), (12, 200), (13, b' '), (first, 0), (first, 16)] {
        let mut body = good.clone();
        body[at] = byte;
        assert_eq!(malformed(body).await.unwrap_err().0, "batch_malformed", "{byte} at {at}");
    }
    for (at, byte) in [(first + 24, 0), (first + 24, 17), (first + 26, 1), (first + 28, 2), (first + 30, 0)] {
        let mut body = good.clone();
        body[at] = byte;
        assert_eq!(malformed(body).await, Err(("batch_malformed".into(), Some(1))), "{byte} at {at}");
    }
    let twice = records(&["ga", "ga"], &[("bob", "k", &[(0, 1), (1, 1)])]);
    assert_eq!(malformed(twice).await, Err(("batch_malformed".into(), Some(1))));
    let one: Record<'_> = ("bob", "k", &[(0, 1)]);
    assert_eq!(malformed(records(&["ga"], &[])).await.unwrap_err().0, "batch_empty");
    assert_eq!(malformed(records(&["ga"], &[one; 4])).await.unwrap_err().0, "batch_too_long");
}

#[tokio::test]
async fn every_refusal_of_an_order_is_in_both_forms() {
    let sale = open_sale();
    let wish = Wish { item: domain::ItemIndex(1), quantity: 3 };
    let refusals = [
        Refusal::IdempotencyKeyReused,
        Refusal::SaleNotFound,
        Refusal::SaleNotOpen { opens_at: Some(UnixMs(7)) },
        Refusal::SalePaused,
        Refusal::SaleClosed,
        Refusal::ItemNotFound { item: domain::ItemIndex::UNKNOWN },
        Refusal::QuantityOutOfRange { item: None, quantity_max: 4 },
        Refusal::BuyerLimitReached { item: None, per_day: false, limit: 5, taken: 5 },
        Refusal::StockExhausted { wish, left: 2 },
        Refusal::CapacityExhausted { limit: "ORDER_COUNT_MAX" },
        Refusal::TermsInvalid(TermsFault::ItemCount),
    ];
    let outcomes: Vec<_> = refusals.into_iter().flat_map(|refusal| [Err(refusal), Err(refusal)]).collect();
    let decided = BulkDecided { outcomes, tip: Tip { seq: Seq(9), chain: [3; 32] } };
    let unknown = Unknown::default();
    let codec = OrderCodec::new([7; 16]);
    let with = || Answering { codec: &codec, sale: &sale, unknown: &unknown };
    let lines = answer(Form::Lines, &decided, with()).await;
    let records = answer(Form::Records, &decided, with()).await;
    let (head, records) = records.split_at(56);
    let expected: Vec<u8> =
        [&b"ONRA\x01\x00\x00\x00\x16\x00\x00\x00\0\0\0\0\x09\0\0\0\0\0\0\0"[..], &[3; 32]].concat();
    assert_eq!(head, expected);
    let lines: Vec<Value> = lines
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!((lines.len(), records.len()), (22, 22 * 48));
    let numbers = [0, 0, 0, 0, 0, 0, 4, 5, 2, 0, 0];
    for (at, record) in records.chunks(48).enumerate() {
        let u16_at = |at: usize| u16::from_le_bytes([record[at], record[at + 1]]);
        assert_eq!(lines[at]["code"], refusals[at / 2].code());
        assert_eq!(lines[at]["status"], u16_at(0));
        let reason = if at / 2 < 10 { u16::try_from(at / 2 + 1).unwrap() } else { u16::MAX };
        assert_eq!((u16_at(2), record[4]), (reason, numbers[at / 2]));
        assert_eq!(record[32], if at / 2 == 2 { 7 } else { 0 }, "when it opens");
    }
}

#[test]
fn refusals_are_foreseen_for_all_or_for_none() {
    let now = UnixMs(UnixMs::EPOCH.0 + 1);
    let orders = [order("a", "k", &[(0, 1)]), order("b", "k", &[(1, 1)])];
    let foreseen = |(catalog, sale): &(Catalog, Arc<SaleEntry>)| {
        foresee_refusals(catalog, sale, now, &orders).map(|all| all.len())
    };
    assert_eq!(foreseen(&sale(SaleStatus::Open, 10)), None);
    assert_eq!(foreseen(&sale(SaleStatus::Paused, 10)), Some(2));
    let sold_out = sale(SaleStatus::Open, 0);
    assert_eq!(foreseen(&sold_out), Some(2));
    sold_out.0.key_writer(ShardId::FIRST).insert([(orders[1].buyer, orders[1].key)]);
    assert_eq!(foreseen(&sold_out), None, "one of the keys is known: the writer has to be asked");
}
