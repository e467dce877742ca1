//! Bulks on their way through the writer: taken in parts, answered as a whole.

use std::collections::VecDeque;
use std::time::Instant;

use domain::{Answer, OrderWanted, Refusal, Request, SaleId};
use edge::{Bulk, BulkDecided, Tip};
use tokio::sync::oneshot;

use super::inbox::Inbox;
use super::outbox::Ticket;

/// Where an outcome goes.
pub(crate) enum Way {
    /// To whoever asked for it alone.
    Alone(Ticket),
    /// To the bulk that is first in the row without all its outcomes.
    Bulk,
}

/// A bulk with the place where its outcomes gather.
pub(crate) struct BulkTicket {
    sale: SaleId,
    orders: std::vec::IntoIter<OrderWanted>,
    outcomes: Vec<Result<Answer, Refusal>>,
    order_count: usize,
    since: Instant,
    sender: oneshot::Sender<BulkDecided>,
}

impl BulkTicket {
    /// A ticket for a bulk, and what waits for its outcomes. They come over one channel from the writer's thread: of
    /// bulks there are few, and a wake-up for each costs nothing beside its orders.
    pub(crate) fn new(bulk: Bulk) -> (BulkTicket, oneshot::Receiver<BulkDecided>) {
        let (sender, receiver) = oneshot::channel();
        let Bulk { sale, orders } = bulk;
        let order_count = orders.len();
        // Its memory is asked for here, not on the writer's thread.
        let outcomes = Vec::with_capacity(order_count);
        let orders = orders.into_iter();
        (BulkTicket { sale, orders, outcomes, order_count, since: Instant::now(), sender }, receiver)
    }

    fn is_answered(&self) -> bool {
        self.outcomes.len() == self.order_count
    }
}

/// The bulks that a writer is at, in the order in which they came.
#[derive(Default)]
pub(crate) struct Bulks {
    row: VecDeque<BulkTicket>,
    /// The first in the row with orders that were not taken.
    taking: usize,
    /// The first in the row without all its outcomes.
    answering: usize,
}

impl Bulks {
    /// The next orders, one by one: what is left of those in the row, then from the inbox.
    pub(crate) fn take(&mut self, inbox: &Inbox) -> impl Iterator<Item = (Way, Request)> {
        std::iter::from_fn(move || {
            loop {
                let Some(bulk) = self.row.get_mut(self.taking) else {
                    self.row.push_back(inbox.pop_bulk()?);
                    continue;
                };
                match bulk.orders.next() {
                    Some(order) => return Some((Way::Bulk, order.of_sale(bulk.sale))),
                    None => self.taking += 1,
                }
            }
        })
    }

    /// When the first in the row came.
    pub(crate) fn first_since(&self) -> Option<Instant> {
        self.row.front().map(|bulk| bulk.since)
    }

    /// Whether none is under way.
    pub(crate) fn is_empty(&self) -> bool {
        self.row.is_empty()
    }

    /// The next outcome, in the order in which orders were taken.
    pub(crate) fn answered(&mut self, outcome: Result<Answer, Refusal>) {
        let bulk = self.row.get_mut(self.answering).expect("an outcome belongs to an order that was taken");
        bulk.outcomes.push(outcome);
        if bulk.is_answered() {
            self.answering += 1;
        }
    }

    /// Delivers every bulk that has all its outcomes; they are durable, and the journal ends with `tip`.
    pub(crate) fn deliver(&mut self, tip: Tip) {
        for bulk in self.row.drain(..self.answering) {
            // Whoever waited may have gone; the outcomes are durable all the same.
            let _ = bulk.sender.send(BulkDecided { outcomes: bulk.outcomes, tip });
        }
        self.taking = self.taking.saturating_sub(self.answering);
        self.answering = 0;
    }
}
