//! Putting a state's indexes in order on all cores.

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

use engine::snapshot::Restore;
use engine::{Notes, Unsettled};

/// More threads than that would wait for memory together.
const THREAD_COUNT_MAX: usize = 4;
/// For fewer orders, starting a thread costs more than it saves.
const ORDER_COUNT_SHARED_MIN: usize = 1 << 16;

/// Settles all pieces, of `order_count` orders or so, on several threads when there is much to do.
///
/// # Panics
/// As [`Unsettled::settle`].
pub fn settle<'a>(order_count: usize, pieces: impl Iterator<Item = Unsettled<'a>> + Send) {
    let pieces = Mutex::new(pieces);
    let next = || pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || std::iter::from_fn(next).for_each(Unsettled::settle);
    thread::scope(|scope| {
        (1..thread_count(order_count)).for_each(|_| _ = scope.spawn(work));
        work();
    });
}

/// Notes and settles the orders that were pushed when they are many; a few are left to [`Restore::finish`].
pub(crate) fn settle_if_many(restore: &mut Restore) {
    let order_count = restore.order_count();
    if order_count < ORDER_COUNT_SHARED_MIN {
        return;
    }
    let ranges = restore.ranges(thread_count(order_count));
    let notes: Vec<Notes> = thread::scope(|scope| {
        let restore = &*restore;
        let threads: Vec<_> =
            ranges.into_iter().map(|range| scope.spawn(move || restore.note(range))).collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    restore.add_noted(notes.into_iter());
    settle(order_count, restore.unsettled());
}

/// How many threads should share work on so many orders.
pub fn thread_count(order_count: usize) -> usize {
    match order_count < ORDER_COUNT_SHARED_MIN {
        true => 1,
        false => thread::available_parallelism().map_or(1, usize::from).min(THREAD_COUNT_MAX),
    }
}
