//! `cargo xtask bench`: installs what the benchmark calls, builds what is measured as it is shipped, and runs it.

use std::path::Path;

use crate::{setup, step};

/// Runs `bench run` with these words.
///
/// # Errors
/// When something cannot be installed or built, or what was measured is void.
pub(crate) fn run(words: &[&str], root: &Path) -> anyhow::Result<()> {
    setup::run(setup::OF_BENCH)?;
    let run = ["run", "--profile", "dist", "--quiet", "--package", "bench", "--", "run"];
    let words: Vec<String> = run.iter().chain(words).map(|word| (*word).to_owned()).collect();
    step::cargo(&words, &[], root)
}
