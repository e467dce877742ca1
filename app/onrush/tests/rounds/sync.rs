//! Shuttle's parts for the hand-off. A thread that sleeps so many milliseconds sleeps for ever here: a lost wake-up is a
//! deadlock, which shuttle reports.

pub(crate) use std::sync::OnceLock;

pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
pub(crate) use shuttle::thread::{Thread, current, park_timeout};

/// Shuttle's lock with the face of `parking_lot`'s.
#[derive(Default)]
pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn lock(&self) -> shuttle::sync::MutexGuard<'_, T> {
        self.0.lock().unwrap()
    }
}

/// The server's own queue; before each of its operations another thread may go.
pub(crate) struct ArrayQueue<T> {
    queue: crossbeam_queue::ArrayQueue<T>,
    step: AtomicBool,
}

impl<T> ArrayQueue<T> {
    pub(crate) fn new(capacity: usize) -> ArrayQueue<T> {
        ArrayQueue { queue: crossbeam_queue::ArrayQueue::new(capacity), step: AtomicBool::new(false) }
    }

    pub(crate) fn push(&self, value: T) -> Result<(), T> {
        self.step().push(value)
    }

    pub(crate) fn pop(&self) -> Option<T> {
        self.step().pop()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.step().is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.step().len()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.queue.capacity()
    }

    fn step(&self) -> &crossbeam_queue::ArrayQueue<T> {
        self.step.load(Ordering::SeqCst);
        &self.queue
    }
}
