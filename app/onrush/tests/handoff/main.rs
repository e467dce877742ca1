//! The hand-off between threads, under checkers that choose the order of steps instead of the machine.
//!
//! What is checked is what the server runs: the very files of `src/serve`, compiled here once more, with a `sync` whose
//! atomics, locks and threads are the checker's. No other flag and no other target folder is needed. Where the
//! server sleeps for at most so many milliseconds, the checkers sleep for ever: no timeout hides a lost wake-up.
//!
//! | Module | Checker | What it runs | Bound |
//! | --- | --- | --- | --- |
//! | `under_loom` | loom: every order, and every value that C11 lets a relaxed load see | `Inbox`, `SeqCell` | 3 threads, 2 pushers × up to 2 requests, at most 2 preemptions in an execution |
//! | `without_fence` | loom | the same `Inbox`, on a `sync` whose fence does nothing: must be caught | as above |
//! | `under_shuttle` | shuttle: random orders, and PCT with 3 preemptions; sequentially consistent | `Writer::run` with inbox, shard, journal, follower's cells and outboxes | 3 threads and the one that closes, 2 I/O threads × 3 orders, 4,000 executions |
//!
//! Trusted, not checked: the algorithms within `crossbeam_queue::ArrayQueue`, `parking_lot::Mutex`, `tokio::sync` and `OnceLock`.
//! Under loom the queue is a model that promises less than the real one (`loom_sync`); under shuttle it is the real
//! one, and each of its operations is one step. Figures: `cargo test --release -p onrush --test handoff -- --nocapture`.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "the server's files are compiled whole, and a check needs a part of them"
)]
#![allow(clippy::print_stdout, reason = "a bound is worth something when it is said")]

mod loom_sync;
mod under_loom;
mod under_shuttle;
mod without_fence;
