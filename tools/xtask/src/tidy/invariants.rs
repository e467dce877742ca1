//! Every invariant of the engine is named by a test.
//!
//! A test names an invariant by a comment `// covers: I1, I4` above its `#[test]`, or by its own name:
//! `fn i3_one_key_has_one_outcome`.

use std::collections::BTreeSet;

use super::Problem;
use super::tree::Tree;

const LISTS: [&str; 2] = ["core/engine/src/invariants.rs", "core/engine/src/invariants/"];
/// So far above `#[test]` a comment may stand.
const REACH_LINES: usize = 8;

/// Checks that the ids in `IDS` and those that tests name are the same.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let Some((path, line, ids)) = listed(tree) else {
        return vec![problem(
            LISTS[0],
            1,
            "has no `const IDS` with the invariants".into(),
            "list them there",
        )];
    };
    let mut covered = BTreeSet::new();
    let mut problems = Vec::new();
    for (test_path, text) in tree.files_ending(".rs") {
        for (test_line, id) in covered_in(text) {
            if !ids.contains(&id) {
                let what = format!("covers `{id}`, which is no invariant");
                problems.push(problem(test_path, test_line, what, "name one of core/engine/src/invariants"));
            }
            covered.insert(id);
        }
    }
    for id in ids.difference(&covered) {
        let what = format!("no test names the invariant `{id}`");
        problems.push(problem(
            &path,
            line,
            what,
            "write `// covers: ID` above the `#[test]` that would fail",
        ));
    }
    problems
}

/// Where the list is, and the ids in it.
fn listed(tree: &Tree) -> Option<(String, usize, BTreeSet<String>)> {
    let lists = tree.files_ending(".rs").filter(|(path, _)| LISTS.iter().any(|list| path.starts_with(list)));
    for (path, text) in lists {
        if let Some(start) = text.find("const IDS") {
            let line = text[..start].matches('\n').count() + 1;
            let list = text[start..].split_once('=').map_or("", |(_, value)| value);
            let list = list.split("];").next().unwrap_or("");
            let ids: BTreeSet<String> =
                list.split('"').filter(|word| is_id(word)).map(str::to_owned).collect();
            return Some((path.into(), line, ids)).filter(|(_, _, ids)| !ids.is_empty());
        }
    }
    None
}

/// The ids that the tests of a file name, with their lines.
fn covered_in(text: &str) -> Vec<(usize, String)> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut covered = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        if let Some(ids) =
            line.trim_start_matches('/').trim().strip_prefix("covers:").filter(|_| line.starts_with("//"))
        {
            let reach = (index + 1 + REACH_LINES).min(lines.len());
            if lines[index + 1..reach].iter().any(|line| is_test(line)) {
                covered.extend(
                    ids.split([',', ' ', '.']).filter(|id| !id.is_empty()).map(|id| (index + 1, id.into())),
                );
            }
        }
        if is_test(line) {
            covered.extend(named_by_test(&lines[index + 1..]).map(|id| (index + 1, id)));
        }
    }
    covered
}

fn is_test(line: &str) -> bool {
    line.starts_with("#[test]") || line.starts_with("#[tokio::test")
}

fn named_by_test(lines_after: &[&str]) -> Option<String> {
    let declaration = lines_after.iter().find(|line| line.contains("fn "))?;
    let name = declaration.split("fn ").nth(1)?.split('(').next()?;
    let id = name.split('_').next()?.to_ascii_uppercase();
    is_id(&id).then_some(id)
}

fn is_id(word: &str) -> bool {
    word.strip_prefix('I')
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn problem(path: &str, line: usize, what: String, remedy: &'static str) -> Problem {
    Problem { path: path.into(), line, what, remedy }
}
