//! What an operator may set, and where each value came from.
//!
//! Four layers, the later one wins: defaults, a TOML file, environment variables `ONRUSH_…`, the command line.
//! [`keys`] is the one table of all keys; struct fields, the documentation and every check come from it.
//! This module is pure: it is given the environment and the text of the file, and reads neither.
//! Start with [`keys`], then [`load()`].

mod choice;
mod consistency;
mod error;
mod keys;
mod layers;
mod show;
mod table;
mod value;

#[cfg(test)]
mod tests;

pub use choice::{LogFormat, LogLevel, TokenAlgorithm};
pub use error::{ConfigError, Fault};
pub use keys::{Config, Http, Journal, Log, Payments, PaymentsSimulator, Snapshot, Tokens};
pub use layers::{File, Layers, Source, split_setting};
pub use show::reference;
pub use table::{Key, keys};
pub use value::{Allowed, Secret};

/// A configuration in which every value is allowed, with the origin of each.
#[derive(Debug)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    settings: Vec<layers::Setting>,
}

impl Loaded {
    /// The effective configuration as a TOML file for people: each value with where it came from. Secrets are
    /// hidden.
    pub fn print(&self) -> String {
        show::print(&self.settings)
    }

    /// Where the value of a key came from; `None` when there is no such key.
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.settings.iter().find(|setting| setting.key.name == name).map(|setting| &setting.source)
    }
}

/// Puts the layers together.
///
/// # Errors
/// Every fault at once: values that are not allowed, keys that do not exist, values that contradict each other.
pub fn load(layers: Layers) -> Result<Loaded, ConfigError> {
    let (settings, mut faults) = layers::merge(layers);
    let allowed = |setting: &layers::Setting| setting.key.accepts(&setting.text);
    faults.extend(settings.iter().filter(|setting| !allowed(setting)).map(Fault::value_of));
    if !faults.is_empty() {
        return Err(ConfigError { faults });
    }
    let config = Config::read(&settings);
    let faults = consistency::check(&config, &settings);
    if faults.is_empty() { Ok(Loaded { config, settings }) } else { Err(ConfigError { faults }) }
}
