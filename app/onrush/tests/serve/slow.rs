//! Clients that keep the server waiting: cut at their deadline, and nobody else notices.

use std::io;

use rustix::process::{Resource, getrlimit};

use super::support::http::{Ask, Connection};
use super::support::sale::{Shop, Units, basket, definition};
use super::support::server::House;
use super::support::until;

/// Connections that were cut.
const CUT: &str = "onrush_http_connections_cut_total";
/// Clients that send a byte now and then, if there are so many file handles. The bench has 15,000 (`slow`).
const SLOW_COUNT_MAX: usize = 3_000;
/// File handles that other tests of this process need.
const OTHERS_COUNT: u64 = 256;

/// Long enough for an ordinary request on a busy machine, short enough for a test.
const SETTINGS: [&str; 4] = [
    "http.first_byte_timeout_ms=1000",
    "http.header_timeout_ms=1000",
    "http.body_timeout_ms=1000",
    "http.write_timeout_ms=1000",
];

#[test]
fn half_a_request_is_cut_at_its_deadline() {
    let house = House::new();
    let server = house.serve(&SETTINGS);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 5, 600)));
    let token = house.token("ada");
    let ask = shop.order(&token, ("k", &basket(1)));
    let (head, body) = (ask.head(), basket(1).to_string());
    let mut half_body = server.connect();
    half_body.send(&head).unwrap();
    half_body.send(&body.as_bytes()[..5]).unwrap();
    let mut half_head = server.connect();
    half_head.send(&head[..40]).unwrap();
    let mut silent = server.connect();
    let told = half_body.reply().unwrap().expect(408);
    assert_eq!(told.code(), "body_too_slow");
    assert!(half_body.rest().unwrap().is_empty());
    assert!(is_over(half_head.rest()), "no whole head came");
    assert!(is_over(silent.rest()), "no byte came");
    assert_eq!(shop.stock().0, Units { stock: 5, free: 5, ..Units::default() }, "half an order is no order");
    assert_eq!(server.ask(&ask).status, 201, "and binds no key");
    server.stop();
}

#[test]
fn head_that_comes_byte_by_byte_has_no_more_time_than_another() {
    let house = House::new();
    let server = house.serve(&SETTINGS);
    let mut connection = server.connect();
    connection.send(b"GET /v1/sales HTTP/1.1\r\nX: ").unwrap();
    until("the cut", || connection.send(b"x").is_err().then_some(()));
    server.ask(&Ask::get("/v1/sales")).expect(200);
    server.stop();
}

#[test]
fn client_that_stops_reading_is_cut() {
    let house = House::new();
    let server = house.serve(&SETTINGS);
    let mut deaf = server.connect();
    // Answers of many megabytes that nobody takes: no socket buffer holds them.
    let ask = Ask::get("/v1/openapi.json").head();
    let asked = (0..2_000).try_for_each(|_| deaf.send(&ask));
    let _: io::Result<()> = asked;
    until("the cut", || (server.metric(CUT) == 1).then_some(()));
    server.ask(&Ask::get("/v1/sales")).expect(200);
    server.stop();
}

#[test]
fn client_that_leaves_before_its_answer_has_its_order_all_the_same() {
    let house = House::new();
    let server = house.serve(&SETTINGS);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 100, 600)));
    let token = house.token("ada");
    for number in 0..20 {
        let key = format!("k{number}");
        let ask = shop.order(&token, (&key, &basket(1)));
        let mut leaving: Connection = server.connect();
        leaving.send(&[ask.head(), basket(1).to_string().into_bytes()].concat()).unwrap();
        drop(leaving);
        server.ask(&ask).expect(201);
    }
    assert_eq!(shop.stock().0.held, 20, "one key, one order");
    server.stop();
}

#[test]
fn thousands_that_send_byte_by_byte_are_each_cut_and_keep_nobody_waiting() {
    let house = House::new();
    let server = house.serve(&SETTINGS);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 100_000, 600)));
    let token = house.token("ada");
    let count = slow_count();
    let mut slow: Vec<Connection> = (0..count).map(|_| server.connect()).collect();
    slow.iter_mut().for_each(|connection| connection.send(b"GET /v1/sales HTTP/1.1\r\nX: ").unwrap());
    let mut order_count = 0;
    until("the cuts", || {
        // Whoever was cut cannot send any more.
        slow.retain_mut(|connection| connection.send(b"x").is_ok());
        shop.buy(&token, (&format!("k{order_count}"), 1)).expect(201);
        order_count += 1;
        slow.is_empty().then_some(())
    });
    assert_eq!(server.metric(CUT), count as u64, "each of them, and nobody else");
    assert_eq!(shop.stock().0.held, order_count);
    server.stop();
}

fn slow_count() -> usize {
    let handles = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(handles.saturating_sub(OTHERS_COUNT)).unwrap_or(usize::MAX).min(SLOW_COUNT_MAX)
}

/// Closed, gently or not, perhaps with a last word.
fn is_over(rest: io::Result<Vec<u8>>) -> bool {
    match rest {
        Ok(bytes) => bytes.is_empty() || bytes.starts_with(b"HTTP/1.1 408"),
        Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
    }
}
