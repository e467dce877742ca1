//! Plain orders, as many as a server takes, without a ledger: for measurements on large states.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::support::http::Ask;
use crate::support::onrush;
use crate::support::sale::{Shop, basket};
use crate::support::server::{House, Server};

pub(crate) const SALE: &str = "many";
const BUYER_COUNT: u32 = 1_000;
/// Connections of the closed loop.
const CLIENT_COUNT: usize = 16;
/// Connections that fill a state, and orders in one packet of theirs.
const FILLER_COUNT: usize = 2;
const PACKET_ORDER_COUNT: u64 = 128;

/// A crowd without limits at an open sale; every order has a key of its own.
pub(crate) struct Load {
    tokens: Vec<String>,
    admin_key: String,
    next: AtomicU64,
}

impl Load {
    pub(crate) fn open(house: &House, server: &Server) -> Load {
        let item = json!({"item": "ga", "name": "General", "unit_price": 1_200, "stock": 10_000_000});
        let body: Value = json!({
            "sale": SALE, "name": "Many", "currency": "EUR", "hold_ttl_seconds": 3_600, "items": [item],
        });
        drop(Shop::open(house, server, (SALE, &body)));
        let tokens = onrush::tokens(&house.data(), "buyer", BUYER_COUNT);
        Load { tokens, admin_key: house.admin_key(), next: AtomicU64::new(0) }
    }

    /// Orders so far.
    pub(crate) fn order_count(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// Places orders, many in a packet, until there are so many.
    pub(crate) fn fill(&self, server: &Server, order_count: u64) {
        let filler = || {
            let mut connection = server.connect();
            while self.order_count() < order_count {
                let asks: Vec<Ask> = (0..PACKET_ORDER_COUNT).map(|_| self.next_order(server)).collect();
                let replies = connection.ask_at_once(&asks).expect("the server is there");
                replies.into_iter().for_each(|reply| drop(reply.expect(201)));
            }
        };
        thread::scope(|scope| (0..FILLER_COUNT).for_each(|_| drop(scope.spawn(filler))));
    }

    /// Each connection asks again as soon as it is answered, for so long. Returns the latencies in microseconds.
    pub(crate) fn run(&self, server: &Server, duration: Duration) -> Histogram<u64> {
        let begun = Instant::now();
        let client = || {
            let mut seen = Histogram::<u64>::new_with_max(60_000_000, 3).expect("three digits are possible");
            let mut connection = server.connect();
            while begun.elapsed() < duration {
                let ask = self.next_order(server);
                let asked = Instant::now();
                connection.ask(&ask).expect("the server is there").expect(201);
                seen.saturating_record(u64::try_from(asked.elapsed().as_micros()).expect("it is short"));
            }
            seen
        };
        thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENT_COUNT).map(|_| scope.spawn(client)).collect();
            let mut sum = Histogram::new_with_max(60_000_000, 3).expect("three digits are possible");
            for client in clients {
                sum += client.join().expect("every order is taken");
            }
            sum
        })
    }

    /// All orders are there, as units that are held.
    #[track_caller]
    pub(crate) fn check(&self, server: &Server) {
        let shop = Shop { server, admin_key: self.admin_key.clone(), sale: SALE };
        assert_eq!(shop.stock().0.held, self.order_count(), "every order holds its unit");
    }

    fn next_order(&self, server: &Server) -> Ask {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let token = &self.tokens[usize::try_from(number).expect("64 bits") % self.tokens.len()];
        let shop = Shop { server, admin_key: String::new(), sale: SALE };
        shop.order(token, (&format!("k-{number}"), &basket(1)))
    }
}
