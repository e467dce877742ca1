//! Looking at a few bytes at once: which are visible ASCII or a space, and which stand for themselves in JSON; and at 64 at once,
//! for the ends of lines and of names.
//!
//! What the crowd sends is short: a library's search begins with more than it takes to look at eight bytes after eight others.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = LOW << 7;
const WORD_SIZE_BYTES: usize = size_of::<u64>();
/// As many bytes as a word has bits.
pub(crate) const PIECE_SIZE_BYTES: usize = u64::BITS as usize;

/// What is special among the bytes of a piece: a bit for each of them, that of the first one lowest.
#[derive(Clone, Copy, Default)]
pub(crate) struct Marks {
    /// Neither visible ASCII nor a space.
    pub(crate) not_plain: u64,
    /// A colon.
    pub(crate) colon: u64,
}

/// The marks of a whole piece.
#[cfg(target_arch = "x86_64")]
pub(crate) fn marks(piece: &[u8; PIECE_SIZE_BYTES]) -> Marks {
    #[expect(unsafe_code, reason = "vector instructions are asked for by their names")]
    // SAFETY: every x86-64 has SSE2.
    unsafe {
        marks_by_lanes(piece)
    }
}

/// The same with vector instructions.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
fn marks_by_lanes(piece: &[u8; PIECE_SIZE_BYTES]) -> Marks {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_cmplt_epi8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    };
    let [space, delete, colon] = [b' ', 0x7F, b':'].map(|byte| _mm_set1_epi8(byte.cast_signed()));
    let mut marks = Marks::default();
    let (lanes, _) = piece.as_chunks::<16>();
    for (number, lane) in lanes.iter().enumerate() {
        let word = |from: usize| i64::from_le_bytes(std::array::from_fn(|at| lane[from + at]));
        let lane = _mm_set_epi64x(word(8), word(0));
        // The comparison is a signed one: what is above ASCII is below a space.
        let not_plain = _mm_or_si128(_mm_cmplt_epi8(lane, space), _mm_cmpeq_epi8(lane, delete));
        let bits = |mask| u64::from(_mm_movemask_epi8(mask).cast_unsigned()) << (16 * number);
        marks.not_plain |= bits(not_plain);
        marks.colon |= bits(_mm_cmpeq_epi8(lane, colon));
    }
    marks
}

/// The marks of a whole piece.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn marks(piece: &[u8; PIECE_SIZE_BYTES]) -> Marks {
    marks_by_words(piece)
}

/// The same for any machine, eight bytes at a time.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn marks_by_words(piece: &[u8; PIECE_SIZE_BYTES]) -> Marks {
    /// Moves the highest bits of a word's bytes into its highest byte: no two products meet at one place.
    const GATHER: u64 = 0x0002_0408_1020_4081;
    let mut marks = Marks::default();
    let (words, _) = piece.as_chunks::<WORD_SIZE_BYTES>();
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let bits = |marked: u64| (marked.wrapping_mul(GATHER) >> 56) << (WORD_SIZE_BYTES * number);
        marks.not_plain |= bits(is_not_plain(word));
        marks.colon |= bits(is_byte(word, b':'));
    }
    marks
}

/// Whether all bytes are visible ASCII or spaces.
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    first(bytes, is_not_plain).is_none()
}

/// Whether all bytes are visible ASCII.
pub(crate) fn is_graphic(bytes: &[u8]) -> bool {
    first(bytes, |word| is_not_plain(word) | is_byte(word, b' ')).is_none()
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
    let (from, last) = match bytes.last_chunk() {
        _ if rest.is_empty() => return None,
        // Of these the first ones were looked at.
        Some(last) => (bytes.len() - WORD_SIZE_BYTES, u64::from_le_bytes(*last)),
        None => (0, short_word(bytes)),
    };
    let marks = marks(last);
    let found = from + first_marked(marks);
    // The zeros behind the end may be marked as well.
    (marks != 0 && found < bytes.len()).then_some(found)
}

/// Fewer bytes than a word has, and zeros behind them. From parts that overlap, and not one byte after the other.
fn short_word(bytes: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let shift = 8 * (bytes.len() - size_of::<u32>());
        return u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << shift;
    }
    let [first, .., last] = bytes else { return bytes.first().copied().unwrap_or_default().into() };
    let middle = bytes.len() / 2;
    u64::from(*first) | u64::from(bytes[middle]) << (8 * middle) | u64::from(*last) << (8 * (bytes.len() - 1))
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
        assert_eq!(is_plain(&bytes), is_plain_byte, "{byte} at {at} of {len}");
        assert_eq!(is_graphic(&bytes), byte.is_ascii_graphic());
        let ends = !is_plain_byte || matches!(byte, b'"' | b'\\');
        assert_eq!(find_end_of_text(&bytes), ends.then_some(at));
    }

    #[test]
    fn short_word_has_the_bytes_and_zeros_behind_them() {
        for len in 0..WORD_SIZE_BYTES {
            let mut word = [0; WORD_SIZE_BYTES];
            (0..len).zip(b'a'..).for_each(|(at, byte)| word[at] = byte);
            assert_eq!(short_word(&word[..len]).to_le_bytes(), word, "{len}");
        }
    }

    #[test]
    fn every_byte_of_a_piece_has_its_own_marks() {
        for (byte, at) in (0..=u8::MAX).flat_map(|byte| (0..PIECE_SIZE_BYTES).map(move |at| (byte, at))) {
            let mut piece = [b'a'; PIECE_SIZE_BYTES];
            let next = (at + 1) % PIECE_SIZE_BYTES;
            (piece[at], piece[next]) = (byte, byte);
            for Marks { not_plain, colon } in [marks(&piece), marks_by_words(&piece)] {
                let both = 1_u64 << at | 1 << next;
                assert_eq!(not_plain, if (b' '..=b'~').contains(&byte) { 0 } else { both }, "{byte} at {at}");
                assert_eq!(colon, if byte == b':' { both } else { 0 }, "{byte} at {at}");
            }
        }
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
