//! The way to a writer: a bounded queue without a lock, one more for bulks, and one wake-up when the writer sleeps.

use std::sync::Arc;
use std::time::Duration;

use domain::Request;

use super::bulk::BulkTicket;
use super::bustle::Bustle;
use super::outbox::Ticket;
use super::sync::{ArrayQueue, AtomicBool, OnceLock, Ordering, Thread, current, fence, park_timeout};

/// Bulks that may wait for one writer, whatever the edge lets in at a time.
const BULK_COUNT_MAX: usize = 16;

/// The requests that wait for one writer.
pub(crate) struct Inbox {
    queue: ArrayQueue<(Ticket, Request)>,
    bulks: ArrayQueue<BulkTicket>,
    writer: OnceLock<Thread>,
    /// The writer sleeps, or is about to.
    asleep: AtomicBool,
    /// The writer waits for its batch to fill, or is about to.
    gathering: AtomicBool,
    /// Who may fill it.
    bustle: Arc<Bustle>,
    closed: AtomicBool,
}

/// Why a request was not taken. Its ticket comes back, unanswered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NotTaken {
    Full,
    Closed,
}

impl Inbox {
    pub(crate) fn new(len_max: usize, bustle: Arc<Bustle>) -> Arc<Inbox> {
        Arc::new(Inbox {
            queue: ArrayQueue::new(len_max),
            bulks: ArrayQueue::new(BULK_COUNT_MAX),
            writer: OnceLock::new(),
            asleep: AtomicBool::new(false),
            gathering: AtomicBool::new(false),
            bustle,
            closed: AtomicBool::new(false),
        })
    }

    /// Requests that wait, but for bulks: those wait behind them.
    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn has_bulks(&self) -> bool {
        !self.bulks.is_empty()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.bulks.is_empty()
    }

    /// Whether nobody is awake who may bring more.
    pub(crate) fn is_filled(&self) -> bool {
        self.bustle.is_over()
    }

    pub(crate) fn len_max(&self) -> usize {
        self.queue.capacity()
    }

    /// Puts a request in and wakes the writer if it sleeps.
    pub(crate) fn push(&self, ticket: Ticket, request: Request) -> Result<(), NotTaken> {
        if self.closed.load(Ordering::Acquire) {
            return Err(NotTaken::Closed);
        }
        self.queue.push((ticket, request)).map_err(|_| NotTaken::Full)?;
        self.wake();
        Ok(())
    }

    /// The same for a bulk.
    pub(crate) fn push_bulk(&self, bulk: BulkTicket) -> Result<(), NotTaken> {
        if self.closed.load(Ordering::Acquire) {
            return Err(NotTaken::Closed);
        }
        self.bulks.push(bulk).map_err(|_| NotTaken::Full)?;
        self.wake();
        Ok(())
    }

    /// Takes no more; what is in stays to be answered. To be called when nobody pushes any more: whoever had looked
    /// at `closed` just before may push behind the writer's last look, and wait for ever.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.wake();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// The requests that are in, one by one. For the writer.
    pub(crate) fn drain(&self) -> impl Iterator<Item = (Ticket, Request)> {
        std::iter::from_fn(|| self.queue.pop())
    }

    /// The bulk that came first. For the writer.
    pub(crate) fn pop_bulk(&self) -> Option<BulkTicket> {
        self.bulks.pop()
    }

    /// Lets the writer sleep until a request comes or `timeout` is over. To be called on the writer's thread only.
    pub(crate) fn wait(&self, timeout: Duration) {
        self.doze(&self.asleep, timeout, || !self.is_empty());
    }

    /// Lets the writer sleep while somebody is awake who may bring more, at most for `timeout`. It may return early. To be
    /// called on the writer's thread only.
    pub(crate) fn gather(&self, timeout: Duration) {
        self.doze(&self.gathering, timeout, || self.is_filled());
    }

    fn doze(&self, flag: &AtomicBool, timeout: Duration, is_over: impl FnOnce() -> bool) {
        self.writer.get_or_init(current);
        // Release, for `writer`: whoever sees the flag must see whom to wake.
        flag.store(true, Ordering::Release);
        // Pairs with the fences in `wake` and `Bustle::sleep`: either the other sees the flag, or this sees what the other did.
        fence(Ordering::SeqCst);
        if !is_over() && !self.is_closed() {
            park_timeout(timeout);
        }
        flag.store(false, Ordering::Relaxed);
    }

    /// Says that nobody is awake who may bring more. By an I/O thread that is about to sleep, behind [`Bustle::sleep`].
    pub(crate) fn nobody_brings_more(&self) {
        self.rouse(&self.gathering);
    }

    fn wake(&self) {
        fence(Ordering::SeqCst);
        self.rouse(&self.asleep);
    }

    /// Wakes the writer if it dozes under that flag. The first wakes it, the others do not: one wake-up for many requests.
    fn rouse(&self, flag: &AtomicBool) {
        if flag.load(Ordering::Relaxed)
            && flag.swap(false, Ordering::Acquire)
            && let Some(writer) = self.writer.get()
        {
            writer.unpark();
        }
    }
}
