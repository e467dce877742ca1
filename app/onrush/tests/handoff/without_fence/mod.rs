//! The same inbox, on a `sync` whose fence does nothing: shows that loom would see the fence missing.

#[path = "../../../src/serve/bulk.rs"]
mod bulk;
#[path = "../../../src/serve/bustle.rs"]
mod bustle;
#[path = "../../../src/serve/inbox.rs"]
mod inbox;
#[path = "../../../src/serve/outbox.rs"]
mod outbox;
#[path = "../under_loom/scenarios.rs"]
mod scenarios;

mod sync {
    pub(crate) use super::super::loom_sync::{
        ArrayQueue, AtomicBool, AtomicU64, Mutex, OnceLock, Ordering, Thread, current, park_timeout,
    };

    pub(crate) fn fence(_order: Ordering) {}
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_wake_up_is_lost() {
    scenarios::explore("one request, no fence", || scenarios::push_all([1, 0], 1));
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_wake_up_by_a_bulk_is_lost() {
    scenarios::explore("a bulk and a request, no fence", scenarios::push_bulk_and_request);
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_writer_gathers_for_ever() {
    scenarios::explore("2 I/O threads go to sleep, no fence", scenarios::gather_and_go);
}
