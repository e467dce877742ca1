//! Work that must not hold up an order.

/// So much nicer than the others: beside a thread that never waits, one that is nicer by ten gets a tenth of a core
/// (sched(7)).
const NICER: i32 = 10;

/// From now on this thread, and those that it starts, give way to all others. On Linux niceness is a thread's own
/// (setpriority(2)).
pub(super) fn give_way() {
    if let Err(error) = rustix::process::nice(NICER) {
        tracing::debug!(%error, "a background thread cannot give way");
    }
}
