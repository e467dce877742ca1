//! Every path that a document names exists.
//!
//! A path is what stands in backticks or as the target of a link and either begins with a folder of the
//! repository or ends like one of its files. Blocks of code are left alone, and so are absolute paths and
//! names that begin in capitals and stand for something else, as `DIR/LOCK` or `FILE.toml` do.

use super::Problem;
use super::tree::Tree;

/// Folders at the top, those to come included: a document describes what exists.
const FOLDERS: [&str; 12] =
    [".cargo", ".ci", "app", "core", "deploy", "docs", "examples", "fuzz", "io", "proto", "tools", "web"];
const ENDINGS: [&str; 3] = [".md", ".rs", ".toml"];

/// Checks every document.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    tree.files_ending(".md").flat_map(|(path, text)| check_document(tree, path, text)).collect()
}

fn check_document(tree: &Tree, path: &str, text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut in_block = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            let named = in_backticks(line).into_iter().filter_map(as_path).chain(link_targets(line));
            for missing in named.filter(|named| !exists(tree, path, named)) {
                let what = format!("names `{missing}`, which does not exist");
                let remedy = "name what exists, or leave the backticks out";
                problems.push(Problem { path: path.into(), line: index + 1, what, remedy });
            }
        }
    }
    problems
}

/// What stands in single backticks.
fn in_backticks(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

/// The targets of links within the repository.
fn link_targets(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets
        .filter(|target| !target.contains(':') && !target.starts_with(['#', '/']))
        .map(|target| target.split('#').next().unwrap_or(target))
}

/// The path in a piece of code, if it looks like one.
fn as_path(code: &str) -> Option<&str> {
    let path = code.split(['#', ':', '{', '<']).next().unwrap_or(code);
    let path = path.strip_prefix("./").unwrap_or(path);
    let first = path.split('/').next().unwrap_or(path);
    let is_placeholder = !path.ends_with(".md")
        && first
            .split('.')
            .next()
            .is_some_and(|stem| stem.len() > 1 && stem.bytes().all(|byte| byte.is_ascii_uppercase()));
    let looks_like_path =
        path.contains('/') && FOLDERS.contains(&first) || ENDINGS.iter().any(|ending| path.ends_with(ending));
    let is_elsewhere = path.starts_with(['/', '~', '$', '.']) && !FOLDERS.contains(&first);
    (looks_like_path && !is_placeholder && !is_elsewhere && !path.contains(char::is_whitespace))
        .then_some(path)
}

/// Whether the path is there: from the root, from the document's folder, or as the end of a path. Of a pattern
/// with `*`, only what stands before it is looked for.
fn exists(tree: &Tree, document: &str, path: &str) -> bool {
    if let Some((start, _)) = path.split_once('*') {
        return tree.files().any(|(file, _)| file.starts_with(start));
    }
    let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
    tree.has(path) || tree.has(&join(folder, path)) || !path.ends_with('/') && tree.has_ending(path)
}

/// `path` as seen from `folder`, with `..` resolved.
fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            "." => {}
            _ => parts.push(part),
        }
    }
    parts.join("/")
}
