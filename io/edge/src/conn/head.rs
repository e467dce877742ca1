//! Finding out by hand what stands at the beginning of a connection's bytes: a request of one of the crowd's routes,
//! a part of one, or something else.
//!
//! Only what is usual is taken: HTTP/1.1, a plain address, a body of told length, no header that changes how the
//! connection goes on. Everything else, right or wrong, is hyper's, which knows all of RFC 9112. So this can be short and
//! need not know a single error. The tokens of nearly every head are found by [`head_scan`], and what that does not take is
//! looked at by `httparse`, as in hyper.

use std::mem::MaybeUninit;

use super::head_scan::{self, Line, Scan};
use crate::request::{self, HotHeaders};
use crate::route::{self, Hot};

/// Requests with more headers are unusual. Few clients send 20.
const HEADER_COUNT_MAX: usize = 32;

/// What stands at the beginning.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// A whole request.
    Request(Request<'a>),
    /// The beginning of a head.
    PartOfHead,
    /// A whole head of a hot route, and less than its body.
    PartOfBody,
    /// For hyper.
    Other,
}

/// A request of a hot route.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// Which route, of which sale.
    pub(crate) hot: Hot<'a>,
    /// The headers that hot routes look at.
    pub(crate) headers: HotHeaders<'a>,
    /// The whole body.
    pub(crate) body: &'a [u8],
    /// Whether the client wants to go on after the answer.
    pub(crate) keep_alive: bool,
    /// Head and body together.
    pub(crate) size_bytes: usize,
}

/// How much a request may have before it is hyper's to say "too large".
#[derive(Clone, Copy, Debug)]
pub(crate) struct SizeLimits {
    pub(crate) head_size_bytes_max: usize,
    pub(crate) body_size_bytes_max: usize,
}

/// Looks at the first request in `bytes`.
pub(crate) fn find(bytes: &[u8], limits: SizeLimits) -> Found<'_> {
    scan(bytes).map_or_else(|| parse(bytes, limits), |head| found(bytes, &head, limits))
}

/// A whole head that has nothing unusual, but for what `limits` may say.
struct Usual<'a> {
    size_bytes: usize,
    hot: Hot<'a>,
    headers: HotHeaders<'a>,
    body_size_bytes: Option<usize>,
    keep_alive: bool,
}

fn found<'a>(bytes: &'a [u8], head: &Usual<'a>, limits: SizeLimits) -> Found<'a> {
    let Usual { size_bytes, hot, headers, keep_alive, .. } = *head;
    let body_size_bytes = head.body_size_bytes.unwrap_or(0);
    let body_size_bytes_max = if hot.route.takes_body() { limits.body_size_bytes_max } else { 0 };
    if size_bytes > limits.head_size_bytes_max || body_size_bytes > body_size_bytes_max {
        return Found::Other;
    }
    match bytes.get(size_bytes..size_bytes + body_size_bytes) {
        None => Found::PartOfBody,
        Some(body) => {
            let size_bytes = size_bytes + body.len();
            Found::Request(Request { hot, headers, body, keep_alive, size_bytes })
        }
    }
}

/// The head that `bytes` begin with, if it is as nearly all are.
fn scan(bytes: &[u8]) -> Option<Usual<'_>> {
    let mut scan = Scan::new(bytes);
    let request = scan.request()?.strip_suffix(b" HTTP/1.1")?;
    let method_size_bytes = request.iter().position(|byte| *byte == b' ')?;
    let mut usual = Usual::new(&request[..method_size_bytes], &request[method_size_bytes + 1..])?;
    usual.headers = HotHeaders::plain();
    for _ in 0..=HEADER_COUNT_MAX {
        match scan.next()? {
            Line::End => return Some(Usual { size_bytes: scan.size_bytes(), ..usual }),
            Line::Header(name, value) => {
                if !usual.note(name, value)? && !head_scan::is_name(name) {
                    return None;
                }
            }
        }
    }
    None
}

/// The same of any bytes.
fn parse(bytes: &[u8], limits: SizeLimits) -> Found<'_> {
    let mut headers = [const { MaybeUninit::<httparse::Header<'_>>::uninit() }; HEADER_COUNT_MAX];
    let mut head = httparse::Request::new(&mut []);
    let size_bytes = match head.parse_with_uninit_headers(bytes, &mut headers) {
        Ok(httparse::Status::Complete(size_bytes)) => size_bytes,
        Ok(httparse::Status::Partial) if bytes.len() < limits.head_size_bytes_max => {
            return Found::PartOfHead;
        }
        Ok(httparse::Status::Partial) | Err(_) => return Found::Other,
    };
    match usual(&head) {
        None => Found::Other,
        Some(head) => found(bytes, &Usual { size_bytes, ..head }, limits),
    }
}

fn usual<'a>(head: &httparse::Request<'_, 'a>) -> Option<Usual<'a>> {
    let (method, target) = (head.method?, head.path.filter(|_| head.version == Some(1))?);
    let mut usual = Usual::new(method.as_bytes(), target.as_bytes())?;
    head.headers
        .iter()
        .try_for_each(|header| usual.note(header.name.as_bytes(), header.value).map(|_is_known| ()))?;
    Some(usual)
}

impl<'a> Usual<'a> {
    fn new(method: &[u8], target: &'a [u8]) -> Option<Usual<'a>> {
        let hot = route::hot(method, target)?;
        let headers = HotHeaders::default();
        Some(Usual { size_bytes: 0, hot, headers, body_size_bytes: None, keep_alive: true })
    }

    /// Takes note of a header, and says whether it is a known one; `None` when it is not a usual one.
    fn note(&mut self, name: &[u8], value: &'a [u8]) -> Option<bool> {
        match name.len() {
            6 if request::is_named(name, b"expect") => return None,
            7 if request::is_named(name, b"upgrade") => return None,
            10 if request::is_named(name, b"connection") => {
                let close = value.eq_ignore_ascii_case(b"close");
                self.keep_alive &= !close;
                (close || value.eq_ignore_ascii_case(b"keep-alive")).then_some(())?;
            }
            14 if request::is_named(name, b"content-length") => {
                if self.body_size_bytes.replace(decimal(value)?).is_some() {
                    return None;
                }
            }
            17 if request::is_named(name, b"transfer-encoding") => return None,
            _ => return Some(self.headers.note(name, value)),
        }
        Some(true)
    }
}

/// Digits and nothing else, at most nine of them: no body is that long.
fn decimal(digits: &[u8]) -> Option<usize> {
    let plain = (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    plain.then(|| digits.iter().fold(0, |number, digit| number * 10 + usize::from(digit - b'0')))
}

/// Whether a head may have ended with what came behind the first `seen` bytes: an empty line was completed. So a
/// client that sends byte by byte does not have its head looked at for each of them.
pub(crate) fn may_end_head(bytes: &[u8], seen: usize) -> bool {
    let behind = &bytes[seen.saturating_sub(3)..];
    behind.windows(2).any(|pair| pair == b"\n\n") || behind.windows(3).any(|three| three == b"\n\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::Route;

    const LIMITS: SizeLimits = SizeLimits { head_size_bytes_max: 300, body_size_bytes_max: 20 };
    const ORDER: &str = "POST /v1/sales/a/orders HTTP/1.1\r\nHost: x\r\n";

    fn is_other(text: &str) -> bool {
        matches!(find(text.as_bytes(), LIMITS), Found::Other)
    }

    #[test]
    fn usual_request_is_found_with_all_that_it_says() {
        let text = format!(
            "{ORDER}Authorization: Bearer t\r\nIDEMPOTENCY-KEY: k\r\ncontent-type: application/json\r\n\
             connection: close\r\ncontent-length: 3\r\n\r\n{{ }}next"
        );
        let Found::Request(request) = find(text.as_bytes(), LIMITS) else { panic!("{text}") };
        assert_eq!(request.hot, Hot { route: Route::OrderPlace, sale: b"a" });
        assert_eq!(request.headers.authorization, Some(&b"Bearer t"[..]));
        assert_eq!(request.headers.key, Some(&b"k"[..]));
        assert_eq!(request.headers.content_type, Some(&b"application/json"[..]));
        assert_eq!((request.body, request.keep_alive), (&b"{ }"[..], false));
        assert_eq!(request.size_bytes, text.len() - 4);
    }

    #[test]
    fn every_beginning_of_a_request_is_a_part() {
        let text = format!("{ORDER}content-length: 3\r\n\r\n{{ }}");
        let head_size_bytes = text.len() - 3;
        for end in 0..text.len() {
            let found = find(&text.as_bytes()[..end], LIMITS);
            match end < head_size_bytes {
                true => assert!(matches!(found, Found::PartOfHead), "{end}: {found:?}"),
                false => assert!(matches!(found, Found::PartOfBody), "{end}: {found:?}"),
            }
        }
    }

    #[test]
    fn whatever_is_unusual_is_left_to_hyper() {
        for header in [
            "Expect: 100-continue",
            "Upgrade: h2c",
            "Connection: upgrade",
            "Connection: close, te",
            "Transfer-Encoding: chunked",
            "Content-Length: +3",
            "Content-Length: 21",
            "Content-Length: 1\r\nContent-Length: 1",
            "Content-Length:",
            "no colon",
        ] {
            assert!(is_other(&format!("{ORDER}{header}\r\n\r\n")), "{header}");
        }
        for line in [
            "POST /v1/sales/a/orders HTTP/1.0",
            "POST http://x/v1/sales/a/orders HTTP/1.1",
            "POST /v1/sales/a/orders?x=1 HTTP/1.1",
            "POST /v1/sales/%61/orders HTTP/1.1",
            "GET /v1/sales/a/orders HTTP/1.1",
            "HEAD /v1/sales/a HTTP/1.1",
            "PRI * HTTP/2.0",
        ] {
            assert!(is_other(&format!("{line}\r\nhost: x\r\n\r\n")), "{line}");
        }
        assert!(
            is_other("GET /v1/sales/a HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"),
            "a body where none is read"
        );
        assert!(is_other(&format!("{ORDER}x: {}", "x".repeat(300))), "a head too large");
        assert!(is_other(&format!("{ORDER}{}\r\n", "x: y\r\n".repeat(40))), "too many headers");
        assert!(is_other("\x16\x03\x01\x02\x00\x01"), "no HTTP");
    }

    /// What a head says, by whichever of the two found it.
    fn told(head: Usual<'_>) -> impl PartialEq + std::fmt::Debug {
        let HotHeaders { authorization, key, content_type, if_none_match, .. } = head.headers;
        let headers =
            [authorization, key, content_type, if_none_match].map(|value| value.map(<[u8]>::to_vec));
        (head.size_bytes, head.hot, headers, head.body_size_bytes, head.keep_alive)
    }

    #[test]
    fn whatever_one_byte_is_changed_both_ways_read_the_same_of_what_is_scanned() {
        let good = "POST /v1/sales/a/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer  t \r\nIdempotency-Key:k\r\n\
                    Connection: close\r\nX-Y:\r\nContent-Length: 3\r\n\r\n{ }";
        let mut scanned_count = 0;
        for at in 0..good.len() {
            for byte in 0..=u8::MAX {
                let mut text = good.as_bytes().to_vec();
                text[at] = byte;
                let Some(scanned) = scan(&text) else { continue };
                scanned_count += 1;
                let mut headers = [httparse::EMPTY_HEADER; HEADER_COUNT_MAX];
                let mut head = httparse::Request::new(&mut headers);
                let result = head.parse(&text);
                let Ok(httparse::Status::Complete(size_bytes)) = result else {
                    panic!("{result:?} {text:?}")
                };
                let parsed = usual(&head).unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&text)));
                assert_eq!((scanned.headers.are_plain(), parsed.headers.are_plain()), (true, false));
                assert_eq!(told(scanned), told(Usual { size_bytes, ..parsed }));
            }
            assert!(scan(&good.as_bytes()[..at.min(good.len() - 4)]).is_none(), "{at} bytes");
        }
        assert!(scanned_count > 2 * good.len(), "every byte may be what it is, and values others");
    }

    #[test]
    fn head_is_looked_at_again_only_when_an_empty_line_came() {
        let text = format!("{ORDER}\r\n");
        let looks = (1..=text.len()).filter(|end| may_end_head(&text.as_bytes()[..*end], end - 1)).count();
        assert_eq!(looks, 1);
        assert!(may_end_head(b"GET / HTTP/1.1\n\n", 0));
    }
}
