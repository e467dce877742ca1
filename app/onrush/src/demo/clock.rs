//! Waking at an instant, closer than the runtime's timer, which knows whole milliseconds only: the demo
//! measures latencies of about a millisecond from the instant at which a buyer *meant* to send.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// Wake-ups that fall so close together are done at once: each one costs the waking thread a system call.
const GRAIN: Duration = Duration::from_micros(200);

/// A thread that wakes tasks. It ends when the last clone of its handle is dropped.
#[derive(Clone)]
pub(crate) struct Clock {
    alarms: Sender<Alarm>,
}

struct Alarm {
    at: Instant,
    wake: oneshot::Sender<()>,
}

impl Clock {
    pub(crate) fn start() -> std::io::Result<Clock> {
        let (alarms, received) = channel();
        thread::Builder::new().name("demo-clock".to_owned()).spawn(move || run(&received))?;
        Ok(Clock { alarms })
    }

    /// Waits until `at`; not at all when it is past.
    pub(crate) async fn at(&self, at: Instant) {
        if at <= Instant::now() {
            return;
        }
        let (wake, woken) = oneshot::channel();
        if self.alarms.send(Alarm { at, wake }).is_ok() {
            // An error would mean that the thread is gone: then waking early is all that is left.
            let _ = woken.await;
        }
    }
}

fn run(received: &Receiver<Alarm>) {
    let mut waiting: BinaryHeap<Reverse<Waiting>> = BinaryHeap::new();
    loop {
        let next = match waiting.peek() {
            Some(Reverse(first)) => {
                received.recv_timeout(first.0.at.saturating_duration_since(Instant::now()))
            }
            None => received.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match next {
            Ok(alarm) => waiting.push(Reverse(Waiting(alarm))),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let now = Instant::now() + GRAIN / 2;
        while waiting.peek().is_some_and(|first| first.0.0.at <= now) {
            if let Some(Reverse(Waiting(alarm))) = waiting.pop() {
                // A task that was dropped needs no waking.
                let _ = alarm.wake.send(());
            }
        }
    }
}

/// Orders alarms by their instant.
struct Waiting(Alarm);

impl PartialEq for Waiting {
    fn eq(&self, other: &Waiting) -> bool {
        self.0.at == other.0.at
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Waiting) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Waiting) -> std::cmp::Ordering {
        self.0.at.cmp(&other.0.at)
    }
}
