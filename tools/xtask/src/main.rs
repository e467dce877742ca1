//! The repository's own commands: `cargo xtask`. Nobody imports this room.
//!
//! [`plan`] says which steps a command has, [`step`] runs them one after the other and stops at the first that
//! fails, [`tidy`] holds the house rules that neither the compiler nor clippy knows. Start with [`plan`].
#![allow(clippy::print_stdout, reason = "a command for people: its output is for the terminal")]

mod bench;
mod crash;
mod dist;
mod fuzz;
mod mutants;
mod plan;
mod sanitize;
mod setup;
mod step;
mod tidy;
mod torture;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  check          formatting, clippy with warnings denied, tidy, documents without warnings
  tidy           the house rules: imports, clocks, sizes, paths in documents, invariants with tests
  setup          install what the tests need and the machine lacks
  fuzz           build and run the targets of fuzz/; --seconds N in all, --target T alone
  test           setup, check, all tests, a short simulation, a minute of fuzzing, the demo's own checks
  test --quick   the same with a shorter simulation and without fuzzing and the demo
  mutants        wakes every planted bug and shows which test finds it
  crash --cycles N   kill the server N times under load; then restarts and snapshots at a million orders
  faults             let every system call on the data folder fail in every way, one by one
  torture        the journal and the snapshots under every cut of the power and all rot; about 20 minutes on 2 cores
  torture --quick   a seeded sample of it
  dist           build what is shipped, by a profile of its own work; some ten minutes the first time
  bench          build that when it is not there, and measure Onrush beside Redis, PostgreSQL, MariaDB, nginx and axum, judged
                 by the targets; under 30 minutes.
                 --only ID (R1 to R17, or a comparison) measures less, --html FILE writes a page with plots
  bench --quick  every arm for half a second: some three minutes
  sanitize       tests of the rooms that store, publish and have threads under address and thread sanitizer";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["check"] => step::run_all(&plan::check(), &root()),
        ["tidy"] => tidy::run(&root()),
        ["setup"] => setup::run(setup::OF_TESTS),
        ["dist"] => dist::run(&root()),
        ["bench", words @ ..] => bench::run(words, &root()),
        ["mutants"] => mutants::run(&root()),
        ["fuzz", words @ ..] => fuzz::run(words, &root()),
        ["sanitize"] => sanitize::run(&root()),
        ["test"] => step::run_all(&plan::test(plan::Extent::Full), &root()),
        ["test", "--quick"] => step::run_all(&plan::test(plan::Extent::Quick), &root()),
        ["crash", "--cycles", cycles] => crash::run(cycles, &root()),
        ["faults"] => crash::run_faults(&root()),
        ["torture", words @ ..] => torture::run(words, &root()),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace, wherever the command was given. `cargo run` says it anew each time: what stood in this
/// program since it was compiled may be another clone's, when several share a target folder.
fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let root = Path::new(&package).ancestors().nth(2);
    root.expect("this package is two folders below the root").into()
}
