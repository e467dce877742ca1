//! The machinery behind the table in [`super::keys`]: a key, and the macro that makes a struct and its keys
//! from one list.

use super::keys::Config;
use super::layers::Setting;
use super::value::Allowed;

/// One thing that can be set.
#[derive(Debug)]
pub struct Key {
    /// Its name: sections with a dot, as in `http.body_size_bytes_max`.
    pub name: &'static str,
    /// What it does, one line per entry.
    pub doc: &'static [&'static str],
    /// Its value when nobody sets it; empty for nothing.
    pub default: &'static str,
    /// What it may be.
    pub allowed: Allowed,
    pub(super) parses: fn(&str, &Allowed) -> bool,
}

impl Key {
    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        let name = self.name.replace('.', "_").to_ascii_uppercase();
        format!("{}{name}", super::layers::VARIABLE_PREFIX)
    }

    /// Whether its value must not be shown.
    pub fn is_secret(&self) -> bool {
        matches!(self.allowed, Allowed::OptionalSecret { .. })
    }

    /// The section that it is in, empty at the top, and its name within.
    pub fn section_and_name(&self) -> (&'static str, &'static str) {
        self.name.rsplit_once('.').unwrap_or(("", self.name))
    }

    pub(super) fn accepts(&self, text: &str) -> bool {
        (self.parses)(text, &self.allowed)
    }
}

/// Every key, in the order of the table.
pub fn keys() -> Vec<&'static Key> {
    let mut keys = Vec::new();
    Config::collect_keys(&mut keys);
    keys
}

/// Declares a struct whose fields are keys, then sections. Each key: doc, name, type, default as text, allowed.
macro_rules! section {
    (
        $(#[doc = $struct_doc:literal])+
        $name:ident ($prefix:literal) {
            $($(#[doc = $doc:literal])+ $field:ident: $type:ty = $default:literal, $allowed:expr;)*
        }
        sections {
            $($(#[doc = $section_doc:literal])+ $section:ident: $section_type:ident;)*
        }
    ) => {
        $(#[doc = $struct_doc])+
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $field: $type,)*
            $($(#[doc = $section_doc])+ pub $section: $section_type,)*
        }

        impl $name {
            const KEYS: &[Key] = &[$(Key {
                name: concat!($prefix, stringify!($field)),
                doc: &[$($doc),+],
                default: $default,
                allowed: $allowed,
                parses: |text, allowed| <$type as Value>::parse(text, allowed).is_some(),
            },)*];

            pub(super) fn collect_keys(keys: &mut Vec<&'static Key>) {
                keys.extend(Self::KEYS);
                $($section_type::collect_keys(keys);)*
            }

            /// The values of settings that are all allowed.
            pub(super) fn read(settings: &[Setting]) -> $name {
                $name {
                    $($field: read_one(settings, concat!($prefix, stringify!($field))),)*
                    $($section: $section_type::read(settings),)*
                }
            }
        }
    };
}
pub(super) use section;

/// The value of one key.
///
/// # Panics
/// When the value was not checked before.
pub(super) fn read_one<T: super::value::Value>(settings: &[Setting], name: &str) -> T {
    let setting = settings.iter().find(|setting| setting.key.name == name);
    let setting = setting.expect("merging gives every key of the table a setting");
    T::parse(&setting.text, &setting.key.allowed).expect("every setting was accepted before any is read")
}
