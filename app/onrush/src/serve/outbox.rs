//! The way back from a writer: a whole batch of outcomes for an I/O thread, with one wake-up; a lone one without.

use std::mem::MaybeUninit;
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
    /// Where the outcome will stand, not to be moved any more.
    place: Box<MaybeUninit<Decided>>,
}

/// An outcome on its way.
pub(crate) struct Delivery {
    sender: oneshot::Sender<Box<Decided>>,
    decided: Box<Decided>,
}

impl Ticket {
    /// A ticket of the outbox that has this number, and what waits for its outcome.
    pub(crate) fn new(outbox: usize, since: Instant) -> (Ticket, oneshot::Receiver<Box<Decided>>) {
        let (sender, receiver) = oneshot::channel();
        (Ticket { outbox, since, sender, place: Box::new_uninit() }, receiver)
    }

    /// The outcome, for the ticket's outbox.
    pub(crate) fn decided(self, decided: Decided) -> Delivery {
        Delivery { sender: self.sender, decided: Box::write(self.place, decided) }
    }
}

impl Delivery {
    /// Hands it to the request that waits: an order's answer is written by this very call, on the thread that it runs on.
    pub(crate) fn hand_out(self) {
        // Whoever waited may have gone; the outcome is durable all the same.
        let _ = self.sender.send(self.decided);
    }
}

/// The outcomes for one I/O thread. A writer delivers a batch at once; the thread's [`Outbox::dispatch`] hands them out.
#[derive(Default)]
pub(crate) struct Outbox {
    arrived: Mutex<Vec<Delivery>>,
    notify: Notify,
}

impl Outbox {
    pub(crate) fn new() -> Arc<Outbox> {
        Arc::new(Outbox::default())
    }

    /// Delivers a batch, which is empty afterwards.
    pub(crate) fn deliver(&self, deliveries: &mut Vec<Delivery>) {
        if deliveries.is_empty() {
            return;
        }
        let mut arrived = self.arrived.lock();
        match arrived.is_empty() {
            true => std::mem::swap(&mut *arrived, deliveries),
            false => arrived.append(deliveries),
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
                rest.by_ref().take(PIECE_LEN).for_each(Delivery::hand_out);
                if rest.len() == 0 {
                    break;
                }
                yield_now().await;
            }
        }
    }
}
