//! Rules about single lines and files of Rust: sizes, clocks, what core may not use, nothing left open.

use super::Problem;
use super::code::{has_word, without_comments_and_literals};
use super::tree::Tree;

const LINE_COUNT_MAX: usize = 500;
/// Clients measure how long servers take (docs/adr/0013); all of that is in this file.
const STOPWATCH: &str = "io/load/src/clock.rs";
/// Looks at the environment, behind a feature that is never shipped (docs/adr/0010).
const PLANTED: &str = "core/domain/src/planted.rs";

/// Words that may not stand in the code of some files.
struct Ban {
    words: &'static [&'static str],
    applies: fn(&str) -> bool,
    what: &'static str,
    remedy: &'static str,
}

const BANS: &[Ban] = &[
    Ban {
        words: &["SystemTime::now", "Timestamp::now", "Zoned::now", "clock_gettime"],
        applies: may_not_read_a_clock,
        what: "reads a clock",
        remedy: "only app and tools read a clock: take the time as an argument (docs/adr/0003)",
    },
    Ban {
        words: &["Instant::now"],
        applies: may_not_measure_time,
        what: "reads a clock",
        remedy: "only the edge, io/load, app and tools measure time: take it as an argument (docs/adr/0003, 0009, 0013)",
    },
    Ban {
        words: &["f32", "f64"],
        applies: in_core_source,
        what: "uses floating point",
        remedy: "core decides the same everywhere: use integers, in a smaller unit or as a ratio",
    },
    Ban {
        words: &["todo!", "unimplemented!"],
        applies: |_| true,
        what: "leaves something open",
        remedy: "write it, or leave the whole thing out and open an issue",
    },
    Ban {
        words: &["#[ignore"],
        applies: |_| true,
        what: "ignores a test",
        remedy: "mend the test or delete it: a test that does not run protects nobody",
    },
];

/// Checks every Rust file.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    tree.files_ending(".rs").flat_map(|(path, text)| check_file(path, text)).collect()
}

fn check_file(path: &str, text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut report = |line: usize, what: String, remedy| {
        problems.push(Problem { path: path.into(), line, what, remedy });
    };
    let line_count = text.lines().count();
    if line_count > LINE_COUNT_MAX {
        let what = format!("has {line_count} lines, more than {LINE_COUNT_MAX}");
        report(LINE_COUNT_MAX + 1, what, "split it by subject; tests go to a file `tests.rs` beside it");
    }
    if is_crate_root(path) && !text.starts_with("//!") {
        report(1, "has no module doc".into(), "say what this room is, what it may not do, where to start");
    }
    let code = without_comments_and_literals(text);
    if in_core_source(path) && path.ends_with("/src/lib.rs") && !code.lines().any(|line| line == "#![no_std]")
    {
        report(
            1,
            "is not `no_std`".into(),
            "begin core crates with `#![no_std]`: core has no world to touch",
        );
    }
    let mut line_before = "";
    for (index, line) in code.lines().enumerate() {
        for (word, ban) in banned_words(path, line) {
            report(index + 1, format!("{}: `{word}`", ban.what), ban.remedy);
        }
        let for_tests = line_before.trim() == "#[cfg(test)]";
        let may = for_tests || path == PLANTED;
        if in_core_source(path) && has_word(line, "extern crate std") && !may {
            report(
                index + 1,
                "brings std into core".into(),
                "core has no world to touch; in tests write `#[cfg(test)]` above it",
            );
        }
        line_before = line;
    }
    problems
}

fn banned_words(path: &str, line: &str) -> Vec<(&'static str, &'static Ban)> {
    let bans = BANS.iter().filter(|ban| (ban.applies)(path));
    bans.flat_map(|ban| ban.words.iter().map(move |word| (*word, ban)))
        .filter(|(word, _)| has_word(line, word))
        .collect()
}

fn may_not_read_a_clock(path: &str) -> bool {
    // The payment simulator stands for somebody else's system, with a clock of its own.
    let is_somebody_elses = path.starts_with("io/payments/src/simulator/");
    let is_ours = path.starts_with("core/") || path.starts_with("io/");
    let is_measurement = path.contains("/benches/") || path == STOPWATCH;
    is_ours && !is_somebody_elses && !is_measurement
}

fn may_not_measure_time(path: &str) -> bool {
    may_not_read_a_clock(path) && !path.starts_with("io/edge/")
}

fn in_core_source(path: &str) -> bool {
    path.starts_with("core/") && path.contains("/src/")
}

fn is_crate_root(path: &str) -> bool {
    path.ends_with("/src/lib.rs") || path.ends_with("/src/main.rs")
}
