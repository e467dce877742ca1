//! `cargo xtask bench`: installs what the benchmark calls, builds what is measured as it is shipped, and runs it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::{dist, setup};

/// Runs `bench run` with these words.
///
/// # Errors
/// When something cannot be installed or built, or what was measured is void.
pub(crate) fn run(words: &[&str], root: &Path) -> anyhow::Result<()> {
    setup::run(setup::OF_BENCH)?;
    let programs = dist::bring_up_to_date(root)?;
    let mut bench = Command::new(programs.join("bench"));
    bench.arg("run").arg("--bin").arg(programs.join("onrush")).args(words).current_dir(root);
    let status = bench.status().context("the benchmark could not be started")?;
    if !status.success() {
        bail!("the benchmark: {status}");
    }
    Ok(())
}
