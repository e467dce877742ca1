//! Work that must not hold up an order.

use std::panic::resume_unwind;
use std::thread;

/// So much nicer than the others: beside a thread that never waits, one that is nicer by ten gets a tenth of a core
/// (sched(7)). Nicer still, and a snapshot under full load would not end before the next is due.
const NICER: i32 = 10;

/// From now on this thread, and those that it starts, give way to all others. On Linux niceness is a thread's own
/// (setpriority(2)).
pub(super) fn give_way() {
    if let Err(error) = rustix::process::nice(NICER) {
        tracing::debug!(%error, "a background thread cannot give way");
    }
}

/// Does something on a thread that gives way, and waits for it: giving way cannot be taken back without privileges.
pub(super) fn aside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            give_way();
            work()
        });
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}
