//! What is tried with an inbox. Compiled against the server's own inbox, and once more against one without a fence.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use domain::{Actor, BuyerId, ItemIndex, KeyDigest, OrderId, OrderWanted, Request, SaleId, Wish, Wishes};
use edge::Bulk;

use super::bulk::BulkTicket;
use super::bustle::Bustle;
use super::inbox::{Inbox, NotTaken};
use super::outbox::Ticket;

/// Preemptions that loom tries in one execution; most bugs need one or two (M. Musuvathi, S. Qadeer, "Iterative
/// Context Bounding for Systematic Testing of Multithreaded Programs", 2007).
const PREEMPTION_COUNT_MAX: usize = 2;

/// Requests of a pusher are numbered from its number times this on.
const PUSHER_STEP: u64 = 100;

/// Runs `scenario` in every order of steps within the bound, and says how many there were.
pub(super) fn explore(title: &str, scenario: impl Fn() + Send + Sync + 'static) {
    let execution_count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&execution_count);
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(PREEMPTION_COUNT_MAX);
    model.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        scenario();
    });
    let execution_count = execution_count.load(Ordering::Relaxed);
    println!(
        "loom: {title}: {execution_count} executions, at most {PREEMPTION_COUNT_MAX} preemptions in each"
    );
    assert!(execution_count > 10, "loom saw a choice to make");
}

/// Two pushers, of which this thread is the first, push so many requests each; the writer takes them. What was taken
/// in comes out once and in its pusher's order, what was refused does not, and closing ends the writer.
pub(super) fn push_all(request_counts: [u64; 2], len_max: usize) {
    let inbox = Inbox::new(len_max, Arc::default());
    let writer = {
        let inbox = Arc::clone(&inbox);
        loom::thread::spawn(move || write(&inbox))
    };
    let second = {
        let inbox = Arc::clone(&inbox);
        loom::thread::spawn(move || push(&inbox, 2, request_counts[1]))
    };
    let pushed = [push(&inbox, 1, request_counts[0]), second.join().unwrap()];
    inbox.close();
    assert_eq!(inbox.push(Ticket::new(0, Instant::now()).0, request(1)), Err(NotTaken::Closed));
    let taken = writer.join().unwrap();
    for (pusher, pushed) in (1..).zip(&pushed) {
        let of_pusher = taken.iter().filter(|raw| *raw / PUSHER_STEP == pusher);
        assert!(of_pusher.eq(pushed), "pusher {pusher} pushed {pushed:?}, and the writer took {taken:?}");
    }
    let room = u64::try_from(len_max).unwrap();
    if request_counts.iter().sum::<u64>() <= room {
        assert_eq!(taken.len() as u64, request_counts.iter().sum::<u64>(), "there was room for all");
    }
    assert!(taken.len() as u64 >= room.min(request_counts.iter().sum()), "an empty inbox refuses nobody");
}

/// One pusher with a bulk, this thread with a request: the writer takes both, however deep it sleeps.
pub(super) fn push_bulk_and_request() {
    let inbox = Inbox::new(1, Arc::default());
    let writer = {
        let inbox = Arc::clone(&inbox);
        loom::thread::spawn(move || {
            let (mut requests, mut bulks) = (0, 0);
            while (requests, bulks) != (1, 1) {
                let before = (requests, bulks);
                requests += inbox.drain().count();
                bulks += std::iter::from_fn(|| inbox.pop_bulk()).count();
                if (requests, bulks) == before {
                    inbox.wait(Duration::MAX);
                }
            }
        })
    };
    let other = {
        let inbox = Arc::clone(&inbox);
        loom::thread::spawn(move || inbox.push_bulk(bulk()))
    };
    assert_eq!(inbox.push(Ticket::new(0, Instant::now()).0, request(1)), Ok(()));
    assert_eq!(other.join().unwrap(), Ok(()));
    writer.join().unwrap();
    inbox.close();
    assert_eq!(inbox.push_bulk(bulk()), Err(NotTaken::Closed));
}

/// Two I/O threads, of which this is one, bring a request each and go to sleep; the writer gathers until both do.
pub(super) fn gather_and_go() {
    let bustle = Arc::new(Bustle::default());
    let inbox = Inbox::new(2, Arc::clone(&bustle));
    [(), ()].iter().for_each(|()| bustle.wake());
    let writer = {
        let inbox = Arc::clone(&inbox);
        loom::thread::spawn(move || {
            while !inbox.is_filled() {
                inbox.gather(Duration::MAX);
            }
            inbox.drain().count()
        })
    };
    let bring = |inbox: &Inbox, bustle: &Bustle| {
        assert_eq!(inbox.push(Ticket::new(0, Instant::now()).0, request(1)), Ok(()));
        if bustle.sleep() {
            inbox.nobody_brings_more();
        }
    };
    let other = {
        let (inbox, bustle) = (Arc::clone(&inbox), Arc::clone(&bustle));
        loom::thread::spawn(move || bring(&inbox, &bustle))
    };
    bring(&inbox, &bustle);
    other.join().unwrap();
    assert_eq!(writer.join().unwrap(), 2, "what both brought is there");
}

fn bulk() -> BulkTicket {
    let order = OrderWanted {
        buyer: BuyerId::from_text("buyer"),
        key: KeyDigest::from_text("key"),
        wishes: Wishes::one(Wish { item: ItemIndex(0), quantity: 1 }),
    };
    BulkTicket::new(Bulk { sale: SaleId(0), orders: vec![order] }).0
}

/// The requests that were taken in.
fn push(inbox: &Inbox, pusher: u64, count: u64) -> Vec<u64> {
    let numbers = (0..count).map(|number| pusher * PUSHER_STEP + number);
    let is_in = |raw: &u64| match inbox.push(Ticket::new(0, Instant::now()).0, request(*raw)) {
        Ok(()) => true,
        Err(NotTaken::Full) => false,
        Err(NotTaken::Closed) => unreachable!("it is closed when all has been pushed"),
    };
    numbers.filter(is_in).collect()
}

/// The writer's loop around an inbox, as `Writer::run` has it.
fn write(inbox: &Inbox) -> Vec<u64> {
    let mut taken = Vec::new();
    loop {
        let before = taken.len();
        taken.extend(inbox.drain().map(number_of));
        if taken.len() > before {
            continue;
        }
        if inbox.is_closed() && inbox.is_empty() {
            return taken;
        }
        inbox.wait(Duration::MAX);
    }
}

fn request(raw: u64) -> Request {
    Request::ShowOrder { order: OrderId::from_raw(raw).unwrap(), by: Actor::Organiser }
}

fn number_of((_, request): (Ticket, Request)) -> u64 {
    match request {
        Request::ShowOrder { order, .. } => order.raw(),
        Request::Command(_) => unreachable!("nobody pushes one"),
    }
}
