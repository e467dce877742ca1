//! Builds and runs the attack on the journal and the snapshots: `tools/sim/src/torture.rs`.

use std::path::Path;

use crate::plan::{Action, Step};
use crate::step;

/// Runs all of it, or with `--quick` a seeded sample. Other words go to the program as they are: `--seed`, `--class`,
/// `--image` repeat what a failure printed.
///
/// # Errors
/// When something was lost, invented or silent, or panicked.
pub(crate) fn run(words: &[&str], root: &Path) -> anyhow::Result<()> {
    step::run_all(&[step_of(words)], root)
}

fn step_of(words: &[&str]) -> Step {
    let program = ["run", "--release", "--quiet", "--package", "sim", "--bin", "torture", "--"];
    let words = program.iter().chain(words).map(|word| (*word).to_owned()).collect();
    Step { title: "torture", action: Action::Cargo { words, environment: &[] } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_to_the_program() {
        let Action::Cargo { words, .. } = step_of(&["--quick"]).action else { panic!("it is cargo") };
        assert_eq!(words.last().map(String::as_str), Some("--quick"));
    }
}
