//! Orders in bulk: the same as single ones, some taken and some not, repeated, and cut off in the middle.

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use domain::{BuyerId, KeyDigest};
use serde_json::{Value, json};

use super::support::http::{Ask, Reply};
use super::support::onrush::{run, run_well};
use super::support::sale::{Shop, Units, definition};
use super::support::server::{House, Server, verified};

/// A house with a key of an integrator's, which counts from the next start on.
fn house_with_key() -> (House, String) {
    let house = House::new();
    house.serve(&[]).stop();
    let data = house.data().display().to_string();
    let key = run_well(&["key", "create", "--role", "integrator", "--data", &data]);
    (house, key.trim().to_owned())
}

/// An order of a batch: buyer, key, item, quantity.
type Wanted<'a> = (&'a str, &'a str, &'a str, u32);

fn lines_of(wanted: &[Wanted<'_>]) -> String {
    let line = |(buyer, key, item, quantity): &Wanted<'_>| {
        let order = json!({"buyer": buyer, "key": key, "lines": [{"item": item, "quantity": quantity}]});
        format!("{order}\n")
    };
    wanted.iter().map(line).collect()
}

fn batch(key: &str, body: &str) -> Ask {
    let ask = Ask::post("/v1/orders:batch?sale=gig").bearer(key);
    ask.header("Content-Type", "application/jsonl").body(body.as_bytes())
}

#[track_caller]
fn answers(reply: Reply) -> Vec<Value> {
    let reply = reply.expect(200);
    reply.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What of an answer does not depend on when it was asked for, and on the house's secrets.
fn lasting(mut answer: Value) -> Value {
    let members = answer.as_object_mut().unwrap();
    members.remove("expires_at");
    members.remove("order");
    answer
}

/// The journal's facts about orders, but for what differs from house to house: times, codes, and what came before. The
/// orders are numbered as they come.
fn facts(house: &House) -> Vec<Value> {
    let dump = run_well(&["journal", "dump", &house.data().display().to_string()]);
    let mut numbers = HashMap::new();
    let mut fact = |line: &str| {
        let mut fact: Value = serde_json::from_str(line).unwrap();
        let members = fact.as_object_mut().unwrap();
        let next = numbers.len();
        let order = members.get("order")?.to_string();
        members.insert("order".into(), json!(*numbers.entry(order).or_insert(next)));
        members.retain(|name, _| !["seq", "term", "time", "code"].contains(&name.as_str()));
        Some(fact)
    };
    dump.lines().filter_map(&mut fact).collect()
}

fn limited() -> Value {
    let mut body = definition("gig", 6, 600);
    body["limits"] = json!({"per_order": 3, "per_buyer": 4});
    body
}

// covers: I2, I3
#[test]
fn batch_is_its_orders_one_after_the_other() {
    let wanted: [Wanted<'_>; 9] = [
        ("ada", "1", "ga", 2),
        ("ada", "1", "ga", 2),
        ("ada", "1", "ga", 1),
        ("ada", "2", "ga", 3),
        ("ada", "3", "nothing", 1),
        ("ada", "4", "ga", 4),
        ("bob of a name of over 15 bytes", "1", "ga", 3),
        ("eve", "1", "ga", 2),
        ("eve", "1", "ga", 1),
    ];
    let alone = House::new();
    let server = alone.serve(&[]);
    let shop = Shop::open(&alone, &server, ("gig", &limited()));
    let by_one: Vec<Value> = wanted
        .iter()
        .map(|(buyer, key, item, quantity)| {
            let body = json!({"lines": [{"item": item, "quantity": quantity}]});
            let reply = server.ask(&shop.order(&alone.token(buyer), (key, &body)));
            let mut answer = reply.json();
            answer["status"] = json!(reply.status);
            lasting(answer)
        })
        .collect();
    server.stop();

    let (together, key) = house_with_key();
    let server = together.serve(&[]);
    Shop::open(&together, &server, ("gig", &limited()));
    let in_bulk: Vec<Value> =
        answers(server.ask(&batch(&key, &lines_of(&wanted)))).into_iter().map(lasting).collect();
    server.stop();
    // The journal has one term's beginning more.
    let of_order = |answer: &Value| answer.get("seq").and_then(Value::as_u64);
    let (first, later) = (of_order(&by_one[0]).unwrap(), of_order(&in_bulk[0]).unwrap());
    for (mut one, mut bulk) in by_one.into_iter().zip(in_bulk) {
        for (answer, base) in [(&mut one, first), (&mut bulk, later)] {
            if let Some(seq) = of_order(answer) {
                answer["seq"] = json!(seq - base);
            }
        }
        assert_eq!(one, bulk);
    }
    let placed = facts(&alone);
    assert_eq!(placed.len(), 3, "{placed:?}");
    assert_eq!(placed, facts(&together));
    verified(&together.data());
}

#[test]
fn batch_again_brings_the_same_answers_and_every_order_a_receipt() {
    let (house, key) = house_with_key();
    let server = house.serve(&[]);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 10_000, 600)));
    let body: String = (0..8_190).map(|n| lines_of(&[(&format!("buyer {n}"), "k", "ga", 1)])).collect();
    let first = server.ask(&batch(&key, &body)).expect(200);
    let again = server.ask(&batch(&key, &body)).expect(200);
    assert!(first.body == again.body, "the same batch, the same answers");
    assert_eq!(shop.stock().0, Units { stock: 10_000, free: 1_810, held: 8_190, ..Units::default() });
    let template = first.header("onrush-receipt-template").unwrap().to_owned();
    let orders = answers(first);
    assert_eq!(orders.len(), 8_190);
    // A buyer has the very order that was placed in bulk, and its key.
    let token = house.token("buyer 4711");
    let alone = shop.buy(&token, ("k", 1)).expect(201).json();
    assert_eq!(alone["order"], orders[4_711]["order"]);
    for order in [&orders[0], &orders[4_711], &orders[8_189]] {
        let receipt = template.replace("{order}", order["order"].as_str().unwrap());
        let receipt = receipt.replace("{seq}", &order["seq"].to_string());
        run_well(&["verify", &receipt, &house.data().display().to_string()]);
        let wrong = receipt.replace("r1-0-", "r1-0-0");
        assert!(!run(&["verify", &wrong, &house.data().display().to_string()]).status.success());
    }
    let too_long = format!("{body}{}", lines_of(&[("a", "k", "ga", 1)]));
    assert_eq!(server.ask(&batch(&key, &too_long)).expect(413).code(), "batch_too_long");
    server.stop();
    verified(&house.data());
}

#[test]
fn records_are_placed_as_lines_are() {
    let (house, key) = house_with_key();
    let server = house.serve(&[]);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 1, 600)));
    let mut body = b"ONRB\x01\0\x01\0\x02\0\0\0\x02ga".to_vec();
    for buyer in ["ada", "bob"] {
        body.extend_from_slice(BuyerId::from_text(buyer).0.as_bytes());
        body.extend_from_slice(&KeyDigest::from_text("k").0.to_le_bytes());
        body.extend_from_slice(&[1, 0, 0, 0, 0, 0, 1, 0]);
    }
    let ask = Ask::post("/v1/orders:batch?sale=gig").bearer(&key).header("Connection", "close");
    let ask = ask.header("Content-Type", "application/vnd.onrush.batch").body(&body);
    let mut connection = server.connect();
    connection.send(&[ask.head(), body].concat()).unwrap();
    let answer = connection.rest().unwrap();
    let at = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let (head, records) = answer[at..].split_at(56);
    assert_eq!((&head[..6], records.len()), (&b"ONRA\x01\0"[..], 96), "{}", String::from_utf8_lossy(&answer));
    let status = |record: &[u8]| u16::from_le_bytes([record[0], record[1]]);
    assert_eq!((status(records), status(&records[48..])), (201, 409));
    let alone = shop.buy(&house.token("ada"), ("k", 1)).expect(201).json();
    assert_eq!(alone["order"].as_str().unwrap().as_bytes(), &records[8..24]);
    server.stop();
}

#[test]
fn batch_that_can_never_come_in_is_told_so() {
    let (house, key) = house_with_key();
    let server = house.serve(&["inbox_len_max=64"]);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 100, 600)));
    let body = |count| (0..count).map(|n| lines_of(&[(&format!("b{n}"), "k", "ga", 1)])).collect::<String>();
    let refused = server.ask(&batch(&key, &body(57))).expect(413);
    assert_eq!((refused.code().as_str(), &refused.json()["limit"]), ("batch_too_long", &json!(56)));
    assert_eq!(shop.stock().0.held, 0, "and nothing happened");
    assert_eq!(answers(server.ask(&batch(&key, &body(56)))).len(), 56);
    server.stop();
}

/// The order of the batch and where the server was when it died do not matter: the same batch again, and each order is
/// there once.
// covers: I5
#[test]
fn batch_that_was_cut_off_by_a_crash_is_completed_by_repeating_it() {
    const COUNT: u64 = 8_190;
    let (house, key) = house_with_key();
    let mut server: Server = house.serve(&[]);
    Shop::open(&house, &server, ("gig", &definition("gig", 100_000, 3_600)));
    for (round, delay_ms) in (1..).zip([1, 3, 6, 10, 20]) {
        let body: String =
            (0..COUNT).map(|n| lines_of(&[(&format!("b{round}-{n}"), "k", "ga", 1)])).collect();
        let asked = {
            let (ask, mut connection) = (batch(&key, &body), server.connect());
            thread::spawn(move || connection.ask(&ask))
        };
        // Not a wait for something: wherever the server is after it, it has to be right.
        thread::sleep(Duration::from_millis(delay_ms));
        server.kill();
        let answered = asked.join().unwrap();
        server = house.serve(&[]);
        let shop = Shop { server: &server, admin_key: house.admin_key(), sale: "gig" };
        let known = shop.stock().0.held;
        assert!(known >= (round - 1) * COUNT && known <= round * COUNT, "{known} held in round {round}");
        let again = server.ask(&batch(&key, &body)).expect(200);
        if let Ok(reply) = answered {
            assert_eq!(known, round * COUNT, "what was answered is durable");
            assert!(reply.body == again.body);
        }
        assert!(answers(again).iter().all(|answer| answer["status"] == 201));
        assert_eq!(shop.stock().0.held, round * COUNT, "each order once");
    }
    server.stop();
    verified(&house.data());
}
