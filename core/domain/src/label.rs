//! A name given by somebody else, in 16 bytes.

use core::fmt;

use sha2::{Digest, Sha256};

/// A name in 16 bytes: up to 15 bytes stand as they are, so that a journal can be read by people; a
/// longer name is kept as 120 bits of its SHA-256, which nobody will find a second name for.
///
/// Layout: byte 0 is the length (0–15) or `0xFF` for a digest; then the text, zero-padded, or the digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label([u8; 16]);

const DIGEST: u8 = 0xFF;
/// The highest bit of each byte.
const NOT_ASCII: u128 = 0x8080_8080_8080_8080_8080_8080_8080_8080;

impl Label {
    /// The label of a text of any length.
    pub fn from_text(text: &str) -> Label {
        Label::of(text.as_bytes())
    }

    /// The same of a text that is ASCII; `None`: it is not.
    pub fn from_ascii(text: &[u8]) -> Option<Label> {
        let label = Label::of(text);
        // A short one is looked at as one number.
        let is_ascii = match label.0[0] {
            DIGEST => text.is_ascii(),
            _ => (u128::from_le_bytes(label.0) & NOT_ASCII) == 0,
        };
        is_ascii.then_some(label)
    }

    fn of(bytes: &[u8]) -> Label {
        let mut label = [0; 16];
        match u8::try_from(bytes.len()) {
            Ok(len @ 0..=15) => {
                label[0] = len;
                label[1..=usize::from(len)].copy_from_slice(bytes);
            }
            _ => {
                label[0] = DIGEST;
                label[1..].copy_from_slice(&Sha256::digest(bytes)[..15]);
            }
        }
        Label(label)
    }

    /// The label from its stored bytes; `None` when they are not one that [`Label::from_text`] makes.
    #[inline]
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Label> {
        let text = u128::from_le_bytes(bytes) >> 8;
        let valid = match bytes[0] {
            DIGEST => true,
            len @ 0..=15 => {
                let is_padded = text >> (8 * u32::from(len)) == 0;
                // Nearly every name is ASCII, and a start reads millions of them.
                is_padded && (text & NOT_ASCII == 0 || is_utf8(&bytes[1..=usize::from(len)]))
            }
            _ => false,
        };
        valid.then_some(Label(bytes))
    }

    /// The stored bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0[0] {
            DIGEST => {
                f.write_str("sha256:")?;
                self.0[1..].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            len => {
                let text = &self.0[1..=usize::from(len)];
                f.write_str(core::str::from_utf8(text).expect("a label is made from text or checked"))
            }
        }
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Label({self})")
    }
}

fn is_utf8(text: &[u8]) -> bool {
    core::str::from_utf8(text).is_ok()
}

/// The first 64 bits of the SHA-256 of `bytes`, big-endian.
pub(crate) fn sha256_u64(bytes: &[u8]) -> u64 {
    let digest = Sha256::digest(bytes);
    u64::from_be_bytes(digest[..8].try_into().expect("a SHA-256 has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn short_name_reads_back_and_long_name_is_a_digest() {
        assert_eq!(Label::from_text("alice").to_string(), "alice");
        assert_eq!(Label::from_text("fifteen-bytes-x").to_string(), "fifteen-bytes-x");
        let long = Label::from_text("sixteen-bytes-xy");
        assert!(long.to_string().starts_with("sha256:"));
        assert_ne!(long, Label::from_text("sixteen-bytes-xz"));
    }

    #[test]
    fn label_of_ascii_is_that_of_the_text() {
        for text in ["", "alice", "fifteen-bytes-x", "sixteen-bytes-xy"] {
            assert_eq!(Label::from_ascii(text.as_bytes()), Some(Label::from_text(text)));
        }
        for text in ["\u{e9}", "fourteen-byte\u{e9}", "a-name-of-more-than-fifteen-byt\u{e9}s"] {
            assert_eq!(Label::from_ascii(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn stored_bytes_are_checked() {
        for text in ["", "ä", "alice", "a-name-of-more-than-fifteen-bytes"] {
            let label = Label::from_text(text);
            assert_eq!(Label::from_bytes(*label.as_bytes()), Some(label));
        }
        let mut padded = *Label::from_text("alice").as_bytes();
        padded[15] = 1;
        assert_eq!(Label::from_bytes(padded), None);
        assert_eq!(Label::from_bytes([16; 16]), None);
    }
}
