//! The smallest pieces of JSON.

use std::cell::Cell;

use domain::UnixMs;
use jiff::fmt::temporal::DateTimePrinter;

/// A number.
pub(crate) fn push_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// A text in quotes, escaped where it must be.
pub(crate) fn push_text(out: &mut Vec<u8>, text: &str) {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        serde_json::to_writer(out, text).expect("writing a text into memory cannot fail");
    }
}

/// A comma, a name that needs no escape, and a colon.
pub(crate) fn push_name(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// `"2026-12-01T19:00:00.000Z"` with its quotes.
const TIME_SIZE_BYTES: usize = 26;

thread_local! {
    /// The last instant that was written: all orders of a batch end at the same one.
    static LAST_TIME: Cell<(UnixMs, [u8; TIME_SIZE_BYTES])> = const { Cell::new((UnixMs::EPOCH, *b"\"1970-01-01T00:00:00.000Z\"")) };
}

/// An instant in quotes: RFC 3339 in UTC with milliseconds.
pub(crate) fn push_time(out: &mut Vec<u8>, time: UnixMs) {
    let (last, text) = LAST_TIME.get();
    if time == last {
        out.extend_from_slice(&text);
        return;
    }
    let start = out.len();
    push_new_time(out, time);
    if let Ok(text) = out[start..].try_into() {
        LAST_TIME.set((time, text));
    }
}

fn push_new_time(out: &mut Vec<u8>, time: UnixMs) {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
    let ms = i64::try_from(time.0).unwrap_or(i64::MAX);
    // Beyond the year 9999 there is no RFC 3339; what is later is shown as its last instant.
    let timestamp = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::MAX);
    out.push(b'"');
    PRINTER.print_timestamp(&timestamp, &mut *out).expect("writing into memory cannot fail");
    out.push(b'"');
}

/// An instant, or null.
pub(crate) fn push_time_or_null(out: &mut Vec<u8>, time: Option<UnixMs>) {
    match time {
        Some(time) => push_time(out, time),
        None => out.extend_from_slice(b"null"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_and_texts_are_json() {
        for number in [0, 7, 10, 12_000, u64::MAX] {
            assert_eq!(written(|out| push_number(out, number)), number.to_string());
        }
        for text in ["", "plain", "Zürich", "a\"b", "a\\b", "line\nbreak", "\u{1}"] {
            assert_eq!(written(|out| push_text(out, text)), serde_json::to_string(text).unwrap());
        }
    }

    #[test]
    fn time_is_rfc_3339_in_utc_with_milliseconds() {
        let time = |ms| written(|out| push_time(out, UnixMs(ms)));
        assert_eq!(time(1_796_151_600_000), "\"2026-12-01T19:00:00.000Z\"");
        assert_eq!(time(1_796_151_600_007), "\"2026-12-01T19:00:00.007Z\"");
        assert_eq!(time(0), "\"1970-01-01T00:00:00.000Z\"");
        assert_eq!(
            [1, 1, 0].map(time).map(|text| text.as_bytes()[23]),
            *b"110",
            "the last one is told from others"
        );
        assert!(time(u64::MAX).starts_with("\"9999-12-30"), "{}", time(u64::MAX));
    }
}
