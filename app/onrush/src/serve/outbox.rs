//! The way back from a writer: a whole batch of outcomes for an I/O thread, with one wake-up.

use std::sync::Arc;
use std::time::Instant;

use edge::Decided;
use tokio::sync::{Notify, oneshot};

use super::sync::Mutex;

/// Says where an outcome goes: through which outbox, to which waiting request.
pub(crate) struct Ticket {
    pub(crate) outbox: usize,
    /// When the request came, a moment before it was put into an inbox.
    pub(crate) since: Instant,
    sender: oneshot::Sender<Decided>,
}

impl Ticket {
    /// A ticket of the outbox that has this number, and what waits for its outcome.
    pub(crate) fn new(outbox: usize, since: Instant) -> (Ticket, oneshot::Receiver<Decided>) {
        let (sender, receiver) = oneshot::channel();
        (Ticket { outbox, since, sender }, receiver)
    }
}

/// The outcomes for one I/O thread. A writer delivers a batch at once; the thread's [`Outbox::dispatch`] hands
/// them to the requests that wait, which costs no further wake-up since they are on the same thread.
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

    /// Hands out what arrives, for ever. To be run on the I/O thread.
    pub(crate) async fn dispatch(self: Arc<Outbox>) {
        let mut batch = Vec::new();
        loop {
            self.notify.notified().await;
            std::mem::swap(&mut batch, &mut *self.arrived.lock());
            for (ticket, outcome) in batch.drain(..) {
                // Whoever waited may have gone; the outcome is durable all the same.
                let _ = ticket.sender.send(outcome);
            }
        }
    }
}
