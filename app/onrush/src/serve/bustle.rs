//! Whether the I/O threads have more to bring, or sleep.

use super::sync::{AtomicU64, Ordering, fence};

/// Counts the I/O threads that are awake. A writer that gathers a batch writes it when the last of them has nothing left to do:
/// nobody will fill it further.
#[derive(Default)]
pub(crate) struct Bustle {
    awake_count: AtomicU64,
}

impl Bustle {
    /// An I/O thread has something to do.
    pub(crate) fn wake(&self) {
        self.awake_count.fetch_add(1, Ordering::Relaxed);
    }

    /// An I/O thread is about to sleep; says whether all the others do.
    pub(crate) fn sleep(&self) -> bool {
        // What the others brought is there for whoever sees that they sleep.
        let is_last = self.awake_count.fetch_sub(1, Ordering::AcqRel) == 1;
        // Pairs with the fence in `Inbox::doze`: either the writer sees that nobody is awake, or this thread that one gathers.
        fence(Ordering::SeqCst);
        is_last
    }

    /// Whether all sleep.
    pub(crate) fn is_over(&self) -> bool {
        self.awake_count.load(Ordering::Acquire) == 0
    }
}
