//! The bytes of answers (RFC 9112, section 6), as a lane writes them.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use domain::UnixMs;
use http::header::{CONNECTION, HeaderName};
use http::{HeaderValue, StatusCode};
use hyper::body::Body as HttpBody;
use jiff::fmt::rfc2822::DateTimePrinter;

use crate::body::Reply;
use crate::json::push_number;

/// How the head of an answer ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending {
    /// Whether this connection has another request to come.
    pub(crate) keep_alive: bool,
    /// For `Date`.
    pub(crate) now: UnixMs,
}

impl Ending {
    /// The longest: `connection`, `content-length` of twenty digits, `date`.
    pub(crate) const SIZE_BYTES_MAX: usize = 21 + 38 + 8 + DATE_SIZE_BYTES + 4;

    /// Ends the line before and writes what every head ends with; `None`: an answer that has no body by its status.
    pub(crate) fn push(self, out: &mut Vec<u8>, body_size_bytes: Option<usize>) {
        if !self.keep_alive {
            out.extend_from_slice(b"\r\nconnection: close");
        }
        if let Some(size_bytes) = body_size_bytes {
            out.extend_from_slice(b"\r\ncontent-length: ");
            push_number(out, u64::try_from(size_bytes).unwrap_or(u64::MAX));
        }
        out.extend_from_slice(b"\r\ndate: ");
        push_date(out, self.now);
        out.extend_from_slice(b"\r\n\r\n");
    }
}

/// Writes an answer that was made for hyper.
pub(crate) fn push_reply(out: &mut Vec<u8>, reply: Reply, ending: Ending) {
    let (head, body) = reply.into_parts();
    let mut line = StatusLine::begin(out, head.status);
    head.headers.iter().for_each(|(name, value)| line.header(name, value));
    line.end(&bytes_of(body), ending);
}

/// An answer that is being written.
pub(crate) struct StatusLine<'a> {
    out: &'a mut Vec<u8>,
    status: StatusCode,
    is_last: bool,
}

impl StatusLine<'_> {
    /// Writes the status.
    pub(crate) fn begin(out: &mut Vec<u8>, status: StatusCode) -> StatusLine<'_> {
        out.extend_from_slice(b"HTTP/1.1 ");
        out.extend_from_slice(status.as_str().as_bytes());
        out.push(b' ');
        out.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
        StatusLine { out, status, is_last: false }
    }

    /// Writes a header.
    pub(crate) fn header(&mut self, name: &HeaderName, value: &HeaderValue) {
        if name == CONNECTION {
            // The only one that an answer of ours has is "close".
            self.is_last = true;
            return;
        }
        self.out.extend_from_slice(b"\r\n");
        self.out.extend_from_slice(name.as_str().as_bytes());
        self.out.extend_from_slice(b": ");
        self.out.extend_from_slice(value.as_bytes());
    }

    /// Writes the rest.
    pub(crate) fn end(self, body: &[u8], ending: Ending) {
        let has_length = self.status != StatusCode::NOT_MODIFIED;
        let ending = Ending { keep_alive: ending.keep_alive && !self.is_last, ..ending };
        ending.push(self.out, has_length.then_some(body.len()));
        self.out.extend_from_slice(body);
    }
}

/// The bytes of a body that is there.
fn bytes_of(mut body: http_body_util::Full<Bytes>) -> Bytes {
    match Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
        _ => Bytes::new(),
    }
}

/// `Sat, 21 Nov 2026 11:39:12 GMT` (RFC 9110, section 5.6.7).
const DATE_SIZE_BYTES: usize = 29;

thread_local! {
    /// The last second's.
    static DATE: RefCell<(u64, [u8; DATE_SIZE_BYTES])> = const { RefCell::new((u64::MAX, [0; DATE_SIZE_BYTES])) };
}

fn push_date(out: &mut Vec<u8>, now: UnixMs) {
    let second = now.0 / 1_000;
    DATE.with_borrow_mut(|(of_second, date)| {
        if *of_second != second {
            *date = date_of(second);
            *of_second = second;
        }
        out.extend_from_slice(date);
    });
}

fn date_of(second: u64) -> [u8; DATE_SIZE_BYTES] {
    let second = i64::try_from(second).unwrap_or(i64::MAX);
    // What is later than the last instant with a year of four digits is shown as that.
    let timestamp = jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::MAX);
    let text =
        DateTimePrinter::new().timestamp_to_rfc9110_string(&timestamp).expect("the year has four digits");
    text.as_bytes().try_into().expect("every such date has the same length")
}

#[cfg(test)]
mod tests {
    use http::Response;
    use http_body_util::Full;

    use super::*;

    const ENDING: Ending = Ending { keep_alive: true, now: UnixMs(784_111_777_000) };

    fn written(reply: Reply, ending: Ending) -> String {
        let mut out = Vec::new();
        push_reply(&mut out, reply, ending);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn answer_has_its_headers_its_length_and_the_date_of_rfc_9110() {
        let reply = Response::builder().status(409).header("x", "y").body(Full::from("body")).unwrap();
        let head =
            "HTTP/1.1 409 Conflict\r\nx: y\r\ncontent-length: 4\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(written(reply, ENDING), format!("{head}\r\n\r\nbody"));
    }

    #[test]
    fn last_answer_says_so_once() {
        for header in [None, Some("close")] {
            let mut reply = Response::builder().status(200);
            if let Some(header) = header {
                reply = reply.header("connection", header);
            }
            let ending = Ending { keep_alive: header.is_some(), ..ENDING };
            let text = written(reply.body(Full::default()).unwrap(), ending);
            assert_eq!(text.matches("connection: close").count(), 1, "{text}");
        }
    }

    #[test]
    fn not_modified_has_no_length() {
        let reply = Response::builder().status(304).body(Full::default()).unwrap();
        assert!(!written(reply, ENDING).contains("content-length"));
    }

    #[test]
    fn date_changes_with_the_second_and_never_gets_longer() {
        let date = |second: u64| {
            let mut out = Vec::new();
            push_date(&mut out, UnixMs(second.saturating_mul(1_000)));
            String::from_utf8(out).unwrap()
        };
        assert_eq!(date(784_111_778), "Sun, 06 Nov 1994 08:49:38 GMT");
        assert_eq!(date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date(u64::MAX), "Thu, 30 Dec 9999 22:00:00 GMT");
    }
}
