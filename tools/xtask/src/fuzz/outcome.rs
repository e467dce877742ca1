//! What a run of libFuzzer says of itself, read from its log.

use std::fmt::Write as _;

/// How a target's run went.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Outcome {
    pub(super) target: &'static str,
    executions: u64,
    per_second: u64,
    /// Inputs that together reach everything that was reached.
    inputs: u64,
    /// Edges passed by the inputs that were there before.
    edges_before: u64,
    edges: u64,
    pub(super) has_crashed: bool,
    /// The file with the input that crashed it, if there is one.
    pub(super) crash: Option<String>,
}

impl Outcome {
    /// Reads a log. A line of it: `#8192 NEW    cov: 120 ft: 300 corp: 25/900b exec/s: 4096 rss: 40Mb`.
    pub(super) fn read(target: &'static str, log: &str, has_crashed: bool) -> Outcome {
        let status = |line: &str, word: &str| number_after(line, &format!("{word} "));
        let edges = |line: &str| status(line, "cov:");
        let before = log.lines().find(|line| line.contains("\tINITED ")).and_then(edges);
        let last = |word: &str| {
            log.lines().filter(|line| line.starts_with('#')).rev().find_map(|line| status(line, word))
        };
        let stat = |name: &str| {
            let line = log.lines().rev().find(|line| line.starts_with(name))?;
            number_after(line, ": ")
        };
        let crash = log.lines().rev().find_map(|line| line.split_once("Test unit written to "));
        Outcome {
            target,
            executions: stat("stat::number_of_executed_units").unwrap_or_default(),
            per_second: stat("stat::average_exec_per_sec").unwrap_or_default(),
            inputs: last("corp:").unwrap_or_default(),
            edges_before: before.unwrap_or_default(),
            edges: last("cov:").unwrap_or_default(),
            has_crashed,
            crash: crash.map(|(_, path)| path.trim().to_owned()),
        }
    }
}

/// The number that comes behind `word`, spaces left out.
fn number_after(line: &str, word: &str) -> Option<u64> {
    let rest = line.split_once(word)?.1.trim_start();
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// A table for people, with the sum of all executions.
pub(super) fn table(outcomes: &[Outcome]) -> String {
    let mut text = format!(
        "   {:<18} {:>12} {:>8} {:>7} {:>7} {:>10} {:>8}\n",
        "target", "executions", "per s", "corpus", "edges", "new edges", "crashes"
    );
    for outcome in outcomes {
        let Outcome { target, executions, per_second, inputs, edges, edges_before, has_crashed, .. } =
            outcome;
        let (new_edges, crashes) = (edges.saturating_sub(*edges_before), u8::from(*has_crashed));
        writeln!(
            text,
            "   {target:<18} {executions:>12} {per_second:>8} {inputs:>7} {edges:>7} {new_edges:>10} {crashes:>8}"
        )
        .expect("writing to a string cannot fail");
    }
    let executions: u64 = outcomes.iter().map(|outcome| outcome.executions).sum();
    writeln!(text, "   {:<18} {executions:>12}", "all").expect("writing to a string cannot fail");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
INFO: Seed: 1
#12\tINITED cov: 100 ft: 300 corp: 10/900b exec/s: 0 rss: 40Mb
#512\tNEW    cov: 120 ft: 400 corp: 25/900b lim: 48 exec/s: 256 rss: 41Mb L: 4/4 MS: 1 ChangeBit-
#8192\tDONE   cov: 121 ft: 401 corp: 26/950b lim: 48 exec/s: 4096 rss: 41Mb
stat::number_of_executed_units: 8192
stat::average_exec_per_sec:     4096
";

    #[test]
    fn log_gives_executions_inputs_and_edges() {
        let outcome = Outcome::read("facts", LOG, false);
        let expected = Outcome {
            target: "facts",
            executions: 8_192,
            per_second: 4_096,
            inputs: 26,
            edges_before: 100,
            edges: 121,
            has_crashed: false,
            crash: None,
        };
        assert_eq!(outcome, expected);
        let table = table(&[outcome]);
        assert!(
            table.contains("facts                      8192     4096      26     121         21        0"),
            "{table}"
        );
        assert!(table.ends_with("all                        8192\n"), "{table}");
    }

    #[test]
    fn crash_names_the_input() {
        let log = format!("{LOG}artifact_prefix='x/'; Test unit written to x/crash-0a1b\nBase64: AA==\n");
        let outcome = Outcome::read("facts", &log, true);
        assert_eq!(outcome.crash.as_deref(), Some("x/crash-0a1b"));
        assert!(outcome.has_crashed);
    }
}
