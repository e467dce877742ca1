//! More than a server can do, from clients that do not take no for an answer: nothing is oversold or lost, memory stays
//! bounded, and when they are gone all is as before. How quickly is measured elsewhere (`tools/bench`, `overload`).

use std::thread;
use std::time::{Duration, Instant};

use super::support::http::{Ask, Reply};
use super::support::sale::{Shop, basket, definition, order_of, quantity_of};
use super::support::server::{House, Server};
use super::support::{onrush, until};

/// The smallest inbox: one packet is enough to fill what it has for orders.
const SMALL_INBOX: &str = "inbox_len_max=64";
const CLIENT_COUNT: u32 = 16;
/// Orders in one packet of theirs.
const PACKET_LEN: usize = 60;
const PACKET_COUNT: usize = 20;
/// What is refused is asked for again at once, so often.
const RETRY_COUNT_MAX: usize = 3;
const STOCK: u32 = 100_000;

/// No room is made for the stock: memory is what the crowd needs.
const NO_ROOM: &str = "memory.ready_size_bytes_max=0";

const SHED: &str = "onrush_requests_shed_total";
/// Some 62 MiB were seen, and 74,000 refusals: if each left half a kilobyte behind, it would be more.
const MEMORY_BYTES_MAX: u64 = 96 << 20;
/// A lone order takes well under a millisecond; a machine that is busy with other tests may need longer.
const LONE_MAX: Duration = Duration::from_millis(250);
const LONE_COUNT: usize = 100;

/// The codes of the orders that one client got.
fn storm(server: &Server, shop: &Shop<'_>, token: &str) -> Vec<String> {
    let mut connection = server.connect();
    let mut placed = Vec::new();
    for packet in 0..PACKET_COUNT {
        let order = |number| shop.order(token, (&format!("{packet}-{number}"), &basket(1)));
        let mut asks: Vec<Ask> = (0..PACKET_LEN).map(order).collect();
        for _ in 0..=RETRY_COUNT_MAX {
            let replies = connection.ask_at_once(&asks).unwrap();
            let refused = |(ask, reply): (Ask, Reply)| match reply.status {
                201 => {
                    placed.push(order_of(&reply.json()));
                    None
                }
                _ => {
                    assert_eq!((reply.status, reply.code().as_str()), (503, "overloaded"), "{reply:?}");
                    assert!(reply.header("retry-after").is_some(), "{reply:?}");
                    Some(ask)
                }
            };
            asks = asks.into_iter().zip(replies).filter_map(refused).collect();
            if asks.is_empty() {
                break;
            }
        }
    }
    placed
}

// covers: I1, I3
#[test]
fn crowd_that_retries_at_once_leaves_no_trace_but_its_orders() {
    let house = House::new();
    let server = house.serve(&[SMALL_INBOX, NO_ROOM]);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", STOCK, 600)));
    let tokens = onrush::tokens(&house.data(), "fan", CLIENT_COUNT);
    let mut placed: Vec<String> = thread::scope(|scope| {
        let storms: Vec<_> =
            tokens.iter().map(|token| scope.spawn(|| storm(&server, &shop, token))).collect();
        storms.into_iter().flat_map(|storm| storm.join().unwrap()).collect()
    });
    assert!(server.metric(SHED) > 0, "the inbox was too small for all of them");
    assert!(!placed.is_empty(), "whoever was let in was served");

    // It is over: everybody is let in, and soon.
    let mut connection = server.connect();
    let mut series = 0;
    until("lone orders to be quick again", || {
        series += 1;
        let shed_before = server.metric(SHED);
        let mut took: Vec<Duration> = Vec::new();
        for number in 0..LONE_COUNT {
            let key = format!("lone {series}-{number}");
            let begun = Instant::now();
            let reply = connection.ask(&shop.order(&tokens[0], (&key, &basket(1)))).unwrap().expect(201);
            took.push(begun.elapsed());
            placed.push(order_of(&reply.json()));
        }
        assert_eq!(server.metric(SHED), shed_before, "nobody is turned away any more");
        took.sort_unstable();
        (took[LONE_COUNT * 99 / 100] < LONE_MAX).then_some(())
    });

    let (orders, units) = shop.books();
    let mut known: Vec<String> = orders.iter().map(order_of).collect();
    known.sort_unstable();
    placed.sort_unstable();
    assert_eq!(known, placed, "every order that was answered 201, once, and no other");
    let held: u64 = orders.iter().map(quantity_of).sum();
    assert_eq!((units.stock, units.free + held, units.held), (STOCK.into(), STOCK.into(), held));
    let memory_bytes_max = server.memory_bytes_max();
    assert!(memory_bytes_max < MEMORY_BYTES_MAX, "{memory_bytes_max} bytes of memory");
    server.stop();
}
