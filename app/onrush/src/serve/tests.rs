//! The hand-off as the server compiles it. Every order of steps is tried in `tests/handoff` and `tests/rounds`.

mod lone;
mod stall;

use std::num::NonZeroU16;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use domain::{Actor, Command, Currency, ItemTerms, OrderId, Request, SaleTerms, Seq, ShardId, Slug, UnixMs};
use engine::State;
use journal::Journal;
use prometheus_client::registry::Registry;
use shard::Shard;
use views::Catalog;

use super::bulk::Bulks;
use super::follower::Follow;
use super::inbox::{Inbox, NotTaken};
use super::metrics::Families;
use super::outbox::{Outbox, Ticket};
use super::pace::Pace;
use super::room::Room;
use super::writer::Writer;

/// The server's own writer of an empty shard.
fn writer<J: Journal>(
    journal: J,
    inbox: &Arc<Inbox>,
    outboxes: &[Arc<Outbox>],
    pace: &Arc<Pace>,
) -> Writer<J> {
    let catalog = Catalog::new(NonZeroU16::MIN, 9);
    let room = Room::start(catalog.clone(), 0).unwrap();
    Writer {
        shard: Shard::new(journal, State::new(ShardId::FIRST, 1), UnixMs::EPOCH, catalog),
        inbox: Arc::clone(inbox),
        pace: Arc::clone(pace),
        bulks: Bulks::default(),
        outboxes: Arc::from(outboxes),
        metrics: Families::new(&mut Registry::default()).writer(ShardId::FIRST),
        follow: Follow::new(Seq(0)).0,
        room,
    }
}

fn create_sale(slug: &str) -> Request {
    let terms = SaleTerms::new("Concert", Currency::new("EUR").unwrap(), 600);
    let item = ItemTerms::new(Slug::new("ga").unwrap(), "Standing", 6_000);
    let slug = Slug::new(slug).unwrap();
    Request::Command(Command::CreateSale { slug, terms: terms.into(), items: vec![(item, 1_000)] })
}

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
