//! The way back from a writer: a whole batch of outcomes for an I/O thread, with one wake-up.

use std::sync::Arc;
use std::time::Instant;

use edge::Decided;
use tokio::sync::{Notify, oneshot};
use tokio::task::yield_now;

use super::sync::Mutex;

/// Outcomes that are handed out before the thread looks for requests again.
const PIECE_LEN: usize = 64;

/// Says where an outcome goes: through which outbox, to which waiting request.
pub(crate) struct Ticket {
    pub(crate) outbox: usize,
    /// When the request came, a moment before it was put into an inbox.
    pub(crate) since: Instant,
    sender: oneshot::Sender<Box<Decided>>,
}

impl Ticket {
    /// A ticket of the outbox that has this number, and what waits for its outcome.
    pub(crate) fn new(outbox: usize, since: Instant) -> (Ticket, oneshot::Receiver<Box<Decided>>) {
        let (sender, receiver) = oneshot::channel();
        (Ticket { outbox, since, sender }, receiver)
    }
}

/// The outcomes for one I/O thread. A writer delivers a batch at once; the thread's [`Outbox::dispatch`] hands
/// them to the requests that wait: an order's answer is written by that very call, since its connection is on the same thread.
#[derive(Default)]
pub(crate) struct Outbox {
    arrived: Mutex<Vec<(Ticket, Decided)>>,
    notify: Notify,
}

impl Outbox {
    pub(crate) fn new() -> Arc<Outbox> {
        Arc::new(Outbox::default())
    }

    /// Delivers a batch, which is empty afterwards.
    pub(crate) fn deliver(&self, outcomes: &mut Vec<(Ticket, Decided)>) {
        if outcomes.is_empty() {
            return;
        }
        let mut arrived = self.arrived.lock();
        match arrived.is_empty() {
            true => std::mem::swap(&mut *arrived, outcomes),
            false => arrived.append(outcomes),
        }
        drop(arrived);
        self.notify.notify_one();
    }

    /// Hands out what arrives, for ever. To be run on the I/O thread, without a budget of its runtime's: what is written here
    /// would use it up for nothing, and this gives way by itself.
    pub(crate) async fn dispatch(self: Arc<Outbox>) {
        let mut batch = Vec::new();
        loop {
            self.notify.notified().await;
            std::mem::swap(&mut batch, &mut *self.arrived.lock());
            let mut rest = batch.drain(..);
            loop {
                rest.by_ref().take(PIECE_LEN).for_each(hand_out);
                if rest.len() == 0 {
                    break;
                }
                yield_now().await;
            }
        }
    }
}

fn hand_out((ticket, outcome): (Ticket, Decided)) {
    // Whoever waited may have gone; the outcome is durable all the same.
    let _ = ticket.sender.send(Box::new(outcome));
}
