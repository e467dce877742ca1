//! The lines of a usual head, found by hand: visible ASCII and spaces, each line ended by CR LF, nothing else.
//!
//! It takes less than HTTP allows, and what it takes means the same to `httparse`: a test changes every byte of a head to see that.
//! Whatever it does not take, whole or in parts, right or wrong, is left to that parser.

use crate::ascii::{self, Marks, PIECE_SIZE_BYTES};

const LINE_END: [u8; 2] = *b"\r\n";

/// A head that is read line by line. Each byte is looked at once, with all the others of its piece.
pub(super) struct Scan<'a> {
    bytes: &'a [u8],
    /// Where the next line begins.
    at: usize,
    /// Where the piece begins that `marks` are of.
    piece: usize,
    marks: Marks,
}

/// A line behind the first one.
pub(super) enum Line<'a> {
    /// A header's name and its value, without the space around. A name is visible ASCII and spaces, whatever else it is.
    Header(&'a [u8], &'a [u8]),
    /// The empty line, with which a head ends.
    End,
}

impl<'a> Scan<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Scan<'a> {
        Scan { bytes, at: 0, piece: 0, marks: marks_at(bytes, 0) }
    }

    /// How many bytes were read.
    pub(super) fn size_bytes(&self) -> usize {
        self.at
    }

    /// The first line; `None` when it is not whole or not usual.
    pub(super) fn request(&mut self) -> Option<&'a [u8]> {
        self.end_line(0)
    }

    /// The next line, likewise.
    pub(super) fn next(&mut self) -> Option<Line<'a>> {
        let (bytes, begin) = (self.bytes, self.at);
        if bytes[begin..].starts_with(&LINE_END) {
            self.at += LINE_END.len();
            return Some(Line::End);
        }
        let colon = self.find(begin, |marks| marks.colon | marks.not_plain)?;
        let name = &bytes[begin..colon];
        let value = self.end_line(colon)?.strip_prefix(b":")?;
        Some(Line::Header(name, trim(value)))
    }

    /// What is from there to the end of its line.
    fn end_line(&mut self, from: usize) -> Option<&'a [u8]> {
        let end = self.find(from, |marks| marks.not_plain)?;
        let (line, rest) = self.bytes[from..].split_at(end - from);
        rest.starts_with(&LINE_END).then(|| {
            self.at = end + LINE_END.len();
            line
        })
    }

    /// The first marked byte from there on, which is in the piece that was looked at last or behind it.
    fn find(&mut self, from: usize, marked: impl Fn(&Marks) -> u64) -> Option<usize> {
        let mut first = from % PIECE_SIZE_BYTES;
        let mut piece = from - first;
        loop {
            if piece != self.piece {
                if piece >= self.bytes.len() {
                    return None;
                }
                (self.piece, self.marks) = (piece, marks_at(self.bytes, piece));
            }
            let found = marked(&self.marks) >> first << first;
            if found != 0 {
                return Some(piece + found.trailing_zeros() as usize);
            }
            (piece, first) = (piece + PIECE_SIZE_BYTES, 0);
        }
    }
}

/// The marks of the piece that begins there; what it lacks is not marked.
fn marks_at(bytes: &[u8], piece: usize) -> Marks {
    let rest = &bytes[piece..];
    rest.first_chunk().map_or_else(
        || {
            let mut last = [b' '; PIECE_SIZE_BYTES];
            last[..rest.len()].copy_from_slice(rest);
            ascii::marks(&last)
        },
        ascii::marks,
    )
}

/// Without the spaces around: the only white space in a usual line. Nearly always there is one, before the value.
fn trim(value: &[u8]) -> &[u8] {
    let mut value = value.strip_prefix(b" ").unwrap_or(value);
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

    type Header<'a> = (&'a [u8], &'a [u8]);

    /// The headers of a head, with its first line as one without a name, and how many bytes it has.
    fn read(text: &[u8]) -> Option<(Vec<Header<'_>>, usize)> {
        let mut scan = Scan::new(text);
        let mut headers = vec![(&b""[..], scan.request()?)];
        while let Line::Header(name, value) = scan.next()? {
            headers.push((name, value));
        }
        Some((headers, scan.size_bytes()))
    }

    #[test]
    fn header_has_a_name_and_a_value_without_the_space_around() {
        let (headers, size_bytes) = read(b"a b\r\nHost:  a:b \r\nx:\r\n\r\nbody").unwrap();
        let expected: [(&[u8], &[u8]); 3] = [(b"", b"a b"), (b"Host", b"a:b"), (b"x", b"")];
        assert_eq!((headers, size_bytes), (expected.to_vec(), 24));
        assert!(["x", "Idempotency-Key", "a_b"].iter().all(|name| is_name(name.as_bytes())));
        assert!(
            !["", "Ho st", "Host ", " Host", "a(b", "\u{e9}"].iter().any(|name| is_name(name.as_bytes()))
        );
    }

    #[test]
    fn lines_end_with_both_and_have_nothing_unusual() {
        let in_both = |line: &str| [format!("{line}x: y\r\n\r\n"), format!("a\r\n{line}x: y\r\n\r\n")];
        for line in
            ["a: b\n", "a: b\r", "a: b\rc\r\n", "a: \tb\r\n", "a: \u{e9}\r\n", "a: \x7F\r\n", "a\rb: c\r\n"]
        {
            assert_eq!(in_both(line).map(|head| read(head.as_bytes()).is_some()), [false; 2], "{line:?}");
        }
        assert_eq!(in_both("no colon\r\n").map(|head| read(head.as_bytes()).is_some()), [true, false]);
        assert_eq!(in_both("a: b\r\n").map(|head| read(head.as_bytes()).is_some()), [true; 2]);
    }

    #[test]
    fn head_reads_the_same_wherever_its_pieces_begin() {
        for size_bytes in 0..3 * PIECE_SIZE_BYTES {
            let (a, b) = ("a".repeat(size_bytes), "b".repeat(size_bytes / 2));
            let text = format!("{a}\r\n{b}: {a}\r\nx: {b}\r\n\r\n");
            let (headers, read_size_bytes) = read(text.as_bytes()).unwrap();
            let expected = [("", a.as_str()), (b.as_str(), a.as_str()), ("x", b.as_str())];
            assert_eq!(headers, expected.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
            assert_eq!(read_size_bytes, text.len());
            for end in 0..text.len() {
                assert_eq!(read(&text.as_bytes()[..end]), None, "{end} of {size_bytes}");
            }
        }
    }
}
