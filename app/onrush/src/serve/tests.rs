//! The hand-off as the server compiles it. Every order of steps is tried in `tests/handoff` and `tests/rounds`.

mod stall;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use domain::{Actor, OrderId, Request};

use super::inbox::{Inbox, NotTaken};
use super::outbox::Ticket;

fn request(raw: u64) -> Request {
    Request::ShowOrder { order: OrderId::from_raw(raw).unwrap(), by: Actor::Organiser }
}

#[test]
fn full_inbox_takes_nothing_and_closed_one_neither() {
    let inbox = Inbox::new(2, Arc::default());
    let push = |raw| inbox.push(Ticket::new(0, Instant::now()).0, request(raw));
    assert_eq!((push(1), push(2), push(3)), (Ok(()), Ok(()), Err(NotTaken::Full)));
    inbox.close();
    assert_eq!(push(4), Err(NotTaken::Closed));
    assert_eq!(inbox.drain().count(), 2, "what is in stays to be answered");
}

#[test]
fn sleeping_writer_wakes_for_every_request() {
    const COUNT: u64 = 20_000;
    let inbox = Inbox::new(64, Arc::default());
    let writer = {
        let inbox = Arc::clone(&inbox);
        thread::spawn(move || {
            let mut seen = 0;
            while seen < COUNT {
                match inbox.drain().count() as u64 {
                    // A lost wake-up would leave the writer here, and the test without an end.
                    0 => inbox.wait(Duration::MAX),
                    count => seen += count,
                }
            }
        })
    };
    for raw in 0..COUNT {
        while inbox.push(Ticket::new(0, Instant::now()).0, request(raw)).is_err() {
            thread::yield_now();
        }
    }
    writer.join().unwrap();
}
