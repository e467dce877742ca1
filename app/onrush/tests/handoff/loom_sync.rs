//! Loom's parts for the hand-off, and models of those that loom does not have.

use std::time::Duration;

use loom::sync::atomic::AtomicUsize;
pub(crate) use loom::sync::atomic::{Ordering, fence};
pub(crate) use loom::thread::{Thread, current};

/// Sleeps until somebody wakes it. There is no timeout: a lost wake-up is a deadlock, which loom reports.
pub(crate) fn park_timeout(_timeout: Duration) {
    loom::thread::park();
}

/// An atomic of loom's whose stores are swaps. Loom 0.7 lets a store slip in between the two halves of another
/// thread's swap (tokio-rs/loom#254), which no machine does, and reports lost values and wake-ups that cannot be.
/// Nothing is hidden by it here: each cell has one thread that stores, all others only swap, and so a store is the
/// newest value of its cell in any case.
macro_rules! atomic {
    ($name:ident, $value:ty) => {
        #[derive(Default)]
        pub(crate) struct $name(loom::sync::atomic::$name);

        impl $name {
            pub(crate) fn new(value: $value) -> $name {
                $name(loom::sync::atomic::$name::new(value))
            }

            pub(crate) fn load(&self, order: Ordering) -> $value {
                self.0.load(order)
            }

            pub(crate) fn store(&self, value: $value, order: Ordering) {
                self.0.swap(value, order);
            }

            pub(crate) fn swap(&self, value: $value, order: Ordering) -> $value {
                self.0.swap(value, order)
            }
        }
    };
}

impl AtomicU64 {
    pub(crate) fn fetch_add(&self, value: u64, order: Ordering) -> u64 {
        self.0.fetch_add(value, order)
    }

    pub(crate) fn fetch_sub(&self, value: u64, order: Ordering) -> u64 {
        self.0.fetch_sub(value, order)
    }
}

atomic!(AtomicBool, bool);
atomic!(AtomicU64, u64);

/// Loom's lock with the face of `parking_lot`'s.
#[derive(Default)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
        self.0.lock().unwrap()
    }
}

/// A value that is set once; loom sees the flag.
pub(crate) struct OnceLock<T> {
    is_set: AtomicBool,
    value: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    pub(crate) fn new() -> OnceLock<T> {
        OnceLock { is_set: AtomicBool::new(false), value: std::sync::OnceLock::new() }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.is_set.load(Ordering::Acquire).then(|| self.value.get()).flatten()
    }

    pub(crate) fn get_or_init(&self, init: impl FnOnce() -> T) -> &T {
        let value = self.value.get_or_init(init);
        if !self.is_set.load(Ordering::Relaxed) {
            self.is_set.store(true, Ordering::Release);
        }
        value
    }
}

/// What the inbox may expect of a bounded queue with one reader, and no more: what was pushed is whole when it is
/// popped. A look at the length is relaxed, where the real queue's is sequentially consistent, so that the inbox has
/// to order its looks by itself.
pub(crate) struct ArrayQueue<T> {
    /// Locked for one move only, never across a step that loom sees.
    slots: Box<[std::sync::Mutex<Option<T>>]>,
    pushing: loom::sync::Mutex<()>,
    head: AtomicUsize,
    tail: AtomicUsize,
}

impl<T> ArrayQueue<T> {
    pub(crate) fn new(capacity: usize) -> ArrayQueue<T> {
        ArrayQueue {
            slots: (0..capacity).map(|_| std::sync::Mutex::new(None)).collect(),
            pushing: loom::sync::Mutex::new(()),
            head: AtomicUsize::new(0),
            tail: AtomicUsize::new(0),
        }
    }

    pub(crate) fn push(&self, value: T) -> Result<(), T> {
        let _turn = self.pushing.lock().unwrap();
        let tail = self.tail.load(Ordering::Relaxed);
        if tail - self.head.load(Ordering::Acquire) == self.slots.len() {
            return Err(value);
        }
        let before = self.slots[tail % self.slots.len()].lock().unwrap().replace(value);
        assert!(before.is_none(), "a slot is filled when it is free");
        self.tail.store(tail + 1, Ordering::Release);
        Ok(())
    }

    pub(crate) fn pop(&self) -> Option<T> {
        let head = self.head.load(Ordering::Relaxed);
        if head == self.tail.load(Ordering::Acquire) {
            return None;
        }
        let value = self.slots[head % self.slots.len()].lock().unwrap().take();
        self.head.store(head + 1, Ordering::Release);
        Some(value.expect("a slot before the tail is filled"))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn len(&self) -> usize {
        let head = self.head.load(Ordering::Relaxed);
        self.tail.load(Ordering::Relaxed).saturating_sub(head)
    }

    pub(crate) fn capacity(&self) -> usize {
        self.slots.len()
    }
}
