//! Clients that send half a request, too much, too slowly, or do not read.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::fake::START;
use super::run::{World, token};
use crate::config::Config;
use crate::conn::watch::Phase;

const SALE: &str =
    r#"{"sale":"a","name":"A","currency":"EUR","items":[{"item":"ga","name":"A","unit_price":1,"stock":2}]}"#;

fn post(path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: onrush\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

fn admin() -> &'static str {
    "authorization: Bearer onrush_admin_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("nothing")
}

/// Deadlines of which no two are alike.
fn config() -> Config {
    Config { head_deadline: Duration::from_secs(3), ..Config::default() }
}

/// A client that sent so much of a request and now waits, and the phase that the server sees it in. Ends when
/// the server hung up, which must be at the phase's deadline.
async fn hung_up_on(sent: &[u8], phase: Phase, deadline: Duration) {
    let world = World::new(config());
    let (mut client, serving) = world.connect(1 << 20);
    client.write_all(sent).await.unwrap();
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    let start = Instant::now();
    assert_eq!(world.connections.sweep(start), 0, "{phase:?}");
    assert_eq!(world.connections.sweep(start + deadline / 2), 0, "{phase:?}");
    assert_eq!(world.connections.sweep(start + deadline), 1, "{phase:?}");
    serving.await.unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    assert_eq!(world.connections.count(), 0);
}

#[tokio::test]
async fn a_client_that_says_nothing_is_hung_up_on() {
    hung_up_on(b"", Phase::FirstByte, config().first_byte_deadline).await;
}

#[tokio::test]
async fn a_slow_head_is_hung_up_on() {
    let half = b"POST /v1/sales/a/orders HTTP/1.1\r\nhost: onr";
    hung_up_on(half, Phase::Head, config().head_deadline).await;
}

#[tokio::test]
async fn an_idle_connection_is_hung_up_on() {
    let whole = b"GET /v1/sales HTTP/1.1\r\nhost: onrush\r\n\r\n";
    hung_up_on(whole, Phase::Idle, config().idle_deadline).await;
}

#[tokio::test]
async fn a_backend_that_never_answers_does_not_keep_the_connection() {
    let world = World::new(Config::default());
    assert_eq!(status(&world.exchange(&post("/v1/sales", admin(), SALE)).await), "201");
    world.fake.state.lock().trouble = Some(super::fake::Trouble::Silence);
    let (mut client, serving) = world.connect(1 << 20);
    client.write_all(&post("/v1/sales/a/open", admin(), "")).await.unwrap();
    while world.fake.state.lock().trouble.is_some() {
        tokio::task::yield_now().await;
    }
    let (start, config) = (Instant::now(), Config::default());
    assert_eq!(world.connections.sweep(start), 0);
    assert_eq!(world.connections.sweep(start + config.body_deadline + config.answer_deadline), 1);
    serving.await.unwrap();
}

#[tokio::test]
async fn a_client_that_does_not_read_is_hung_up_on() {
    let world = World::new(Config::default());
    let (mut client, serving) = world.connect(64);
    // The answer is longer than the 64 bytes that fit between the two ends.
    let request = b"GET /v1/openapi.json HTTP/1.1\r\nhost: onrush\r\n\r\n";
    client.write_all(request).await.unwrap();
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    let start = Instant::now();
    assert_eq!(world.connections.sweep(start), 0);
    assert_eq!(world.connections.sweep(start + Config::default().write_deadline), 1);
    serving.await.unwrap();
}

#[tokio::test]
async fn a_body_that_does_not_come_is_answered_408() {
    let world = World::new(Config { body_deadline: Duration::ZERO, ..Config::default() });
    let whole = post("/v1/sales", admin(), SALE);
    let answer = world.exchange(&whole[..whole.len() - 10]).await;
    assert_eq!(status(&answer), "408", "{answer}");
    assert!(answer.contains("\"code\":\"body_too_slow\""), "{answer}");
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_a_body_orders_nothing() {
    let world = World::new(Config::default());
    assert_eq!(status(&world.exchange(&post("/v1/sales", admin(), SALE)).await), "201");
    world.fake.state.lock().asked.clear();
    let bearer = token("alice", START.plus_s(60_000), b"a secret only of these scenarios");
    let headers = format!("authorization: Bearer {bearer}\r\nidempotency-key: k1\r\n");
    let whole = post("/v1/sales/a/orders", &headers, r#"{"lines":[{"item":"ga","quantity":1}]}"#);
    for sent in [10, whole.len() / 2, whole.len() - 1] {
        let (mut client, serving) = world.connect(1 << 20);
        client.write_all(&whole[..sent]).await.unwrap();
        drop(client);
        serving.await.unwrap();
    }
    assert!(world.fake.state.lock().asked.is_empty());
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_whether_its_length_is_told_or_not() {
    let world = World::new(Config { body_size_bytes_max: 1_000, ..Config::default() });
    assert_eq!(status(&world.exchange(&post("/v1/sales", admin(), SALE)).await), "201");
    let bearer = token("alice", START.plus_s(60_000), b"a secret only of these scenarios");
    let headers = format!("authorization: Bearer {bearer}\r\nidempotency-key: k1\r\n");
    let body = format!("{{\"lines\":[{{\"item\":\"{}\",\"quantity\":1}}]}}", "a".repeat(1_000));
    let told = world.exchange(&post("/v1/sales/a/orders", &headers, &body)).await;
    assert_eq!(status(&told), "413", "{told}");
    let chunked = format!(
        "POST /v1/sales/a/orders HTTP/1.1\r\nhost: onrush\r\nconnection: close\r\n{headers}\
         content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    let chunked = world.exchange(chunked.as_bytes()).await;
    assert_eq!(status(&chunked), "413", "{chunked}");
}

#[tokio::test]
async fn a_sale_definition_may_be_larger_than_an_order() {
    let world = World::new(Config { body_size_bytes_max: 10, ..Config::default() });
    assert_eq!(status(&world.exchange(&post("/v1/sales", admin(), SALE)).await), "201");
}

#[tokio::test]
async fn a_body_in_pieces_is_put_together() {
    let world = World::new(Config::default());
    let chunks: String = SALE.as_bytes().chunks(7).fold(String::new(), |chunks, chunk| {
        let text = std::str::from_utf8(chunk).unwrap();
        chunks + &format!("{:x}\r\n{text}\r\n", chunk.len())
    });
    let request = format!(
        "POST /v1/sales HTTP/1.1\r\nhost: onrush\r\nconnection: close\r\n{}\
         content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n{chunks}0\r\n\r\n",
        admin()
    );
    let answer = world.exchange(request.as_bytes()).await;
    assert_eq!(status(&answer), "201", "{answer}");
}

#[tokio::test]
async fn a_head_that_is_too_large_or_no_http_is_refused() {
    let world = World::new(Config::default());
    let long = format!("GET /v1/sales HTTP/1.1\r\nhost: onrush\r\nx: {}\r\n\r\n", "x".repeat(20_000));
    assert_eq!(status(&world.exchange(long.as_bytes()).await), "431");
    let many = format!("GET /v1/sales HTTP/1.1\r\nhost: onrush\r\n{}\r\n", "x: y\r\n".repeat(101));
    assert_eq!(status(&world.exchange(many.as_bytes()).await), "431");
    assert_eq!(status(&world.exchange(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").await), "400");
    assert_eq!(status(&world.exchange(b"ORDER everything\r\n\r\n").await), "400");
}

#[tokio::test]
async fn requests_sent_at_once_are_answered_one_after_the_other() {
    let world = World::new(Config::default());
    let (mut client, serving) = world.connect(1 << 20);
    let keep = "GET /v1/sales HTTP/1.1\r\nhost: onrush\r\n\r\n";
    let last = "GET /v1/sales/x HTTP/1.1\r\nhost: onrush\r\nconnection: close\r\n\r\n";
    client.write_all(format!("{keep}{keep}{last}").as_bytes()).await.unwrap();
    let mut answers = String::new();
    client.read_to_string(&mut answers).await.unwrap();
    serving.await.unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2);
    assert_eq!(answers.matches("HTTP/1.1 404 Not Found").count(), 1);
}
