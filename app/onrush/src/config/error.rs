//! What can be wrong with a configuration. Every message names the key, where it was set, and what is allowed.

use std::fmt;

use super::layers::{Setting, Source, VARIABLE_PREFIX};
use super::table::keys;

/// Everything that is wrong with a configuration.
#[derive(PartialEq, Eq, Debug, thiserror::Error)]
pub struct ConfigError {
    /// At least one.
    pub faults: Vec<Fault>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is refused:")?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// The file is not TOML.
    #[error("{origin}: this is not TOML: {message}")]
    Syntax {
        /// Where.
        origin: Source,
        /// What the parser says.
        message: String,
    },
    /// A key, variable or name on the command line that means nothing.
    #[error("{origin}: there is no key `{name}`{}", hint(.nearest))]
    Unknown {
        /// The name as it was written.
        name: String,
        /// Where.
        origin: Source,
        /// A name that exists and looks like it.
        nearest: Option<String>,
    },
    /// A value of a kind that no key has.
    #[error("{origin}: `{name}` cannot be {found}")]
    Kind {
        /// The key.
        name: String,
        /// What was found.
        found: &'static str,
        /// Where.
        origin: Source,
    },
    /// A value that is not allowed.
    #[error("{origin}: `{name}` is {shown}, and must be {allowed}")]
    Value {
        /// The key.
        name: &'static str,
        /// The value in quotes; hidden if it is a secret.
        shown: String,
        /// Where.
        origin: Source,
        /// What is allowed, in words.
        allowed: String,
    },
    /// Values that are each allowed and contradict each other.
    #[error("{origin}: `{name}` {why}")]
    Contradiction {
        /// The key to change.
        name: &'static str,
        /// Where it was set.
        origin: Source,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Fault {
    /// The value of a setting is not allowed.
    pub(super) fn value_of(setting: &Setting) -> Fault {
        let Setting { key, text, source } = setting;
        let shown = if key.is_secret() { "too short (hidden)".into() } else { format!("{text:?}") };
        Fault::Value { name: key.name, shown, origin: source.clone(), allowed: key.allowed.to_string() }
    }

    /// There is no key of this name.
    pub(super) fn unknown_key(name: &str, origin: Source) -> Fault {
        let section = format!("{name}.");
        if keys().iter().any(|key| key.name.starts_with(&section)) {
            return Fault::Kind { name: name.to_owned(), found: "a single value: it is a section", origin };
        }
        let nearest = nearest(name, keys().into_iter().map(|key| key.name.to_owned()));
        Fault::Unknown { name: name.to_owned(), origin, nearest }
    }

    /// No key has this variable.
    pub(super) fn unknown_variable(variable: &str) -> Fault {
        let without_prefix = |variable: &str| variable.trim_start_matches(VARIABLE_PREFIX).to_owned();
        let known = keys().into_iter().map(|key| without_prefix(&key.variable()));
        let nearest =
            nearest(&without_prefix(variable), known).map(|name| format!("{VARIABLE_PREFIX}{name}"));
        let origin = Source::Environment(variable.to_owned());
        Fault::Unknown { name: variable.to_owned(), origin, nearest }
    }
}

fn hint(nearest: &Option<String>) -> String {
    match nearest {
        Some(name) => format!("; do you mean `{name}`?"),
        None => "; `onrush config print` shows all of them".to_owned(),
    }
}

/// The name that looks most like `name`, if one does: Jaro–Winkler similarity, which favours a common start
/// (W. Winkler, "String comparator metrics and enhanced decision rules", 1990).
fn nearest(name: &str, names: impl Iterator<Item = String>) -> Option<String> {
    const SIMILARITY_MIN: f64 = 0.8;
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let similarity = |candidate: &String| {
        let whole = strsim::jaro_winkler(name, candidate);
        // Somebody may have left out the section, or taken another one.
        whole.max(if last(name) == last(candidate) { 0.99 } else { 0.0 })
    };
    names
        .map(|candidate| (similarity(&candidate), candidate))
        .filter(|(similarity, _)| *similarity >= SIMILARITY_MIN)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}
