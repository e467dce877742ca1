//! `cargo xtask mutants`: wakes each planted bug and shows who finds it.
//!
//! Simulator and tests of the rooms that decide and store are built once with the feature `planted`, into a folder of
//! their own. First everything must pass with no bug awake; then each bug must be found by somebody: the simulator is
//! asked always, the test programs one after the other until one finds it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use domain::planted::Bug;

use crate::step;

/// The rooms whose tests look for the bugs.
const PACKAGES: [&str; 8] = ["domain", "codec", "sequencer", "shard", "views", "engine", "journal", "sim"];
const VARIABLE: &str = "ONRUSH_PLANTED";
const SEED_COUNT: &str = "300";
/// Whatever takes longer than this hangs, which is a way of finding a bug, too.
const PATIENCE: Duration = Duration::from_secs(180);
/// Names of tests shown for one bug.
const TEST_COUNT_SHOWN: usize = 3;

/// Runs all of it.
///
/// # Errors
/// When something fails with no bug awake, or a bug is not found.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let finders = build(root)?;
    println!("{} finders; first with no bug awake", finders.len());
    for finder in &finders {
        if let Some(found) = finder.look(None)? {
            bail!("{} fails with no bug awake: {found}", finder.name);
        }
    }
    println!("\n| planted bug | what it does | the simulator | the tests |\n| --- | --- | --- | --- |");
    let mut missed = Vec::new();
    let mut by_simulator = 0;
    for (_, name, what) in Bug::ALL {
        let (mut simulator, mut tests) = (None, None);
        for finder in &finders {
            // The first test program that finds it will do.
            if !finder.is_simulator && tests.is_some() {
                break;
            }
            match finder.look(Some(name))? {
                Some(found) if finder.is_simulator => simulator = Some(found),
                Some(found) => tests = Some(format!("{}: {found}", finder.name)),
                None => {}
            }
        }
        by_simulator += u32::from(simulator.is_some());
        if simulator.is_none() && tests.is_none() {
            missed.push(*name);
        }
        let shown = |found: Option<String>| found.unwrap_or_else(|| "–".to_owned());
        println!("| {name} | {what} | {} | {} |", shown(simulator), shown(tests));
    }
    println!("\n{} bugs, {by_simulator} found by the simulator, {} by nobody", Bug::ALL.len(), missed.len());
    ensure!(missed.is_empty(), "nobody finds {missed:?}");
    Ok(())
}

/// A program that looks for bugs.
struct Finder {
    name: String,
    program: PathBuf,
    is_simulator: bool,
}

fn build(root: &Path) -> anyhow::Result<Vec<Finder>> {
    let target = step::target_folder(root).join("planted");
    let cargo = |words: &[&str]| -> anyhow::Result<String> {
        let mut command = step::cargo_command(root);
        command.args(words).arg("--target-dir").arg(&target).stderr(Stdio::piped());
        let output = command.output().context("cargo could not be started")?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "cargo {}:\n{told}", words.join(" "));
        Ok(told)
    };
    println!("building simulator and tests with the feature `planted`");
    cargo(&["build", "--release", "--package", "sim", "--bin", "sim", "--features", "sim/planted"])?;
    let mut finders =
        vec![Finder { name: "sim".to_owned(), program: target.join("release/sim"), is_simulator: true }];
    let mut words = vec!["test", "--no-run", "--release", "--features", "sim/planted"];
    PACKAGES.iter().for_each(|package| words.extend(["--package", package]));
    // "  Executable unittests src/lib.rs (path/of/engine-0123456789abcdef)"
    for line in cargo(&words)?.lines().filter(|line| line.trim_start().starts_with("Executable")) {
        let path = line.rsplit_once('(').and_then(|(_, path)| path.strip_suffix(')'));
        let program = root.join(path.with_context(|| format!("cargo said: {line}"))?);
        let stem = program.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = stem.rsplit_once('-').map_or(stem.clone(), |(name, _)| name.to_owned());
        finders.push(Finder { name, program, is_simulator: false });
    }
    Ok(finders)
}

impl Finder {
    /// What it says when it finds something.
    fn look(&self, bug: Option<&str>) -> anyhow::Result<Option<String>> {
        let mut command = Command::new(&self.program);
        if self.is_simulator {
            command.args(["--seeds", SEED_COUNT, "--fail-fast"]);
        }
        command.env_remove(VARIABLE);
        if let Some(bug) = bug {
            command.env(VARIABLE, bug);
        }
        let Some((success, told)) = run_bounded(command)? else { return Ok(Some("hangs".to_owned())) };
        Ok(match success {
            true => None,
            false if self.is_simulator => Some(simulators_word(&told)),
            false => Some(failed_tests(&told)),
        })
    }
}

/// Runs a command with its output in a file, for a pipe that nobody reads would stop it; `None` when it took too long.
fn run_bounded(mut command: Command) -> anyhow::Result<Option<(bool, String)>> {
    let path = std::env::temp_dir().join(format!("onrush-mutants-{}", std::process::id()));
    let file = std::fs::File::create(&path).context("no room for the output of a test")?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let mut child = command.spawn().with_context(|| format!("{command:?} could not be started"))?;
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if started.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let told = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
    std::fs::remove_file(&path)?;
    Ok(status.map(|status| (status.success(), told)))
}

/// "seed 17 failed in step 31:" and what was wrong, in few words.
fn simulators_word(told: &str) -> String {
    let first = told.lines().find(|line| line.starts_with("seed ") && line.contains(" failed in step "));
    let told = first.and_then(|line| line.split(':').next());
    told.map_or_else(|| "stopped".to_owned(), |told| told.replace(" failed in", ""))
}

/// The names of the tests that failed, the first few.
fn failed_tests(told: &str) -> String {
    let failed = |line: &str| Some(line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?.to_owned());
    let names: Vec<String> = told.lines().filter_map(failed).collect();
    let more = names.len().saturating_sub(TEST_COUNT_SHOWN);
    let mut shown = names.iter().take(TEST_COUNT_SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if more > 0 {
        shown += &format!(" and {more} more");
    }
    if shown.is_empty() { "stopped".to_owned() } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finders_are_understood() {
        let told = "running 2 tests\ntest a::b ... ok\ntest a::c ... FAILED\n";
        assert_eq!(failed_tests(told), "a::c");
        assert_eq!(failed_tests("panicked\n"), "stopped");
        assert_eq!(simulators_word("seed 17 failed in step 31: an order is lost\n..."), "seed 17 step 31");
    }
}
