//! Builds and runs the targets of `fuzz/`: libFuzzer on the stable toolchain. `fuzz/README.md` says what is fuzzed.
//!
//! What a run finds stays in the target folder: inputs that reach something new, logs, and the inputs that crash.

mod outcome;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use anyhow::{Context as _, bail};

use crate::step;
use outcome::Outcome;

/// Every target: a program in `fuzz/fuzz_targets`, a corpus, perhaps a dictionary.
const TARGETS: [&str; 10] = [
    "bulk",
    "callback",
    "configuration",
    "engine",
    "facts",
    "hot_route",
    "journal_recovery",
    "request_json",
    "snapshot",
    "token",
];

const SECONDS_DEFAULT: u64 = 60;
const AT_A_TIME: usize = 2;
/// Longer inputs are slower and reach nothing else: what is long is made out of short inputs by the targets.
const INPUT_SIZE_BYTES_MAX: &str = "-max_len=2048";

/// What cargo-fuzz passes too: counts which edges were passed and shows the fuzzer what was compared. All of it is
/// known to stable compilers.
const RUSTFLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares";

/// What is asked for.
#[derive(PartialEq, Eq, Debug)]
struct Plan {
    /// For all targets together.
    seconds: u64,
    targets: Vec<&'static str>,
}

/// Builds the targets and runs them: `--seconds N` in all, `--target T` alone.
///
/// # Errors
/// When a word is not known, the build fails, or a target crashes.
pub(crate) fn run(words: &[&str], root: &Path) -> anyhow::Result<()> {
    let plan = Plan::parse(words)?;
    let folders = Folders::new(root)?;
    build(&folders, root)?;
    let at_a_time = AT_A_TIME.min(plan.targets.len());
    let seconds_each = (plan.seconds * at_a_time as u64 / plan.targets.len() as u64).max(1);
    println!("   {} targets, {at_a_time} at a time, {seconds_each} s each", plan.targets.len());
    let waiting = Mutex::new(plan.targets.iter());
    let outcomes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..at_a_time {
            scope.spawn(|| {
                let next = || waiting.lock().ok()?.next();
                while let Some(target) = next() {
                    let outcome = run_one(target, seconds_each, &folders, root);
                    outcomes.lock().expect("nothing panics under the lock").push(outcome);
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().expect("nothing panics under the lock");
    let mut outcomes = outcomes.into_iter().collect::<anyhow::Result<Vec<Outcome>>>()?;
    outcomes.sort_by_key(|outcome| outcome.target);
    print!("{}", outcome::table(&outcomes));
    match outcomes.iter().filter(|outcome| outcome.has_crashed).count() {
        0 => Ok(()),
        count => bail!("{count} targets crashed; each tells above how to repeat it"),
    }
}

impl Plan {
    fn parse(words: &[&str]) -> anyhow::Result<Plan> {
        let mut plan = Plan { seconds: SECONDS_DEFAULT, targets: TARGETS.to_vec() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let value = words.next().with_context(|| format!("{word} needs a value"))?;
            match *word {
                "--seconds" => {
                    plan.seconds =
                        value.parse().with_context(|| format!("{value} is no number of seconds"))?;
                }
                "--target" => {
                    let target = TARGETS.into_iter().find(|target| target == value);
                    plan.targets = vec![target.with_context(|| {
                        format!("there is no target {value}; there are {}", TARGETS.join(", "))
                    })?];
                }
                other => bail!("fuzz takes --seconds N and --target T, not {other}"),
            }
        }
        Ok(plan)
    }
}

/// Where things are.
struct Folders {
    /// What cargo builds, apart from everything that is built with other flags.
    build: PathBuf,
    programs: PathBuf,
    /// New inputs, logs and crashes.
    found: PathBuf,
    triple: String,
}

impl Folders {
    fn new(root: &Path) -> anyhow::Result<Folders> {
        let target = step::target_folder(root);
        let triple = host_triple()?;
        let build = target.join("fuzz");
        let programs = build.join(&triple).join("release");
        Ok(Folders { build, programs, found: target.join("fuzz-found"), triple })
    }
}

/// Naming it keeps the flags away from build scripts and macros, which run here.
fn host_triple() -> anyhow::Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().context("rustc could not be started")?;
    let text = String::from_utf8(output.stdout).context("rustc does not say its version")?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say its host")?.to_owned())
}

fn build(folders: &Folders, root: &Path) -> anyhow::Result<()> {
    let folder = folders.build.to_str().context("the target folder's name is not UTF-8")?;
    let words = ["build", "--release", "--quiet", "--locked", "--manifest-path", "fuzz/Cargo.toml"];
    let where_to = ["--target", &folders.triple, "--target-dir", folder];
    let words: Vec<String> = words.into_iter().chain(where_to).map(str::to_owned).collect();
    step::cargo(&words, &[("RUSTFLAGS", RUSTFLAGS)], root)
}

/// Runs a target for so many seconds, on the kept corpus and on what earlier runs here have found.
fn run_one(target: &'static str, seconds: u64, folders: &Folders, root: &Path) -> anyhow::Result<Outcome> {
    let found = folders.found.join(target);
    let inputs = found.join("inputs");
    fs::create_dir_all(&inputs).with_context(|| format!("making {}", inputs.display()))?;
    let log = found.join("log.txt");
    let program = folders.programs.join(target);
    let mut command = Command::new(&program);
    command.args([INPUT_SIZE_BYTES_MAX, "-timeout=20", "-rss_limit_mb=1024", "-print_final_stats=1"]);
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-artifact_prefix={}/", found.display()));
    let dictionary = root.join(format!("fuzz/dictionaries/{target}.dict"));
    if dictionary.is_file() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    // New inputs go to the first folder; the second is only read.
    command.arg(&inputs).arg(root.join("fuzz/corpus").join(target));
    let file = File::create(&log).with_context(|| format!("making {}", log.display()))?;
    command.stderr(file.try_clone().context("the log has a second handle")?).stdout(file);
    let status = command.status().with_context(|| format!("{} could not be started", program.display()))?;
    let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    let outcome = Outcome::read(target, &text, !status.success());
    if outcome.has_crashed {
        println!("   {target} crashed, see {}", log.display());
        if let Some(input) = &outcome.crash {
            println!("   repeat: {} {input}", program.display());
        }
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_how_long_and_which_target() {
        let plan = |words: &[&str]| Plan::parse(words).map_err(|error| format!("{error:#}"));
        assert_eq!(plan(&[]), Ok(Plan { seconds: 60, targets: TARGETS.to_vec() }));
        let one = Plan { seconds: 5, targets: vec!["facts"] };
        assert_eq!(plan(&["--target", "facts", "--seconds", "5"]), Ok(one));
        assert!(
            plan(&["--target", "fact"]).unwrap_err().starts_with("there is no target fact; there are bulk")
        );
        assert!(
            plan(&["--seconds"]).is_err()
                && plan(&["--seconds", "x"]).is_err()
                && plan(&["--x", "1"]).is_err()
        );
    }

    #[test]
    fn every_target_has_its_program_and_its_corpus() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
        let names = |folder: &str| {
            let entries = fs::read_dir(fuzz.join(folder)).unwrap();
            let name = |entry: std::io::Result<fs::DirEntry>| {
                entry.unwrap().file_name().to_string_lossy().trim_end_matches(".rs").to_owned()
            };
            let mut names: Vec<String> = entries.map(name).collect();
            names.sort();
            names
        };
        assert_eq!(names("fuzz_targets"), TARGETS);
        assert_eq!(names("corpus"), TARGETS);
    }
}
