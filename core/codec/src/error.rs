//! Why bytes are not what they should be.

use core::fmt;

/// Why a payload cannot be decoded. Offsets count from the payload's first byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecodeError {
    /// No such kind; perhaps a later version wrote it.
    UnknownKind {
        /// The number that is not in [`crate::kinds`].
        kind: u8,
    },
    /// The payload ends within a field.
    TooShort {
        /// The field's name.
        field: &'static str,
        /// Where the field begins.
        offset: usize,
    },
    /// A field holds what it never may.
    Illegal {
        /// The field's name.
        field: &'static str,
        /// Where the field begins.
        offset: usize,
    },
    /// The payload goes on after its last field.
    TooLong {
        /// Where it should have ended.
        offset: usize,
        /// How many bytes are left.
        count: usize,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::UnknownKind { kind } => write!(f, "kind {kind} is unknown to this version"),
            DecodeError::TooShort { field, offset } => {
                write!(f, "the payload ends within field `{field}`, which begins at byte {offset}")
            }
            DecodeError::Illegal { field, offset } => {
                write!(f, "field `{field}` at byte {offset} holds an illegal value")
            }
            DecodeError::TooLong { offset, count } => {
                write!(f, "{count} bytes are left over after byte {offset}")
            }
        }
    }
}

impl core::error::Error for DecodeError {}
