//! Runs steps one after the other, says how long each took, and stops at the first that fails.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::plan::{Action, Step};
use crate::{fuzz, setup, tidy};

/// Variables that `cargo run` sets for this tool, and that would make an inner cargo believe that something
/// changed and build dependencies anew.
const VARIABLES_OF_CARGO_RUN: [&str; 4] =
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_PRIMARY_PACKAGE"];

/// Runs the steps in the folder `root`.
///
/// # Errors
/// When a step fails; the ones after it are not run.
pub(crate) fn run_all(steps: &[Step], root: &Path) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut summary = String::new();
    for (index, step) in steps.iter().enumerate() {
        println!("── {} of {}: {} ──", index + 1, steps.len(), step.title);
        let step_started = Instant::now();
        run(step, root)
            .with_context(|| format!("step `{}` failed; the steps after it were not run", step.title))?;
        println!("   {} done in {}\n", step.title, seconds(step_started.elapsed()));
        write!(summary, " {} {} ·", step.title, seconds(step_started.elapsed()))?;
    }
    println!(
        "all {} steps passed in {}:{}",
        steps.len(),
        seconds(started.elapsed()),
        summary.trim_end_matches(" ·")
    );
    Ok(())
}

fn run(step: &Step, root: &Path) -> anyhow::Result<()> {
    match &step.action {
        Action::Setup => setup::run(setup::OF_TESTS),
        Action::Tidy => tidy::run(root),
        Action::Fuzz => fuzz::run(&[], root),
        Action::Cargo { words, environment } => cargo(words, environment, root),
    }
}

/// Calls cargo in the folder `root`. `{target}` in a word stands for the folder where cargo builds.
///
/// # Errors
/// When cargo says that it failed.
pub(crate) fn cargo(words: &[String], environment: &[(&str, &str)], root: &Path) -> anyhow::Result<()> {
    let target = target_folder(root);
    let target = target.to_str().context("the target folder's name is not UTF-8")?;
    let words: Vec<String> = words.iter().map(|word| word.replace("{target}", target)).collect();
    println!("   cargo {}", words.join(" "));
    let mut command = cargo_command(root);
    command.args(&words).envs(environment.iter().copied());
    let status = command.status().context("cargo could not be started")?;
    if !status.success() {
        bail!("`cargo {}`: {status}", words.join(" "));
    }
    Ok(())
}

/// A call of cargo in the folder `root`, as a person would make it.
pub(crate) fn cargo_command(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if VARIABLES_OF_CARGO_RUN.iter().any(|start| name.starts_with(start)) {
            command.env_remove(name);
        }
    }
    command.current_dir(root);
    command
}

/// Where cargo builds, as cargo itself finds it out.
pub(crate) fn target_folder(root: &Path) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root.join(folder),
        None => root.join("target"),
    }
}

fn seconds(duration: Duration) -> String {
    format!("{}.{} s", duration.as_secs(), duration.subsec_millis() / 100)
}
