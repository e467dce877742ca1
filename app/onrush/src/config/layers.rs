//! The layers, and how they are laid over each other.

use std::ffi::OsString;
use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::Fault;
use super::table::{Key, keys};

pub(super) const VARIABLE_PREFIX: &str = "ONRUSH_";

/// Variables of this prefix that are read elsewhere: the name of the file, and what the commands that talk to
/// a running server need.
const VARIABLES_READ_ELSEWHERE: [&str; 4] =
    ["ONRUSH_CONFIG", "ONRUSH_URL", "ONRUSH_ADMIN_KEY", "ONRUSH_TOKEN"];

/// Kubernetes gives every container such variables for a service named `onrush` (its documentation, "Discovering
/// services"); they are nobody's settings.
const VARIABLES_OF_KUBERNETES: [&str; 3] = ["ONRUSH_SERVICE_", "ONRUSH_PORT_", "ONRUSH_PORT"];

/// What there is to load from.
#[derive(Default)]
pub struct Layers {
    /// The file, if there is one.
    pub file: Option<File>,
    /// The environment, all of it.
    pub environment: Vec<(OsString, OsString)>,
    /// The command line: names of keys with their values.
    pub command_line: Vec<(String, String)>,
}

/// A configuration file that was read.
pub struct File {
    /// Its name, for messages.
    pub name: String,
    /// What it says, TOML.
    pub text: String,
}

/// Where a value came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// Nobody set it.
    Default,
    /// A line of a file, counted from 1.
    File {
        /// The file's name.
        name: String,
        /// The line.
        line: usize,
    },
    /// The environment variable of this name.
    Environment(String),
    /// The command line.
    CommandLine,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Default => f.write_str("default"),
            Source::File { name, line } => write!(f, "{name}:{line}"),
            Source::Environment(variable) => write!(f, "environment {variable}"),
            Source::CommandLine => f.write_str("command line"),
        }
    }
}

/// The text that counts for a key.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) key: &'static Key,
    pub(super) text: String,
    pub(super) source: Source,
}

/// `KEY=VALUE` from the command line.
///
/// # Errors
/// When there is no `=`.
pub fn split_setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as KEY=VALUE, such as log.level=debug")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

/// Lays the layers over each other: one setting for every key of the table, and what belongs to none.
pub(super) fn merge(layers: Layers) -> (Vec<Setting>, Vec<Fault>) {
    let defaults = keys().into_iter();
    let mut merged = Merged {
        settings: defaults
            .map(|key| Setting { key, text: key.default.to_owned(), source: Source::Default })
            .collect(),
        faults: Vec::new(),
    };
    if let Some(file) = &layers.file {
        merged.take_file(file);
    }
    for (variable, value) in layers.environment {
        merged.take_variable(&variable, value);
    }
    for (name, text) in layers.command_line {
        merged.set(&name, text, Source::CommandLine);
    }
    (merged.settings, merged.faults)
}

struct Merged {
    settings: Vec<Setting>,
    faults: Vec<Fault>,
}

impl Merged {
    fn set(&mut self, name: &str, text: String, source: Source) {
        match self.settings.iter_mut().find(|setting| setting.key.name == name) {
            Some(setting) => (setting.text, setting.source) = (text, source),
            None => self.faults.push(Fault::unknown_key(name, source)),
        }
    }

    fn refuse_kind(&mut self, name: &str, found: &'static str, origin: Source) {
        self.faults.push(Fault::Kind { name: name.to_owned(), found, origin });
    }

    fn take_file(&mut self, file: &File) {
        match DeTable::parse(&file.text) {
            Ok(table) => self.take_table("", table.get_ref(), file),
            Err(error) => {
                let line = error.span().map_or(1, |span| line_at(&file.text, span.start));
                let source = Source::File { name: file.name.clone(), line };
                self.faults.push(Fault::Syntax { origin: source, message: error.message().to_owned() });
            }
        }
    }

    fn take_table(&mut self, prefix: &str, table: &DeTable<'_>, file: &File) {
        for (name, value) in table {
            let name = format!("{prefix}{}", name.get_ref());
            match value.get_ref() {
                DeValue::Table(table) if table.is_empty() => self.take_empty_section(&name, value, file),
                DeValue::Table(table) => self.take_table(&format!("{name}."), table, file),
                _ => self.take_file_value(&name, value, file),
            }
        }
    }

    fn take_empty_section(&mut self, name: &str, value: &Spanned<DeValue<'_>>, file: &File) {
        let start = format!("{name}.");
        if !keys().iter().any(|key| key.name.starts_with(&start)) {
            self.faults.push(Fault::unknown_key(name, source_in(file, value)));
        }
    }

    fn take_file_value(&mut self, name: &str, value: &Spanned<DeValue<'_>>, file: &File) {
        let source = source_in(file, value);
        let text = match value.get_ref() {
            DeValue::String(text) => text.clone().into_owned(),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Boolean(flag) => flag.to_string(),
            DeValue::Float(_) => return self.refuse_kind(name, "a fraction", source),
            DeValue::Datetime(_) => return self.refuse_kind(name, "a date", source),
            DeValue::Array(_) | DeValue::Table(_) => return self.refuse_kind(name, "a list", source),
        };
        self.set(name, text, source);
    }

    fn take_variable(&mut self, variable: &OsString, value: OsString) {
        let Some(variable) = variable.to_str().filter(|name| name.starts_with(VARIABLE_PREFIX)) else {
            return;
        };
        if VARIABLES_READ_ELSEWHERE.contains(&variable) || is_of_kubernetes(variable) {
            return;
        }
        let key = keys().into_iter().find(|key| key.variable() == variable);
        let source = Source::Environment(variable.to_owned());
        match (key, value.into_string()) {
            (None, _) => self.faults.push(Fault::unknown_variable(variable)),
            (Some(key), Ok(text)) => self.set(key.name, text, source),
            (Some(key), Err(_)) => self.refuse_kind(key.name, "text that is not UTF-8", source),
        }
    }
}

fn is_of_kubernetes(variable: &str) -> bool {
    let [service, ports, port] = VARIABLES_OF_KUBERNETES;
    variable.starts_with(service) || variable.starts_with(ports) || variable == port
}

fn source_in(file: &File, value: &Spanned<DeValue<'_>>) -> Source {
    Source::File { name: file.name.clone(), line: line_at(&file.text, value.span().start) }
}

/// The line of a byte, counted from 1.
fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
