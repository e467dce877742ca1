//! The lines of a usual head, found by hand: visible ASCII and spaces, each line ended by CR LF, nothing else.
//!
//! It takes less than HTTP allows, and what it takes means the same to `httparse`: a test changes every byte of a head to see that.
//! Whatever it does not take, whole or in parts, right or wrong, is left to that parser.

use crate::ascii;

/// The lines of a head, one after the other.
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    /// Bytes of the lines that were taken.
    size_bytes: usize,
    count: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Lines<'a> {
        Lines { bytes, size_bytes: 0, count: 0 }
    }

    /// The next line without its end; `None` when none is whole.
    pub(super) fn next(&mut self) -> Option<&'a [u8]> {
        let rest = &self.bytes[self.size_bytes..];
        let (line, end) = rest.split_at(memchr::memchr(b'\n', rest)?);
        self.size_bytes = self.bytes.len() - end.len() + 1;
        self.count += 1;
        line.strip_suffix(b"\r")
    }

    /// How many bytes the lines that were taken have with their ends; `None` unless they are usual ones.
    pub(super) fn end(self) -> Option<usize> {
        let ends = self.count * b"\r\n".len();
        (ascii::count_not_plain(&self.bytes[..self.size_bytes]) == ends).then_some(self.size_bytes)
    }
}

/// Name and value of a header's line, whatever they are made of; `None` when there is no colon.
pub(super) fn header(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, value) = line.split_at(ascii::find(line, b':')?);
    Some((name, trim(&value[1..])))
}

/// Without the spaces around: the only white space in a usual line.
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] | [rest @ .., b' '] = value {
        value = rest;
    }
    value
}

/// Whether a header may have this name.
pub(super) fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().fold(true, |token, byte| token & TOKEN[usize::from(*byte)])
}

/// What a header's name may consist of (RFC 9110, section 5.6.2).
const TOKEN: [bool; 256] = {
    let mut token = [false; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        token[byte as usize] = byte.is_ascii_alphanumeric() || is_token_mark(byte);
        byte += 1;
    }
    token
};

const fn is_token_mark(byte: u8) -> bool {
    matches!(
        byte,
        b'!' | b'#'
            | b'$'
            | b'%'
            | b'&'
            | b'\''
            | b'*'
            | b'+'
            | b'-'
            | b'.'
            | b'^'
            | b'_'
            | b'`'
            | b'|'
            | b'~'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_has_a_name_and_a_value_without_the_space_around() {
        assert_eq!(header(b"Host:  a b "), Some((&b"Host"[..], &b"a b"[..])));
        assert_eq!(header(b"x:"), Some((&b"x"[..], &b""[..])));
        assert_eq!(header(b"Host"), None);
        assert!(["x", "Idempotency-Key", "a_b"].iter().all(|name| is_name(name.as_bytes())));
        assert!(
            !["", "Ho st", "Host ", " Host", "a(b", "\u{e9}"].iter().any(|name| is_name(name.as_bytes()))
        );
    }

    #[test]
    fn lines_end_with_both_and_have_nothing_unusual() {
        let end = |text: &str| {
            let mut lines = Lines::new(text.as_bytes());
            while !lines.next()?.is_empty() {}
            lines.end()
        };
        assert_eq!(end("a b\r\nc\r\n\r\n\n\x00"), Some(10));
        for text in ["", "a\r\n", "a\n\r\n", "a\rb\r\n\r\n", "\tb\r\n\r\n", "\u{e9}\r\n\r\n", "\x7F\r\n\r\n"]
        {
            assert_eq!(end(text), None, "{text:?}");
        }
    }
}
