//! The configuration in words: the effective one, and the page of documentation with every key.

use std::fmt::Write as _;

use super::layers::Setting;
use super::table::{Key, keys};
use super::value::{Allowed, parse_integer};

/// The column at which comments begin, unless the value is longer.
const COMMENT_COLUMN: usize = 44;
const HIDDEN: &str = "(hidden)";

const REFERENCE_HEAD: &str = "\
# Configuration

`onrush serve` takes each value from the last of these that sets it: its default, a TOML file (`--config FILE`), an
environment variable, the command line (`--set KEY=VALUE`). `onrush config print` shows what counts, and where each
value came from. A value that is not allowed and a name that does not exist are refused at the start, all of them at
once. A secret is better kept in a file or in the environment than on the command line, where every user of the
machine sees it.

This page is made from the table of keys in `app/onrush/src/config/keys.rs`, and a test compares the two.
";

/// The settings as TOML, each with where it came from.
pub(super) fn print(settings: &[Setting]) -> String {
    let mut text = String::new();
    let mut section_before = "";
    for setting in settings {
        let (section, name) = setting.key.section_and_name();
        if section != section_before {
            write!(text, "\n[{section}]\n").expect(WRITE);
            section_before = section;
        }
        let assignment = format!("{name} = {}", shown(setting));
        writeln!(text, "{assignment:<COMMENT_COLUMN$} # {}", setting.source).expect(WRITE);
    }
    text
}

const WRITE: &str = "writing to a string cannot fail";

fn shown(setting: &Setting) -> String {
    if setting.key.is_secret() && !setting.text.is_empty() {
        return quoted(HIDDEN);
    }
    literal(setting.key, &setting.text)
}

/// The text as TOML writes a value of this key.
fn literal(key: &Key, text: &str) -> String {
    match key.allowed {
        // TOML writes a number in one way only: 007 and 1__0 are none.
        Allowed::Integer { .. } => {
            parse_integer(text).map_or_else(|| text.to_owned(), |number| number.to_string())
        }
        Allowed::Flag => text.to_owned(),
        _ => quoted(text),
    }
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// The page `docs/configuration.md`.
pub fn reference() -> String {
    let mut text = REFERENCE_HEAD.to_owned();
    let mut section_before = None;
    for key in keys() {
        let (section, name) = key.section_and_name();
        if section_before != Some(section) {
            let title =
                if section.is_empty() { "Without a section".into() } else { format!("`[{section}]`") };
            write!(
                text,
                "\n## {title}\n\n| key | default | allowed | what it does |\n| --- | --- | --- | --- |\n"
            )
            .expect(WRITE);
            section_before = Some(section);
        }
        writeln!(text, "| {} |", row(key, name).join(" | ")).expect(WRITE);
    }
    text
}

fn row(key: &Key, name: &str) -> [String; 4] {
    let default =
        if key.default.is_empty() { "nothing".into() } else { format!("`{}`", literal(key, key.default)) };
    let doc: Vec<&str> = key.doc.iter().map(|line| line.trim()).collect();
    [format!("`{name}`<br>`{}`", key.variable()), default, key.allowed.to_string(), doc.join(" ")]
}
