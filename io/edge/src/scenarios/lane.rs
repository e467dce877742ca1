//! The fast lane: many requests at once, requests in pieces, and the way over to hyper.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::fake::{START, Trouble};
use super::run::{World, token};
use crate::config::Config;
use crate::conn::watch::Phase;

const SALE: &str = r#"{"sale":"a","name":"A","currency":"EUR","opens_at":"2026-12-01T19:00:00Z","items":[{"item":"ga","name":"A","unit_price":1,"stock":2000}]}"#;
const ADMIN: &str = "onrush_admin_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

async fn world(config: Config) -> World {
    let world = World::new(config);
    let sale = format!(
        "POST /v1/sales HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {ADMIN}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{SALE}",
        SALE.len()
    );
    assert!(world.exchange(sale.as_bytes()).await.starts_with("HTTP/1.1 201"));
    world
}

fn order(key: &str, quantity: u16, more: &str) -> String {
    let bearer = token("alice", START.plus_s(60_000), b"a secret only of these scenarios");
    let body = format!(r#"{{"lines":[{{"item":"ga","quantity":{quantity}}}]}}"#);
    format!(
        "POST /v1/sales/a/orders HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {bearer}\r\nidempotency-key: {key}\r\n\
         content-type: application/json\r\n{more}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The status and what identifies it, of each answer in turn.
fn told(answers: &str) -> Vec<String> {
    let parts = answers.split("HTTP/1.1 ").skip(1);
    parts
        .map(|answer| {
            let quantity = answer.split_once("\"quantity\":").and_then(|(_, rest)| rest.split(',').next());
            format!("{}{}", &answer[..3], quantity.map(|text| format!(" {text}")).unwrap_or_default())
        })
        .collect()
}

#[tokio::test]
async fn orders_in_one_packet_are_answered_each_in_its_turn() {
    let world = world(Config::default()).await;
    let mut request: String =
        (11..=19).map(|quantity| order(&format!("k{quantity}"), quantity, "")).collect();
    // Refused without the writer, behind orders that wait for it.
    request += &order("", 20, "");
    request += "GET /v1/sales/a/stock HTTP/1.1\r\nhost: x\r\n\r\n";
    request += &order("k11", 11, "");
    // From here on it is hyper's.
    request += &order("k21", 21, "expect: 200-maybe\r\n");
    request += &order("k22", 22, "connection: close\r\n");
    let answers = told(&world.exchange(request.as_bytes()).await);
    let mut expected: Vec<String> = (11..=19).map(|quantity| format!("201 {quantity}")).collect();
    expected.extend(["400", "200", "201 11", "201 21", "201 22"].map(str::to_owned));
    assert_eq!(answers, expected);
}

#[tokio::test]
async fn more_requests_than_may_be_under_way_are_all_answered() {
    let world = world(Config::default()).await;
    let mut request: String = (0..200).map(|number| order(&format!("k{number}"), 1, "")).collect();
    request += &order("last", 3, "connection: close\r\n");
    let answers = told(&world.exchange(request.as_bytes()).await);
    assert_eq!((answers.len(), answers.last().map(String::as_str)), (201, Some("201 3")), "{answers:?}");
    assert!(answers[..200].iter().all(|answer| answer == "201 1"));
}

#[tokio::test]
async fn pieces_bring_the_same_answers() {
    let ordered = order("k1", 3, "") + &order("k2", 4, "connection: close\r\n");
    let expected = told(&world(Config::default()).await.exchange(ordered.as_bytes()).await);
    assert_eq!(expected, ["201 3", "201 4"]);
    for piece_len in [1, 2, 3, 7, 50, 300, 500] {
        let world = world(Config::default()).await;
        let (mut client, serving) = world.connect(1 << 20);
        for piece in ordered.as_bytes().chunks(piece_len) {
            client.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut answers = String::new();
        client.read_to_string(&mut answers).await.unwrap();
        serving.await.unwrap();
        assert_eq!(told(&answers), expected, "pieces of {piece_len}");
    }
}

#[tokio::test]
async fn order_whose_body_does_not_come_is_answered_408() {
    let world = world(Config { body_deadline: Duration::ZERO, ..Config::default() }).await;
    let whole = order("k1", 1, "");
    let answer = world.exchange(&whole.as_bytes()[..whole.len() - 10]).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("connection: close\r\n") && answer.contains("body_too_slow"), "{answer}");
}

#[tokio::test]
async fn bug_in_one_order_does_not_touch_the_others() {
    let world = world(Config::default()).await;
    world.fake.state.lock().trouble = Some(Trouble::Panic);
    let request = order("k1", 1, "") + &order("k2", 2, "connection: close\r\n");
    let answers = told(&world.exchange(request.as_bytes()).await);
    assert_eq!(answers, ["500", "201 2"]);
    assert_eq!(world.edge.metrics.panics.get(), 1);
}

/// A client that sent so much and waits, at its phase's deadline.
#[tokio::test]
async fn client_that_stops_in_the_middle_has_the_deadline_of_what_it_was_at() {
    let config = Config { head_deadline: Duration::from_secs(3), ..Config::default() };
    let (one, two) = (order("k1", 1, ""), order("k2", 1, ""));
    for (sent, phase, deadline) in [
        (one.clone(), Phase::Idle, config.idle_deadline),
        (one.clone() + &two[..30], Phase::Head, config.head_deadline),
        (one.clone() + &two[..two.len() - 1], Phase::Busy, config.body_deadline + config.answer_deadline),
    ] {
        let world = world(config.clone()).await;
        let (mut client, serving) = world.connect(1 << 20);
        client.write_all(sent.as_bytes()).await.unwrap();
        let mut begun = [0; 12];
        client.read_exact(&mut begun).await.unwrap();
        assert_eq!(&begun, b"HTTP/1.1 201");
        let start = Instant::now();
        assert_eq!(world.connections.sweep(start), 0, "{phase:?}");
        assert_eq!(world.connections.sweep(start + deadline - Duration::from_millis(1)), 0, "{phase:?}");
        assert_eq!(world.connections.sweep(start + deadline), 1, "{phase:?}");
        serving.await.unwrap();
    }
}
