//! Drives the real binary from outside, as an operator and a buyer would: a process, a data folder, HTTP.
//!
//! Every wait has a deadline that a busy machine does not reach; nothing here sleeps for a guessed time.
#![allow(dead_code, reason = "every test binary uses a part of it")]

pub(crate) mod http;
pub(crate) mod onrush;
pub(crate) mod payment;
pub(crate) mod sale;
pub(crate) mod server;

use std::time::{Duration, Instant};

/// How long anything that must happen may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until there is an answer; fails the test when none comes within [`PATIENCE`].
#[track_caller]
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
