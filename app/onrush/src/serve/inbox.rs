//! The way to a writer: a bounded queue without a lock, and one wake-up when the writer sleeps.

use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

use crossbeam_queue::ArrayQueue;
use domain::Request;

use super::outbox::Ticket;

/// The requests that wait for one writer.
pub(crate) struct Inbox {
    queue: ArrayQueue<(Ticket, Request)>,
    writer: OnceLock<Thread>,
    /// The writer sleeps, or is about to.
    asleep: AtomicBool,
    closed: AtomicBool,
}

/// Why a request was not taken. Its ticket comes back, unanswered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NotTaken {
    Full,
    Closed,
}

impl Inbox {
    pub(crate) fn new(len_max: usize) -> Arc<Inbox> {
        Arc::new(Inbox {
            queue: ArrayQueue::new(len_max),
            writer: OnceLock::new(),
            asleep: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
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

    /// Takes no more; what is in stays to be answered.
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

    /// Lets the writer sleep until a request comes or `timeout` is over. To be called on the writer's thread only.
    pub(crate) fn wait(&self, timeout: Duration) {
        self.writer.get_or_init(thread::current);
        // Release, for `writer`: whoever sees `asleep` must see whom to wake.
        self.asleep.store(true, Ordering::Release);
        // Pairs with the fence in `wake`: either the pusher sees `asleep`, or this sees what was pushed.
        fence(Ordering::SeqCst);
        if self.queue.is_empty() && !self.is_closed() {
            thread::park_timeout(timeout);
        }
        self.asleep.store(false, Ordering::Relaxed);
    }

    fn wake(&self) {
        fence(Ordering::SeqCst);
        // The first pusher wakes, the others do not: one wake-up for many requests.
        if self.asleep.load(Ordering::Relaxed)
            && self.asleep.swap(false, Ordering::Acquire)
            && let Some(writer) = self.writer.get()
        {
            writer.unpark();
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{Actor, OrderId};

    use super::super::outbox::Outbox;
    use super::*;

    fn request(raw: u64) -> Request {
        Request::ShowOrder { order: OrderId::from_raw(raw).unwrap(), by: Actor::Organiser }
    }

    #[test]
    fn full_inbox_takes_nothing_and_closed_one_neither() {
        let outbox = Outbox::new();
        let inbox = Inbox::new(2);
        let push = |raw| inbox.push(outbox.ticket(0).0, request(raw));
        assert_eq!((push(1), push(2), push(3)), (Ok(()), Ok(()), Err(NotTaken::Full)));
        inbox.close();
        assert_eq!(push(4), Err(NotTaken::Closed));
        assert_eq!(inbox.drain().count(), 2, "what is in stays to be answered");
    }

    #[test]
    fn sleeping_writer_wakes_for_every_request() {
        const COUNT: u64 = 20_000;
        let outbox = Outbox::new();
        let inbox = Inbox::new(64);
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
            while inbox.push(outbox.ticket(0).0, request(raw)).is_err() {
                thread::yield_now();
            }
        }
        writer.join().unwrap();
    }
}
