//! What the hand-off between threads is built on, in one place, so that a checker can take its place: `tests/handoff` and
//! `tests/rounds` compile the very files of the hand-off with a `sync` of loom's and of shuttle's parts instead.

pub(crate) use std::sync::OnceLock;
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
pub(crate) use std::thread::{Thread, current, park_timeout};

pub(crate) use crossbeam_queue::ArrayQueue;
pub(crate) use parking_lot::Mutex;
