//! A request as text, in which `{n}` stands for its number.

use std::io::Write as _;

use crate::requests::{Requests, Share};

const SLOT: &str = "{n}";

/// A request with places for its number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    /// All but the length, the empty line and the body.
    head: Slotted,
    body: Option<Slotted>,
}

/// A text that cannot be sent as a request.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TemplateError {
    /// A byte that ends what it stands in.
    #[error("{what} {text:?} has a character that HTTP does not allow there")]
    Character {
        /// In what.
        what: &'static str,
        /// The text.
        text: String,
    },
    /// Its answers have a length and no body.
    #[error("HEAD cannot be measured: its answers have a length and no body")]
    Head,
    /// The length follows from the body.
    #[error("the header {name} is written by the generator itself")]
    Own {
        /// Which.
        name: String,
    },
}

impl Template {
    /// A request with that method and target (path and query) to that host.
    ///
    /// # Errors
    /// When it would not be HTTP, or is a `HEAD`.
    pub fn new(method: &str, target: &str, host: &str) -> Result<Template, TemplateError> {
        if method.eq_ignore_ascii_case("HEAD") {
            return Err(TemplateError::Head);
        }
        let is_word = |byte: u8| byte.is_ascii_graphic();
        check("the method", method, |byte| byte.is_ascii_alphabetic() || byte == b'-')?;
        check("the path", target, is_word)?;
        check("the host", host, is_word)?;
        let head = Slotted::new(&format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n"));
        Ok(Template { head, body: None })
    }

    /// The same with one header more.
    ///
    /// # Errors
    /// When it would not be HTTP, or would contradict the body.
    pub fn header(mut self, name: &str, value: &str) -> Result<Template, TemplateError> {
        if ["content-length", "transfer-encoding", "host"].contains(&name.to_ascii_lowercase().as_str()) {
            return Err(TemplateError::Own { name: name.to_owned() });
        }
        check("the header name", name, |byte| {
            byte.is_ascii_alphanumeric() || b"-_.!#$%&'*+^`|~".contains(&byte)
        })?;
        check("the header value", &format!("{value}."), |byte| !byte.is_ascii_control() || byte == b'\t')?;
        self.head.add(&format!("{name}: {value}\r\n"));
        Ok(self)
    }

    /// The same with that body.
    #[must_use]
    pub fn body(self, text: &str) -> Template {
        Template { body: Some(Slotted::new(text)), ..self }
    }

    /// Appends the request with that number to `out`.
    pub fn write(&self, number: u64, out: &mut Vec<u8>) {
        self.head.write(number, out);
        if let Some(body) = &self.body {
            write_text(out, format_args!("Content-Length: {}\r\n\r\n", body.size_bytes(number)));
            body.write(number, out);
        } else {
            out.extend_from_slice(b"\r\n");
        }
    }

    /// The requests of one share, with numbers from 0 of which none comes twice in a run.
    pub fn requests(&self, share: Share) -> impl Requests + use<> {
        let (template, mut numbers) = (self.clone(), share.numbers());
        move |out: &mut Vec<u8>| template.write(numbers.next().expect("2^64 requests are never sent"), out)
    }
}

fn check(what: &'static str, text: &str, is_fine: impl Fn(u8) -> bool) -> Result<(), TemplateError> {
    // The slot may stand anywhere; digits are fine everywhere.
    let plain = text.replace(SLOT, "");
    if text.is_empty() || !plain.bytes().all(is_fine) {
        return Err(TemplateError::Character { what, text: text.to_owned() });
    }
    Ok(())
}

/// Text between which a number stands: one piece more than slots.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Slotted {
    pieces: Vec<Vec<u8>>,
}

impl Slotted {
    fn new(text: &str) -> Slotted {
        Slotted { pieces: text.split(SLOT).map(|piece| piece.as_bytes().to_vec()).collect() }
    }

    fn add(&mut self, text: &str) {
        let mut added = Slotted::new(text).pieces.into_iter();
        let first = added.next().expect("a text has at least one piece");
        self.pieces.last_mut().expect("a text has at least one piece").extend(first);
        self.pieces.extend(added);
    }

    fn size_bytes(&self, number: u64) -> usize {
        let digits = number.checked_ilog10().map_or(1, |log| log as usize + 1);
        self.pieces.iter().map(Vec::len).sum::<usize>() + (self.pieces.len() - 1) * digits
    }

    fn write(&self, number: u64, out: &mut Vec<u8>) {
        let (first, others) = self.pieces.split_first().expect("a text has at least one piece");
        out.extend_from_slice(first);
        for piece in others {
            write_text(out, format_args!("{number}"));
            out.extend_from_slice(piece);
        }
    }
}

fn write_text(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("memory takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(template: &Template, number: u64) -> String {
        let mut out = Vec::new();
        template.write(number, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn number_stands_in_every_slot_and_the_length_is_the_bodys() {
        let template = Template::new("POST", "/orders/{n}?x={n}", "h:1").unwrap();
        let template = template.header("Idempotency-Key", "k-{n}").unwrap().body("{\"n\":{n}}");
        let text = |number: &str, length: usize| {
            format!(
                "POST /orders/{number}?x={number} HTTP/1.1\r\nHost: h:1\r\nIdempotency-Key: k-{number}\r\n\
                 Content-Length: {length}\r\n\r\n{{\"n\":{number}}}"
            )
        };
        for (number, length) in [(0, 7), (9, 7), (10, 8), (12_345, 11)] {
            assert_eq!(written(&template, number), text(&number.to_string(), length));
        }
    }

    #[test]
    fn request_without_a_body_ends_with_its_head() {
        let template = Template::new("GET", "/", "h").unwrap();
        assert_eq!(written(&template, 1), "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        assert!(written(&template.body(""), 1).ends_with("Content-Length: 0\r\n\r\n"));
    }

    #[test]
    fn sources_of_two_shares_send_different_numbers() {
        let template = Template::new("GET", "/{n}", "h").unwrap();
        let mut second = template.requests(Share { index: 1, count: 2 });
        let mut out = Vec::new();
        second.next(&mut out);
        second.next(&mut out);
        assert_eq!(out, [written(&template, 1), written(&template, 3)].concat().into_bytes());
    }

    #[test]
    fn what_would_not_be_http_is_refused() {
        let bad = |result: Result<Template, TemplateError>| result.unwrap_err();
        assert_eq!(bad(Template::new("head", "/", "h")), TemplateError::Head);
        for (method, path, host) in
            [("", "/", "h"), ("G T", "/", "h"), ("GET", "/a b", "h"), ("GET", "/", "h\r\n")]
        {
            assert!(matches!(bad(Template::new(method, path, host)), TemplateError::Character { .. }));
        }
        let get = Template::new("GET", "/", "h").unwrap();
        for (name, value) in [("A B", "c"), ("", "c"), ("A", "b\r\nC: d")] {
            assert!(matches!(bad(get.clone().header(name, value)), TemplateError::Character { .. }));
        }
        assert_eq!(
            bad(get.header("Content-length", "1")),
            TemplateError::Own { name: "Content-length".into() }
        );
    }
}
