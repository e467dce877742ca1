//! What a value may be, and how it is read from its text.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What is allowed as the value of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Allowed {
    /// An address with a port.
    Address,
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds, both included.
    Integer {
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// The name of a file or a folder.
    Path,
    /// The name of a file, or nothing.
    OptionalPath,
    /// A text, or nothing.
    OptionalText {
        /// The longest.
        size_bytes_max: usize,
    },
    /// Something that must not be shown, or nothing.
    OptionalSecret {
        /// The shortest.
        size_bytes_min: usize,
    },
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Allowed::Address => f.write_str("an address and a port, such as 127.0.0.1:8080 or [::]:8080"),
            Allowed::Flag => f.write_str("true or false"),
            Allowed::Integer { min, max } => {
                write!(f, "a whole number from {} to {}", Grouped(*min), Grouped(*max))
            }
            Allowed::Choice(words) => write!(f, "one of {}", words.join(", ")),
            Allowed::Path => f.write_str("the name of a file or folder"),
            Allowed::OptionalPath => f.write_str("the name of a file, or nothing"),
            Allowed::OptionalText { size_bytes_max } => {
                write!(f, "a text of at most {size_bytes_max} bytes, or nothing")
            }
            Allowed::OptionalSecret { size_bytes_min } => {
                write!(f, "a secret of at least {size_bytes_min} bytes, or nothing")
            }
        }
    }
}

/// A number with commas between groups of three digits.
struct Grouped(u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (index, digit) in digits.char_indices() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// A type that a key's value may have.
pub(super) trait Value: Sized {
    /// The value of a text; `None` when it is not allowed.
    fn parse(text: &str, allowed: &Allowed) -> Option<Self>;
}

/// A text that never shows up in logs and messages.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for whoever has to use it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

macro_rules! integer_value {
    ($($integer:ty),+) => {$(
        impl Value for $integer {
            fn parse(text: &str, allowed: &Allowed) -> Option<$integer> {
                let number = parse_integer(text)?;
                let Allowed::Integer { min, max } = *allowed else { return None };
                if (min..=max).contains(&number) { <$integer>::try_from(number).ok() } else { None }
            }
        }
    )+};
}

integer_value!(u8, u16, u32, u64, usize);

/// Digits, with `_` between them as TOML has it.
pub(super) fn parse_integer(text: &str) -> Option<u64> {
    let digits = text.replace('_', "");
    let plain = text.starts_with(|first: char| first.is_ascii_digit()) && !text.ends_with('_');
    if plain { digits.parse().ok() } else { None }
}

impl Value for bool {
    fn parse(text: &str, _allowed: &Allowed) -> Option<bool> {
        text.parse().ok()
    }
}

impl Value for SocketAddr {
    fn parse(text: &str, _allowed: &Allowed) -> Option<SocketAddr> {
        text.parse().ok()
    }
}

impl Value for PathBuf {
    fn parse(text: &str, _allowed: &Allowed) -> Option<PathBuf> {
        (!text.is_empty() && !text.contains('\0')).then(|| text.into())
    }
}

impl Value for String {
    fn parse(text: &str, allowed: &Allowed) -> Option<String> {
        let Allowed::OptionalText { size_bytes_max } = *allowed else { return None };
        (text.len() <= size_bytes_max).then(|| text.to_owned())
    }
}

impl Value for Secret {
    fn parse(text: &str, allowed: &Allowed) -> Option<Secret> {
        let Allowed::OptionalSecret { size_bytes_min } = *allowed else { return None };
        (text.len() >= size_bytes_min).then(|| Secret(text.to_owned()))
    }
}

/// Nothing is the empty text.
impl<T: Value> Value for Option<T> {
    fn parse(text: &str, allowed: &Allowed) -> Option<Option<T>> {
        if text.is_empty() { Some(None) } else { T::parse(text, allowed).map(Some) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integer_is_digits_within_its_bounds() {
        let allowed = Allowed::Integer { min: 1, max: 70_000 };
        assert_eq!(u32::parse("70_000", &allowed), Some(70_000));
        assert_eq!(u16::parse("70000", &allowed), None, "no room in the type");
        for text in ["0", "70001", "-1", "+1", "1.5", "", "_1", "1_", "1 ", "0x10"] {
            assert_eq!(u32::parse(text, &allowed), None, "{text}");
        }
        assert_eq!(allowed.to_string(), "a whole number from 1 to 70,000");
    }

    #[test]
    fn secret_is_never_shown() {
        let secret = Secret::parse("correct horse", &Allowed::OptionalSecret { size_bytes_min: 13 });
        assert_eq!(format!("{secret:?}"), "Some((hidden))");
        assert_eq!(secret.expect("long enough").reveal(), "correct horse");
        assert_eq!(Secret::parse("short", &Allowed::OptionalSecret { size_bytes_min: 6 }), None);
    }

    #[test]
    fn nothing_is_the_empty_text() {
        assert_eq!(Option::<PathBuf>::parse("", &Allowed::OptionalPath), Some(None));
        assert_eq!(Option::<PathBuf>::parse("a", &Allowed::OptionalPath), Some(Some("a".into())));
        assert_eq!(PathBuf::parse("", &Allowed::Path), None);
    }
}
