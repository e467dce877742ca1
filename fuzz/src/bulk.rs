//! Orders in bulk: JSON lines of any bytes against a slow reading of them, the binary form of any bytes, and orders
//! that are written in both forms, which must ask for the same.

use bytes::Bytes;
use domain::{BuyerId, ItemIndex, KeyDigest, OrderWanted, Wish, Wishes, limits};
use http::{HeaderValue, Request};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::oracle;
use crate::source::Source;
use crate::world::{self, Answered, INTEGRATOR_KEY, ITEMS, World};

const LINES: &str = "application/jsonl";
const RECORDS: &str = "application/vnd.onrush.batch";
const ANSWER_HEAD_SIZE_BYTES: usize = 56;
const ANSWER_SIZE_BYTES: usize = 48;

/// The first byte says which.
pub fn run(input: &[u8]) {
    let mut source = Source(input);
    let shape = source.u8();
    world::with(|world| match shape % 3 {
        0 => check_lines(world, source.0),
        1 => check_records(world, source.0),
        _ => check_both(world, source),
    });
}

/// The answer to a batch, and the orders that the shop was asked for, if it was.
fn place(world: &World, media: &'static str, body: &[u8]) -> (Answered, Option<Vec<OrderWanted>>) {
    let mut request = Request::post("/v1/orders:batch?sale=concert")
        .body(Full::new(Bytes::copy_from_slice(body)))
        .expect("an address is one");
    let key = HeaderValue::from_str(&format!("Bearer {INTEGRATOR_KEY}")).expect("a key is ASCII");
    request.headers_mut().insert("authorization", key);
    request.headers_mut().insert("content-type", HeaderValue::from_static(media));
    let (answer, bulk) = world.respond_in_bulk(request);
    (answer, bulk.map(|bulk| bulk.orders))
}

fn check_lines(world: &World, body: &[u8]) {
    let (answer, asked) = place(world, LINES, body);
    let mut lines: Vec<&[u8]> = body.split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    if answer.status() == 200 {
        let expected: Option<Vec<OrderWanted>> = lines.iter().map(|line| order(line)).collect();
        let expected = expected.unwrap_or_else(|| panic!("taken: {}", String::from_utf8_lossy(body)));
        if let Some(asked) = asked {
            assert_eq!(asked, expected);
        }
        let answers: Vec<&[u8]> = answer.body().split_inclusive(|byte| *byte == b'\n').collect();
        assert_eq!(answers.len(), lines.len());
        for line in answers {
            let line: Value = serde_json::from_slice(line).expect("an answer is a line of JSON");
            assert_eq!(line["status"] == 201, line.get("order").is_some(), "{line}");
        }
        return;
    }
    assert_eq!(asked, None, "a batch with a wrong line asks for nothing");
    let problem: Value = serde_json::from_slice(answer.body()).expect("a problem is JSON");
    let Some(number) = problem["line"].as_u64().and_then(|number| usize::try_from(number).ok()) else {
        return oracle::check_answer(&answer, body);
    };
    oracle::check_answer(&answer, lines[number - 1]);
    assert_eq!(order(lines[number - 1]), None, "line {number} is right: {problem}");
    assert!(lines[..number - 1].iter().all(|line| order(line).is_some()), "an earlier line is wrong");
}

/// An order as `serde_json` reads its line.
fn order(line: &[u8]) -> Option<OrderWanted> {
    let mut value: Value = serde_json::from_slice(line).ok()?;
    let members = value.as_object_mut()?;
    let (buyer, key) = (members.remove("buyer")?, members.remove("key")?);
    let text = |value: Value, size_bytes_max: usize| match value {
        Value::String(text) if (1..=size_bytes_max).contains(&text.len()) => Some(text),
        _ => None,
    };
    let buyer = text(buyer, limits::LABEL_SIZE_BYTES_MAX)?;
    let key = text(key, limits::KEY_SIZE_BYTES_MAX)?;
    let is_visible = key.chars().all(|letter| (' '..='~').contains(&letter));
    let wish = |(item, quantity): (String, u16)| {
        let index = (0..).zip(ITEMS).find(|(_, code)| *code == item).map(|(index, _)| ItemIndex(index));
        Wish { item: index.unwrap_or(ItemIndex::UNKNOWN), quantity }
    };
    let wishes = oracle::lines(value.to_string().as_bytes())?.into_iter().map(wish).collect();
    let wishes = Wishes::new(wishes).ok().filter(|_| is_visible)?;
    Some(OrderWanted { buyer: BuyerId::from_text(&buyer), key: KeyDigest::from_text(&key), wishes })
}

fn check_records(world: &World, body: &[u8]) {
    let (answer, asked) = place(world, RECORDS, body);
    if answer.status() != 200 {
        assert_eq!(asked, None, "a batch that is malformed asks for nothing");
        return oracle::check_answer(&answer, body);
    }
    let count = u32::from_le_bytes(body[8..12].try_into().expect("four bytes"));
    let count = usize::try_from(count).expect("it was taken");
    assert_eq!(answer.body().len(), ANSWER_HEAD_SIZE_BYTES + count * ANSWER_SIZE_BYTES);
    assert!(asked.is_none_or(|asked| asked.len() == count));
}

/// Few orders with short texts, written in both forms.
fn check_both(world: &World, mut source: Source<'_>) {
    const CODES: [&str; 4] = ["vip", "nothing", "general", "gone"];
    let (mut lines, mut records, mut count) = (String::new(), Vec::new(), 0_u32);
    while !source.is_empty() && count < 40 {
        let (buyer, key) = (name(&mut source), name(&mut source));
        let (first, len) = (u16::from(source.u8() % 4), u16::from(source.u8() % 4 + 1));
        let wishes: Vec<(u16, u16)> =
            (0..len).map(|at| ((first + at) % 4, source.u16() % limits::LINE_QUANTITY_MAX + 1)).collect();
        let line =
            |(item, quantity): &(u16, u16)| json!({"item": CODES[usize::from(*item)], "quantity": quantity});
        let order_lines: Vec<Value> = wishes.iter().map(line).collect();
        lines += &format!("{}\n", json!({"buyer": buyer, "key": key, "lines": order_lines}));
        records.extend_from_slice(BuyerId::from_text(&buyer).0.as_bytes());
        records.extend_from_slice(&KeyDigest::from_text(&key).0.to_le_bytes());
        records.extend_from_slice(&len.to_le_bytes());
        records.extend_from_slice(&[0; 2]);
        for (item, quantity) in wishes {
            records.extend_from_slice(&item.to_le_bytes());
            records.extend_from_slice(&quantity.to_le_bytes());
        }
        count += 1;
    }
    let mut body = b"ONRB\x01\x00\x04\x00".to_vec();
    body.extend_from_slice(&count.to_le_bytes());
    for code in CODES {
        body.push(u8::try_from(code.len()).expect("a short code"));
        body.extend_from_slice(code.as_bytes());
    }
    body.extend_from_slice(&records);
    let (by_lines, asked) = place(world, LINES, lines.as_bytes());
    let (by_records, asked_by_records) = place(world, RECORDS, &body);
    assert_eq!(by_lines.status(), by_records.status(), "{by_lines:?}");
    assert_eq!(asked, asked_by_records);
    if count == 0 {
        return;
    }
    let lines = by_lines.body().split_inclusive(|byte| *byte == b'\n');
    let records = by_records.body()[ANSWER_HEAD_SIZE_BYTES..].chunks(ANSWER_SIZE_BYTES);
    assert_eq!(lines.clone().count(), records.len());
    for (line, record) in lines.zip(records) {
        let line: Value = serde_json::from_slice(line).expect("an answer is a line of JSON");
        assert_eq!(line["status"], u16::from_le_bytes([record[0], record[1]]));
        let code = line["order"].as_str().map_or(&[0; 16][..], str::as_bytes);
        assert_eq!(code, &record[8..24], "{line}");
    }
}

/// A name of 1 to 32 letters.
fn name(source: &mut Source<'_>) -> String {
    let len = usize::from(source.u8() % 32 + 1);
    let letters = source.take(len).iter().map(|byte| char::from(b'a' + byte % 26));
    let name: String = letters.collect();
    if name.is_empty() { "a".into() } else { name }
}
