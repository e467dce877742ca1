//! The house rules that neither the compiler nor clippy knows. `CONTRIBUTING.md` lists them for people.
//!
//! A rule is a function from the [`Tree`] to problems; each has tests with planted violations. Rules read
//! text, not types: they are there to catch slips early, not to stop somebody who wants to get around them.

mod code;
mod imports;
mod invariants;
mod papers;
mod references;
mod sources;
mod tree;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use anyhow::bail;

use tree::Tree;

/// A broken rule: where, what, and what to do about it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Problem {
    path: String,
    /// Counted from 1; 1 when the problem is the file itself.
    line: usize,
    what: String,
    remedy: &'static str,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}\n    → {}", self.path, self.line, self.what, self.remedy)
    }
}

/// Every rule.
const RULES: &[fn(&Tree) -> Vec<Problem>] = &[
    imports::check,
    sources::check,
    invariants::check,
    papers::check_licence,
    papers::check_decision_records,
    references::check,
];

/// Checks the repository in the folder `root`.
///
/// # Errors
/// When a rule is broken; every problem has been printed.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let problems = problems(&Tree::read(root)?);
    for problem in &problems {
        println!("{problem}");
    }
    match problems.len() {
        0 => Ok(()),
        count => bail!("{count} house rules are broken; CONTRIBUTING.md explains them"),
    }
}

fn problems(tree: &Tree) -> Vec<Problem> {
    let mut problems: Vec<Problem> = RULES.iter().flat_map(|rule| rule(tree)).collect();
    problems.sort();
    problems
}
