//! Looking at a few bytes at once: which are visible ASCII or a space, and which stand for themselves in JSON.
//!
//! What the crowd sends is short: a library's search begins with more than it takes to look at eight bytes after eight others.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = LOW << 7;
const WORD_SIZE_BYTES: usize = size_of::<u64>();
const PIECE_SIZE_BYTES: usize = 64;

/// How many bytes are neither visible ASCII nor spaces. Without a way out of the loop, so that it becomes vector instructions.
pub(crate) fn count_not_plain(bytes: &[u8]) -> usize {
    // As many as a byte can count.
    let (pieces, rest) = bytes.as_chunks::<PIECE_SIZE_BYTES>();
    let mut last = [b' '; PIECE_SIZE_BYTES];
    last[..rest.len()].copy_from_slice(rest);
    let count = |piece: &[u8; PIECE_SIZE_BYTES]| {
        let is_not_plain = |byte: u8| u8::from(byte.wrapping_sub(b' ') > b'~' - b' ');
        usize::from(piece.iter().fold(0_u8, |count, byte| count.wrapping_add(is_not_plain(*byte))))
    };
    pieces.iter().map(count).sum::<usize>() + count(&last)
}

/// Whether all bytes are visible ASCII or spaces.
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    first(bytes, is_not_plain).is_none()
}

/// Whether all bytes are visible ASCII.
pub(crate) fn is_graphic(bytes: &[u8]) -> bool {
    first(bytes, |word| is_not_plain(word) | is_byte(word, b' ')).is_none()
}

/// Where the first such byte is.
pub(crate) fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    first(bytes, |word| is_byte(word, byte))
}

/// Where the first byte is that cannot stand for itself in a JSON text of plain bytes: its end, or something unusual.
pub(crate) fn find_end_of_text(bytes: &[u8]) -> Option<usize> {
    first(bytes, |word| is_not_plain(word) | is_byte(word, b'"') | is_byte(word, b'\\'))
}

/// Where the first byte is that has its mark in its word: its highest bit.
fn first(bytes: &[u8], marks: impl Fn(u64) -> u64) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<WORD_SIZE_BYTES>();
    for (number, word) in words.iter().enumerate() {
        let marks = marks(u64::from_le_bytes(*word));
        if marks != 0 {
            return Some(number * WORD_SIZE_BYTES + first_marked(marks));
        }
    }
    let mut last = [0; WORD_SIZE_BYTES];
    last[..rest.len()].copy_from_slice(rest);
    let marks = marks(u64::from_le_bytes(last));
    let found = words.len() * WORD_SIZE_BYTES + first_marked(marks);
    // The zeros behind the end may be marked as well.
    (marks != 0 && found < bytes.len()).then_some(found)
}

/// The first byte of a word whose highest bit is set; at least one is, or it is behind the last.
fn first_marked(marks: u64) -> usize {
    marks.trailing_zeros() as usize / 8
}

/// Marks each byte that is neither visible ASCII nor a space. No byte's sum reaches the next one: its highest bit is left out of it.
fn is_not_plain(word: u64) -> u64 {
    let low = word & !HIGH;
    let (is_at_least_space, is_delete) = (low.wrapping_add(LOW * (0x80 - 0x20)), low.wrapping_add(LOW));
    (!is_at_least_space | is_delete | word) & HIGH
}

/// Marks each byte that is this one, likewise.
fn is_byte(word: u64, byte: u8) -> u64 {
    let differs = word ^ LOW.wrapping_mul(u64::from(byte));
    !((differs & !HIGH).wrapping_add(!HIGH) | differs) & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_byte_that_is_not_one_of_these_is_found_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for (len, at) in (0..20).flat_map(|len| (0..len).map(move |at| (len, at))) {
                check(byte, len, at);
            }
        }
    }

    /// Of so many bytes all are `a`, but one.
    fn check(byte: u8, len: usize, at: usize) {
        let mut bytes = vec![b'a'; len];
        bytes[at] = byte;
        let is_plain_byte = (b' '..=b'~').contains(&byte);
        let not_plain_count = count_not_plain(&bytes.repeat(9));
        assert_eq!(not_plain_count, 9 * usize::from(!is_plain_byte), "{byte} at {at} of {len}");
        assert_eq!(is_plain(&bytes), is_plain_byte);
        assert_eq!(is_graphic(&bytes), byte.is_ascii_graphic());
        assert_eq!(find(&bytes, byte), bytes.iter().position(|other| *other == byte));
        let ends = !is_plain_byte || matches!(byte, b'"' | b'\\');
        assert_eq!(find_end_of_text(&bytes), ends.then_some(at));
    }

    #[test]
    fn neighbours_do_not_mark_each_other() {
        for byte in 0..=u8::MAX {
            let word = u64::from_le_bytes([b':', byte, b':', 0x7F, byte, b' ', 0x1F, byte]);
            let marked = |marks: u64| marks.to_le_bytes().map(|byte| byte == 0x80);
            let bytes = word.to_le_bytes();
            assert_eq!(marked(is_byte(word, b':')), bytes.map(|byte| byte == b':'));
            assert_eq!(marked(is_not_plain(word)), bytes.map(|byte| !(b' '..=b'~').contains(&byte)));
        }
    }
}
