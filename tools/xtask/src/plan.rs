//! Which steps a command has, in which order: the cheap ones first.
//!
//! Everything is built in the release profile, so that C libraries are compiled once and the tests run what
//! is measured; only this tool itself is a debug build.

/// How much `cargo xtask test` runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Everything; what has to pass before a commit is shared.
    Full,
    /// Without fuzzing and the demo, and with fewer seeds.
    Quick,
}

/// One thing to run.
pub(crate) struct Step {
    pub(crate) title: &'static str,
    pub(crate) action: Action,
}

/// What a step does.
pub(crate) enum Action {
    /// Calls `cargo` with these words.
    Cargo { words: Vec<String>, environment: &'static [(&'static str, &'static str)] },
    /// Checks the house rules.
    Tidy,
    /// Installs what is missing.
    Setup,
    /// Runs the targets of `fuzz/`.
    Fuzz,
}

const DENY_WARNINGS: &[(&str, &str)] = &[("RUSTDOCFLAGS", "-D warnings")];
const SEED_COUNT: &str = "50";
const SEED_COUNT_QUICK: &str = "10";

/// The steps of `cargo xtask check`.
pub(crate) fn check() -> Vec<Step> {
    vec![
        cargo("formatting", "fmt --all --check"),
        Step { title: "tidy", action: Action::Tidy },
        cargo("clippy", "clippy --release --workspace --all-targets --quiet -- -D warnings"),
        Step {
            title: "documents",
            action: Action::Cargo {
                words: split("doc --release --workspace --no-deps --quiet"),
                environment: DENY_WARNINGS,
            },
        },
    ]
}

/// The steps of `cargo xtask test`.
pub(crate) fn test(extent: Extent) -> Vec<Step> {
    let mut steps = vec![Step { title: "setup", action: Action::Setup }];
    steps.extend(check());
    steps.push(cargo("tests", "test --release --workspace --quiet"));
    let seeds = if extent == Extent::Full { SEED_COUNT } else { SEED_COUNT_QUICK };
    steps.push(cargo("simulation", &format!("run --release --quiet --package sim -- --seeds {seeds}")));
    if extent == Extent::Full {
        steps.push(Step { title: "fuzz", action: Action::Fuzz });
        steps.push(cargo(
            "demo",
            "run --release --quiet --package onrush -- demo --exit --json {target}/xtask-demo.json",
        ));
    }
    steps
}

fn cargo(title: &'static str, words: &str) -> Step {
    Step { title, action: Action::Cargo { words: split(words), environment: &[] } }
}

fn split(words: &str) -> Vec<String> {
    words.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(steps: &[Step]) -> Vec<&'static str> {
        steps.iter().map(|step| step.title).collect()
    }

    #[test]
    fn quick_test_leaves_out_only_fuzzing_and_the_demo() {
        let full = titles(&test(Extent::Full));
        let quick = titles(&test(Extent::Quick));
        assert_eq!(
            full,
            ["setup", "formatting", "tidy", "clippy", "documents", "tests", "simulation", "fuzz", "demo"]
        );
        assert_eq!(quick, full[..full.len() - 2]);
    }
}
