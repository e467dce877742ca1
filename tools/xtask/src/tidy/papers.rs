//! The papers that a repository has: its licence, and decision records numbered without a gap.

use super::Problem;
use super::tree::Tree;

const RECORDS: &str = "docs/adr/";
const RECORD_PARTS: [&str; 5] =
    ["## Context", "## Decision", "## Alternatives", "## Consequences", "## How we would know it is wrong"];

/// Checks that the licence is there and is the one that the crates name.
pub(super) fn check_licence(tree: &Tree) -> Vec<Problem> {
    let licence = tree.text("LICENSE").unwrap_or("");
    if licence.contains("Apache License") && licence.contains("Version 2.0") {
        return Vec::new();
    }
    let what = "the text of the Apache licence 2.0 is not here".into();
    vec![Problem { path: "LICENSE".into(), line: 1, what, remedy: "put the full text there" }]
}

/// Checks that decision records are numbered from 1 without a gap and have their five parts.
pub(super) fn check_decision_records(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    let records = tree.files_ending(".md").filter(|(path, _)| path.starts_with(RECORDS));
    for (index, (path, text)) in records.enumerate() {
        let number = format!("{:04}", index + 1);
        let name = &path[RECORDS.len()..];
        let mut report = |what: String, remedy| {
            problems.push(Problem { path: path.into(), line: 1, what, remedy });
        };
        if !name.starts_with(&format!("{number}-")) {
            report(
                format!("the next record's number is {number}"),
                "number records in the order they were made",
            );
        } else if !text.starts_with(&format!("# {number} ")) {
            report(
                format!("the title does not begin with `# {number} `"),
                "give the record its number as title",
            );
        }
        for part in RECORD_PARTS.iter().filter(|part| !text.lines().any(|line| line == **part)) {
            report(format!("has no part `{part}`"), "say it in a few lines, or why there is nothing to say");
        }
    }
    problems
}
