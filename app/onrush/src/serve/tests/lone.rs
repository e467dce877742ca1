//! Who hands out a writer's answers: the writer itself when there is one for sleepers, their thread otherwise; and what is known
//! by then.

use std::pin::Pin;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use domain::{SaleId, Seq};
use edge::Decided;
use journal::Memory;
use tokio::sync::oneshot;
use views::OrdersQuery;

use super::{create_sale, writer};
use crate::serve::bustle::Bustle;
use crate::serve::follower::{Follow, Job};
use crate::serve::inbox::Inbox;
use crate::serve::outbox::{Outbox, Ticket};
use crate::serve::pace::Pace;

/// Asks for a list as soon as an outcome is there.
struct Lister {
    follow: Arc<Follow>,
    pages: Mutex<Vec<oneshot::Receiver<views::OrdersPage>>>,
}

impl Wake for Lister {
    fn wake(self: Arc<Self>) {
        let query = OrdersQuery { sale: SaleId(0), state: None, after: None, count_max: 1 };
        self.pages.lock().unwrap().extend(self.follow.list(query));
    }
}

/// A round with a request through each of these outboxes. Which outcomes the writer hands out, and what each list that is asked for
/// at once has to show.
fn round(through: &[usize], bustle: Bustle) -> (Vec<bool>, Vec<Seq>) {
    let (inbox, outboxes) = (Inbox::new(8, Arc::new(bustle)), [Outbox::new(), Outbox::new()]);
    let mut writer = writer(Memory::new(), &inbox, &outboxes, &Pace::new(Instant::now()));
    let (follow, jobs): (_, Receiver<Job>) = Follow::new(Seq(0));
    writer.follow = Arc::clone(&follow);
    let waker = Waker::from(Arc::new(Lister { follow, pages: Mutex::default() }));
    let ask = |(number, outbox): (usize, &usize)| {
        let (ticket, mut outcome) = Ticket::new(*outbox, Instant::now());
        assert!(poll(&mut outcome, &waker).is_pending());
        inbox.push(ticket, create_sale(&format!("sale-{number}"))).unwrap();
        outcome
    };
    let mut outcomes: Vec<_> = through.iter().enumerate().map(ask).collect();
    inbox.close();
    writer.run().unwrap();
    let is_told = |outcome| match poll(outcome, Waker::noop()) {
        Poll::Ready(decided) => decided.expect("no outcome is dropped").outcome.is_ok(),
        Poll::Pending => false,
    };
    (outcomes.iter_mut().map(is_told).collect(), jobs.try_iter().map(|job| job.seq_min).collect())
}

fn poll(
    outcome: &mut oneshot::Receiver<Box<Decided>>,
    waker: &Waker,
) -> Poll<Result<Box<Decided>, oneshot::error::RecvError>> {
    Pin::new(outcome).poll(&mut Context::from_waker(waker))
}

#[test]
fn lone_answer_to_sleepers_is_the_writers_and_all_others_are_their_threads() {
    assert_eq!(round(&[1], Bustle::default()).0, [true]);
    let awake = Bustle::default();
    awake.wake();
    assert_eq!(round(&[1], awake).0, [false], "who is awake takes it in passing");
    assert_eq!(round(&[0, 0], Bustle::default()).0, [false; 2], "one wake-up for both costs less");
    assert_eq!(round(&[0, 1], Bustle::default()).0, [false; 2], "the second would wait for the first");
}

#[test]
fn list_that_is_asked_for_at_once_has_to_show_what_was_answered() {
    // A term, a sale and its item.
    assert_eq!(round(&[0], Bustle::default()).1, [Seq(3)]);
}
