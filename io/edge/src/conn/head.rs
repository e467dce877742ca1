//! Finding out by hand what stands at the beginning of a connection's bytes: a request of one of the crowd's routes,
//! a part of one, or something else.
//!
//! Only what is usual is taken: HTTP/1.1, a plain address, a body of told length, no header that changes how the
//! connection goes on. Everything else, right or wrong, is hyper's, which knows all of RFC 9112. So this can be short and
//! need not know a single error. The tokens are found by `httparse`, as in hyper.

use std::mem::MaybeUninit;

use crate::request::HotHeaders;
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
    let mut headers = [const { MaybeUninit::<httparse::Header<'_>>::uninit() }; HEADER_COUNT_MAX];
    let mut head = httparse::Request::new(&mut []);
    let head_size_bytes = match head.parse_with_uninit_headers(bytes, &mut headers) {
        Ok(httparse::Status::Complete(size_bytes)) => size_bytes,
        Ok(httparse::Status::Partial) if bytes.len() < limits.head_size_bytes_max => {
            return Found::PartOfHead;
        }
        Ok(httparse::Status::Partial) | Err(_) => return Found::Other,
    };
    match usual(&head, limits).filter(|_| head_size_bytes <= limits.head_size_bytes_max) {
        None => Found::Other,
        Some(usual) => match bytes.get(head_size_bytes..head_size_bytes + usual.body_size_bytes) {
            None => Found::PartOfBody,
            Some(body) => Found::Request(Request {
                hot: usual.hot,
                headers: usual.headers,
                body,
                keep_alive: usual.keep_alive,
                size_bytes: head_size_bytes + body.len(),
            }),
        },
    }
}

/// A whole head that has nothing unusual.
struct Usual<'a> {
    hot: Hot<'a>,
    headers: HotHeaders<'a>,
    body_size_bytes: usize,
    keep_alive: bool,
}

fn usual<'a>(head: &httparse::Request<'_, 'a>, limits: SizeLimits) -> Option<Usual<'a>> {
    let hot = route::hot(head.method?, head.path?).filter(|_| head.version == Some(1))?;
    let mut usual = Usual { hot, headers: HotHeaders::default(), body_size_bytes: 0, keep_alive: true };
    let mut length = None;
    for header in head.headers.iter() {
        let value = header.value;
        match header.name.len() {
            6 if header.name.eq_ignore_ascii_case("expect") => return None,
            7 if header.name.eq_ignore_ascii_case("upgrade") => return None,
            10 if header.name.eq_ignore_ascii_case("connection") => {
                let close = value.eq_ignore_ascii_case(b"close");
                usual.keep_alive &= !close;
                (close || value.eq_ignore_ascii_case(b"keep-alive")).then_some(())?;
            }
            14 if header.name.eq_ignore_ascii_case("content-length") => {
                if length.replace(decimal(value)?).is_some() {
                    return None;
                }
            }
            17 if header.name.eq_ignore_ascii_case("transfer-encoding") => return None,
            _ => usual.headers.note(header.name, value),
        }
    }
    usual.body_size_bytes = length.unwrap_or(0);
    let body_size_bytes_max = if hot.route.takes_body() { limits.body_size_bytes_max } else { 0 };
    (usual.body_size_bytes <= body_size_bytes_max).then_some(usual)
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
        assert_eq!(request.hot, Hot { route: Route::OrderPlace, sale: "a" });
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

    #[test]
    fn head_is_looked_at_again_only_when_an_empty_line_came() {
        let text = format!("{ORDER}\r\n");
        let looks = (1..=text.len()).filter(|end| may_end_head(&text.as_bytes()[..*end], end - 1)).count();
        assert_eq!(looks, 1);
        assert!(may_end_head(b"GET / HTTP/1.1\n\n", 0));
    }
}
