//! What is fuzzed, one module for each target: how an input is taken apart, and what must hold for whatever comes of
//! it. The programs in `fuzz_targets` only call them. Start with [`facts`], the smallest.
//!
//! A target that only looks for panics finds little. So each of these compares: with a second way through the same
//! bytes, with the bytes that the result is written as, or with what is known about how the input was made.

pub mod bulk;
pub mod callback;
pub mod configuration;
mod disk;
pub mod engine;
pub mod facts;
pub mod hot_route;
pub mod journal_recovery;
mod oracle;
pub mod request_json;
pub mod snapshot;
mod source;
pub mod token;
mod world;
