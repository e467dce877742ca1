//! The hand-off between threads under loom, which chooses the order of steps instead of the machine.
//!
//! What is checked is what the server runs: the very files of `src/serve`, compiled here once more, with a `sync` whose
//! atomics, locks and threads are loom's. No other flag and no other target folder is needed. Where the server sleeps for
//! at most so many milliseconds, it sleeps for ever here: no timeout hides a lost wake-up. The whole way of an order,
//! with the writer, is in `tests/rounds`.
//!
//! | Module | What it runs | Bound |
//! | --- | --- | --- |
//! | `under_loom` | `Inbox`, `SeqCell`: every order, and every value that C11 lets a relaxed load see | 3 threads, 2 pushers × up to 2 requests, at most 2 preemptions in an execution |
//! | `without_fence` | the same `Inbox`, on a `sync` whose fence does nothing: must be caught | as above |
//!
//! Trusted, not checked: the algorithms within `crossbeam_queue::ArrayQueue`, `parking_lot::Mutex`, `tokio::sync` and
//! `OnceLock`. The queue is a model that promises less than the real one (`loom_sync`).
//!
//! Figures: `cargo test --release -p onrush --test handoff -- --nocapture`.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "the server's files are compiled whole, and a check needs a part of them"
)]
#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]
#![allow(clippy::duplicate_mod, reason = "the same inbox on two kinds of `sync`")]
#![allow(clippy::print_stdout, reason = "a bound is worth something when it is said")]

mod loom_sync;
mod under_loom;
mod without_fence;
