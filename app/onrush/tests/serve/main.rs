//! `onrush serve` from outside: its life, selling, overload, strangers, and bad disks.
#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

mod bulk;
mod disk;
mod life;
mod load;
mod money;
mod overload;
mod receipts;
mod selling;
mod slow;
mod strangers;
#[path = "../support/mod.rs"]
mod support;
