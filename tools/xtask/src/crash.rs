//! The long runs against the real binary: kills, and faults of its system calls. Short ones are in the test suite.

use std::path::Path;

use anyhow::Context as _;

use crate::{setup, step};

/// Of the large state that restarts and snapshots are measured with.
const ORDER_COUNT: &str = "1000000";

/// `cargo xtask crash --cycles N`: so many kills under load, then restarts and snapshots with a million orders.
///
/// # Errors
/// When anything was lost, oversold or doubled, or `cycles` is no number.
pub(crate) fn run(cycles: &str, root: &Path) -> anyhow::Result<()> {
    cycles.parse::<u32>().with_context(|| format!("`{cycles}` is no number of cycles"))?;
    let words = test_words("crash", &["--test-threads=1"]);
    step::cargo(&words, &[("CRASH_CYCLES", cycles), ("CRASH_ORDERS", ORDER_COUNT)], root)
}

/// `cargo xtask faults`: every fault at every call.
///
/// # Errors
/// When a promise was broken.
pub(crate) fn run_faults(root: &Path) -> anyhow::Result<()> {
    setup::run(setup::OF_TESTS)?;
    step::cargo(&test_words("faults", &[]), &[("FAULTS", "all")], root)
}

fn test_words(name: &str, more: &[&str]) -> Vec<String> {
    let words = ["test", "--release", "--quiet", "--package", "onrush", "--test", name, "--", "--nocapture"];
    words.iter().chain(more).map(|&word| word.to_owned()).collect()
}
