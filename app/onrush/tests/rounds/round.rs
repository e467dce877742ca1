//! One round from the first order to the writer's end, and what has to hold in it.

use std::future::poll_fn;
use std::num::NonZeroU16;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Instant;

use domain::{
    Answer, BuyerId, Command, Currency, ItemIndex, ItemTerms, KeyDigest, OrderWanted, Refusal, Request,
    SaleId, SaleStatus, SaleTerms, Seq, ShardId, Slug, Wish, Wishes,
};
use edge::{Bulk, Tip};
use engine::State;
use prometheus_client::registry::Registry;
use shard::Shard;
use shuttle::sync::Arc;
use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::{future, thread};
use views::Catalog;

use super::bulk::{BulkTicket, Bulks, Way};
use super::bustle::Bustle;
use super::clock;
use super::follower::Follow;
use super::inbox::{Inbox, NotTaken};
use super::metrics::Families;
use super::outbox::{Outbox, Ticket};
use super::pace::Pace;
use super::room::Room;
use super::watched::{Honesty, Watched};
use super::writer::Writer;

const IO_COUNT: usize = 2;
/// The first two are under way at once, the third comes when both are answered.
const ORDER_COUNT: usize = 3;
/// And then a bulk of so many.
const BULK_LEN: usize = 2;

/// What an I/O thread works with.
struct Io {
    number: usize,
    inbox: Arc<Inbox>,
    outbox: Arc<Outbox>,
    bustle: Arc<Bustle>,
    durable: Arc<AtomicU64>,
}

/// Lets all I/O threads order, closes the inbox, and waits for the writer's end, as `Running::stop` does.
pub(super) fn run_round(inbox_len_max: usize, honesty: Honesty) {
    let outboxes: std::sync::Arc<[_]> = (0..IO_COUNT).map(|_| Outbox::new()).collect();
    let bustle = Arc::new(Bustle::default());
    let inbox = Inbox::new(inbox_len_max, Arc::clone(&bustle));
    let journal = Watched::new(honesty);
    let durable = journal.durable();
    let shard = open_sale(journal);
    let sold_before = shard.state().seq();
    let (follow, _jobs) = Follow::new(sold_before);
    let writer = Writer {
        shard,
        inbox: Arc::clone(&inbox),
        pace: Pace::new(Instant::now()),
        bulks: Bulks::default(),
        outboxes: std::sync::Arc::clone(&outboxes),
        metrics: Families::new(&mut Registry::default()).writer(ShardId::FIRST),
        follow: Arc::clone(&follow),
        room: Room::start(Catalog::new(NonZeroU16::MIN, 9), 0).unwrap(),
    };
    let writer = thread::spawn(move || writer.run().unwrap());
    let io = |number: usize| {
        bustle.wake();
        let (inbox, outbox) = (Arc::clone(&inbox), Arc::clone(&outboxes[number]));
        Io { number, inbox, outbox, bustle: Arc::clone(&bustle), durable: Arc::clone(&durable) }
    };
    let threads: Vec<_> = (0..IO_COUNT).map(io).map(|io| thread::spawn(move || io.run())).collect();
    let sold: Vec<Seq> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    inbox.close();
    writer.join().unwrap();
    let mut distinct = sold.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), sold.len(), "one fact, one answer: {sold:?}");
    let last = Seq(durable.load(Ordering::SeqCst));
    assert_eq!(last.0, sold_before.0 + sold.len() as u64, "the journal holds what was answered, and no more");
}

impl Io {
    /// The positions of its orders.
    fn run(self) -> Vec<Seq> {
        let both = vec![self.order(0), self.order(1)];
        let mut sold = self.wait_for(both);
        assert!(sold.is_sorted_by(|a, b| a < b), "who asked first was decided first: {sold:?}");
        for number in 2..ORDER_COUNT {
            let one = vec![self.order(number)];
            sold.extend(self.wait_for(one));
        }
        sold.extend(self.order_in_bulk());
        self.sleep();
        assert!(sold.is_sorted_by(|a, b| a < b), "who was answered was decided: {sold:?}");
        assert!(sold.len() > BULK_LEN || self.inbox.len_max() < IO_COUNT * 2, "there was room");
        sold
    }

    /// Asks for a unit; `None` when the inbox is full.
    fn order(&self, number: usize) -> Option<Pin<Box<dyn Future<Output = Told>>>> {
        let (ticket, outcome) = Ticket::new(self.number, Instant::now());
        let request = place(&format!("buyer {} {number}", self.number)).of_sale(SaleId(0));
        match self.inbox.push(ticket, request) {
            Ok(()) => Some(Box::pin(async {
                let decided = outcome.await.expect("a request that was taken is answered");
                (vec![decided.outcome], decided.tip)
            })),
            Err(NotTaken::Full) => None,
            Err(NotTaken::Closed) => unreachable!("it is closed when nobody asks any more"),
        }
    }

    /// Asks for units in bulk, and waits for the answers.
    fn order_in_bulk(&self) -> Vec<Seq> {
        let order = |number: usize| place(&format!("bulk {} {number}", self.number));
        let bulk = Bulk { sale: SaleId(0), orders: (0..BULK_LEN).map(order).collect() };
        let (ticket, decided) = BulkTicket::new(bulk);
        assert_eq!(self.inbox.push_bulk(ticket), Ok(()), "there is room for more bulks than threads");
        let decided = self.asleep(decided).expect("a bulk that was taken is answered");
        assert_eq!(decided.outcomes.len(), BULK_LEN);
        self.durable_seqs((decided.outcomes, decided.tip))
    }

    /// The positions that an answer rests on, which must be durable.
    fn durable_seqs(&self, (outcomes, tip): Told) -> Vec<Seq> {
        let durable = self.durable.load(Ordering::SeqCst);
        let seqs: Vec<Seq> = outcomes.into_iter().map(seq_of).collect();
        for seq in &seqs {
            assert!(seq.0 <= durable, "order {} was answered before it was durable: {durable}", seq.0);
            assert!(*seq <= tip.seq, "the tip is not before an answer");
        }
        seqs
    }

    /// Waits for something, as an I/O thread that has nothing else to do. If the writer still gathered for it then, nobody would
    /// ever go on.
    fn asleep<T>(&self, future: impl Future<Output = T>) -> T {
        self.sleep();
        let value = future::block_on(future);
        self.bustle.wake();
        value
    }

    fn sleep(&self) {
        if self.bustle.sleep() {
            self.inbox.nobody_brings_more();
        }
    }

    /// What an I/O thread's runtime does: dispatches, and lets those go on who waited.
    fn wait_for(&self, orders: Vec<Option<Pin<Box<dyn Future<Output = Told>>>>>) -> Vec<Seq> {
        let mut dispatch = pin!(Arc::clone(&self.outbox).dispatch());
        let mut sold = Vec::new();
        for mut order in orders.into_iter().flatten() {
            let outcome = self.asleep(poll_fn(|context| {
                let Poll::Pending = dispatch.as_mut().poll(context) else { unreachable!("it has no end") };
                order.as_mut().poll(context)
            }));
            sold.extend(self.durable_seqs(outcome));
        }
        sold
    }
}

/// What was answered, and where the journal ended then.
type Told = (Vec<Result<Answer, Refusal>>, Tip);

fn seq_of(outcome: Result<Answer, Refusal>) -> Seq {
    match outcome {
        Ok(Answer::Order(order)) => order.seq,
        other => panic!("there are units for all: {other:?}"),
    }
}

/// A shard whose sale has units for all, and is open.
fn open_sale(journal: Watched) -> Shard<Watched, Way> {
    let catalog = Catalog::new(NonZeroU16::MIN, 9);
    let mut shard = Shard::new(journal, State::new(ShardId::FIRST, 1), clock::now(), catalog);
    let terms = SaleTerms::new("Concert", Currency::new("EUR").unwrap(), 600);
    let item = ItemTerms::new(Slug::new("ga").unwrap(), "Standing", 6_000);
    let slug = Slug::new("concert").unwrap();
    let create =
        Request::Command(Command::CreateSale { slug, terms: terms.into(), items: vec![(item, 1_000)] });
    let open = Request::Command(Command::MoveSale { sale: SaleId(0), to: SaleStatus::Open });
    let requests = [create, open].map(|request| (Way::Alone(Ticket::new(0, Instant::now()).0), request));
    shard.decide(clock::now(), requests.into_iter());
    shard.commit().unwrap();
    assert!(shard.release().all(|(_, outcome)| outcome.is_ok()));
    shard
}

fn place(buyer: &str) -> OrderWanted {
    OrderWanted {
        buyer: BuyerId::from_text(buyer),
        key: KeyDigest::from_text("key"),
        wishes: Wishes::one(Wish { item: ItemIndex(0), quantity: 1 }),
    }
}
