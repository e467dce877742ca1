//! Each rule sees a violation planted in an otherwise clean repository.

use super::*;

const RECORD: &str = "# 0001 Facts\n\n## Context\n\n## Decision\n\n## Alternatives\n\n## Consequences\n\n\
                      ## How we would know it is wrong\n";
const INVARIANTS: &str = "//! x\npub const IDS: [&str; 2] = [\n  \"I1\", \"I2\",\n];\n";
const INVARIANT_TESTS: &str =
    "// covers: I1\n#[test]\nfn stock_adds_up() {}\n\n#[test]\nfn i2_limit_holds() {}\n";
const SHARED_LINTS: &str = "[lints]\nworkspace = true\n";

/// A repository that keeps every rule.
fn clean() -> Vec<(&'static str, String)> {
    vec![
        ("LICENSE", "Apache License\nVersion 2.0".into()),
        ("README.md", "See `core/engine/src/lib.rs`, `docs/adr/` and `FILE.toml`.".into()),
        ("docs/adr/0001-facts.md", RECORD.into()),
        ("core/domain/Cargo.toml", SHARED_LINTS.into()),
        ("core/engine/Cargo.toml", format!("{SHARED_LINTS}[dependencies]\ndomain.workspace = true\n")),
        ("core/engine/src/lib.rs", "//! Decides.\n#![no_std]\n".into()),
        ("core/engine/src/invariants.rs", INVARIANTS.into()),
        ("core/engine/src/tests.rs", INVARIANT_TESTS.into()),
        ("io/edge/Cargo.toml", format!("{SHARED_LINTS}[dependencies]\nhyper.workspace = true\n")),
        ("tools/sim/Cargo.toml", format!("{SHARED_LINTS}[dependencies]\nengine.workspace = true\n")),
    ]
}

/// The problems after `text` was put at `path`, as `path:line: what`.
fn planted(path: &'static str, text: &str) -> Vec<String> {
    let mut files = clean();
    files.retain(|(clean_path, _)| *clean_path != path);
    files.push((path, text.into()));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let found = problems(&Tree::of(&files));
    found.iter().map(|problem| format!("{}:{}: {}", problem.path, problem.line, problem.what)).collect()
}

/// Plants a violation and expects exactly one problem, at `line`, that contains `expected`.
fn check(path: &'static str, text: &str, line: usize, expected: &str) {
    let found = planted(path, text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with(&format!("{path}:{line}: ")), "{found:?}");
    assert!(found[0].contains(expected), "{found:?}");
}

/// Puts an allowed thing into the repository and expects no problem.
fn check_allowed(path: &'static str, text: &str) {
    assert_eq!(planted(path, text), Vec::<String>::new());
}

fn manifest(section: &str, line: &str) -> String {
    format!("{SHARED_LINTS}\n[{section}]\n{line}\n")
}

#[test]
fn clean_repository_has_no_problem() {
    check_allowed("docs/empty.md", "");
}

#[test]
fn problem_says_where_what_and_what_to_do() {
    let problem = Problem { path: "a/b.rs".into(), line: 7, what: "reads a clock".into(), remedy: "do not" };
    assert_eq!(problem.to_string(), "a/b.rs:7: reads a clock\n    → do not");
}

#[test]
fn import_against_the_ranks_is_found() {
    let upward = manifest("dependencies", "engine.workspace = true");
    check("core/domain/Cargo.toml", &upward, 5, "may not import `engine`, only: no room");
    let in_tests = manifest("dev-dependencies", "shard.workspace = true");
    check("core/engine/Cargo.toml", &in_tests, 5, "may not import `shard`");
    let app = manifest("dependencies", "onrush = { workspace = true }");
    check("io/edge/Cargo.toml", &app, 5, "may not import `onrush`");
    let load = manifest("dependencies", "domain.workspace = true");
    check("io/load/Cargo.toml", &load, 5, "may not import `domain`, only: no room");
}

#[test]
fn import_of_a_tool_is_found_even_in_a_tool() {
    let text = manifest("dependencies", "sim.workspace = true");
    check("tools/bench/Cargo.toml", &text, 5, "imports the tool `sim`");
    check("io/edge/Cargo.toml", &text, 5, "imports the tool `sim`");
}

#[test]
fn http_outside_its_rooms_is_found() {
    let text = manifest("dependencies", "hyper = { workspace = true, features = [\"server\"] }");
    check("io/journal/Cargo.toml", &text, 5, "may not know HTTP");
    check_allowed("tools/probe/Cargo.toml", &text);
    check_allowed("io/payments/Cargo.toml", &text);
}

#[test]
fn new_room_own_version_and_own_lints_are_found() {
    check("io/oracle/Cargo.toml", SHARED_LINTS, 1, "no row in the table");
    check("core/gate/Cargo.toml", &manifest("dependencies", "sha2 = \"1\""), 5, "version of its own");
    check("core/gate/Cargo.toml", "[dependencies]\n", 1, "lints");
    check_allowed("core/gate/Cargo.toml", &manifest("dev-dependencies", "gate = { path = \".\" }"));
}

#[test]
fn clock_below_the_app_is_found() {
    check("io/shard/src/a.rs", "fn a() {\n    let b = std::time::Instant::now();\n}\n", 2, "reads a clock");
    check("io/edge/src/a.rs", "let a = SystemTime::now();", 1, "reads a clock");
    check_allowed("io/edge/src/a.rs", "let a = Instant::now();");
    check("core/engine/src/a.rs", "\nuse x;\nlet a = SystemTime::now();", 3, "reads a clock");
    check_allowed("app/onrush/src/a.rs", "let a = SystemTime::now();");
    check_allowed("core/engine/benches/a.rs", "let a = Instant::now();");
    check_allowed("io/payments/src/simulator/a.rs", "let a = SystemTime::now();");
    check_allowed("io/load/src/clock.rs", "let a = Instant::now();");
    check("io/load/src/worker.rs", "let a = Instant::now();", 1, "reads a clock");
    check_allowed("io/edge/src/a.rs", "// never Instant::now\nlet a = \"SystemTime::now\";");
}

#[test]
fn std_and_floats_in_core_are_found() {
    check("core/engine/src/lib.rs", "//! Decides.\n// #![no_std]\n", 1, "is not `no_std`");
    check("core/engine/src/a.rs", "extern crate std;\n", 1, "brings std into core");
    check("core/engine/src/a.rs", "fn a() -> f64 { 0.5 }\n", 1, "floating point");
    check_allowed("core/engine/src/a.rs", "#[cfg(test)]\nextern crate std;\n");
    check_allowed("core/engine/tests/a.rs", "let a: f64;\n");
}

#[test]
fn open_ends_and_ignored_tests_are_found() {
    check("app/onrush/src/a.rs", "fn a() {\n    todo!()\n}\n", 2, "leaves something open");
    check("app/onrush/src/a.rs", "unimplemented!(\"x\")", 1, "leaves something open");
    check("app/onrush/src/a.rs", "#[test]\n#[ignore = \"slow\"]\nfn a() {}\n", 2, "ignores a test");
    check_allowed("app/onrush/src/a.rs", "// todo!\nlet a = \"todo!()\";");
}

#[test]
fn long_file_and_missing_module_doc_are_found() {
    check("app/onrush/src/a.rs", &"//\n".repeat(501), 501, "has 501 lines");
    check_allowed("app/onrush/src/a.rs", &"//\n".repeat(500));
    check("app/onrush/src/main.rs", "fn main() {}", 1, "no module doc");
}

#[test]
fn invariant_without_a_test_is_found() {
    let list = "core/engine/src/invariants.rs";
    check(
        list,
        "pub const IDS: [&str; 3] = [\"I1\", \"I2\", \"I3\"];",
        1,
        "no test names the invariant `I3`",
    );
    check(list, "//! nothing\n", 1, "has no `const IDS`");
    let far_above = format!("// covers: I1\n{}#[test]\nfn a() {{}}\n", "\n".repeat(9));
    let untested = format!("{far_above}#[test]\nfn i2_limit_holds() {{}}\n");
    let found = planted("core/engine/src/tests.rs", &untested);
    assert_eq!(found, ["core/engine/src/invariants.rs:2: no test names the invariant `I1`"]);
    check("io/edge/src/tests.rs", "// covers: I9\n#[test]\nfn a() {}\n", 1, "`I9`, which is no invariant");
}

#[test]
fn missing_licence_is_found() {
    check("LICENSE", "MIT", 1, "Apache");
}

#[test]
fn gap_wrong_title_and_missing_part_in_records_are_found() {
    let third = RECORD.replace("0001", "0003");
    check("docs/adr/0003-gap.md", &third, 1, "number is 0002");
    check("docs/adr/0002-title.md", RECORD, 1, "does not begin with `# 0002 `");
    let partial = RECORD.replace("## Alternatives\n", "");
    check("docs/adr/0001-facts.md", &partial, 1, "has no part `## Alternatives`");
}

#[test]
fn path_in_a_document_that_does_not_exist_is_found() {
    check("docs/a.md", "x\nsee `core/engine/src/gone.rs`\n", 2, "core/engine/src/gone.rs");
    check("docs/a.md", "see `gone.md`", 1, "gone.md");
    check("docs/a.md", "see `docs/gone*`", 1, "docs/gone*");
    check("docs/a.md", "see `web/`", 1, "web/");
    check("docs/a.md", "[a](adr/0009-gone.md)", 1, "adr/0009-gone.md");
}

#[test]
fn paths_that_exist_or_stand_for_something_else_are_allowed() {
    for text in [
        "`core/engine/src/lib.rs:3` `core/engine` `lib.rs` `engine/src/lib.rs` `docs/adr/*.md` `core/engine/src/inv*`",
        "`DIR/LOCK` `FILE.toml` `/v1/sales` `text/plain` `cargo run -p io/x` `~/.cargo/config.toml`",
        "[a](adr/0001-facts.md#context) [b](../README.md) [c](https://example.org/x.md) [d](#here)",
        "```\nsee `docs/gone.md`\n```",
    ] {
        check_allowed("docs/a.md", text);
    }
}
