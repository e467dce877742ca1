//! The layers of the configuration, and sale definitions. What is taken gives the same again when it is printed and
//! read once more; what is refused names a key and where it stands.

use onrush::config::{self, Fault, File, Layers, Loaded, keys};
use onrush::sale_apply::Definition;

/// Between the file, the variables and the command line.
const SEPARATOR: char = '\u{1e}';

/// A file, then lines `NAME=VALUE` of the environment, then of the command line.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    check_definition(text);
    let mut parts = text.splitn(3, SEPARATOR);
    let file = parts.next().unwrap_or_default();
    let (environment, command_line) = (pairs(parts.next()), pairs(parts.next()));
    let environment = environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
    match load(file, environment, command_line) {
        Ok(loaded) => check_taken(&loaded),
        Err(error) => {
            assert!(!error.faults.is_empty());
            error.faults.iter().for_each(check_fault);
        }
    }
}

fn load(
    file: &str,
    environment: Vec<(std::ffi::OsString, std::ffi::OsString)>,
    command_line: Vec<(String, String)>,
) -> Result<Loaded, config::ConfigError> {
    let file = Some(File { name: "onrush.toml".to_owned(), text: file.to_owned() });
    config::load(Layers { file, environment, command_line })
}

fn pairs(lines: Option<&str>) -> Vec<(String, String)> {
    lines.unwrap_or_default().lines().filter_map(|line| config::split_setting(line).ok()).collect()
}

fn check_taken(loaded: &Loaded) {
    for key in keys() {
        assert!(loaded.source(key.name).is_some(), "{} comes from nowhere", key.name);
    }
    let printed = loaded.print();
    let has_secrets = loaded.config.tokens.secret.is_some() || loaded.config.payments.secret.is_some();
    if has_secrets {
        printed.parse::<toml::Table>().expect("a printed configuration is TOML");
    } else {
        let again = load(&printed, Vec::new(), Vec::new()).expect("a printed configuration is taken");
        assert_eq!(again.config, loaded.config, "{printed}");
    }
}

fn check_fault(fault: &Fault) {
    let told = fault.to_string();
    let is_key = |name: &str| keys().iter().any(|key| key.name == name);
    match fault {
        Fault::Syntax { .. } => assert!(told.contains("onrush.toml:"), "{told}"),
        Fault::Unknown { name, .. } => {
            assert!(!is_key(name) && told.contains(name.as_str()), "{told}");
        }
        Fault::Kind { name, .. } => assert!(told.contains(name.as_str()), "{told}"),
        Fault::Value { name, .. } | Fault::Contradiction { name, .. } => {
            assert!(is_key(name) && told.contains(name), "{told}");
        }
    }
}

fn check_definition(text: &str) {
    let Ok(definition) = Definition::parse(text) else { return };
    let printed = toml::to_string(&definition).expect("a definition can be written");
    let again = Definition::parse(&printed).expect("a written definition is taken");
    assert_eq!(again, definition, "{printed}");
}
