//! The shape of a problem, and its bytes.

use std::borrow::Cow;

use axum::response::IntoResponse;
use bytes::Bytes;
use domain::UnixMs;
use http::header::{self, HeaderName};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;

use crate::body::Reply;
use crate::conn::wire::{Ending, StatusLine};
use crate::json::{self, FieldFault};

/// Why a request is not answered with what it asked for.
#[derive(Debug)]
pub(crate) struct Problem(Box<Details>);

#[derive(Debug)]
struct Details {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    members: Vec<(&'static str, Member)>,
    faults: Vec<FieldFault>,
    header: Option<(HeaderName, HeaderValue)>,
}

/// The value of an extension member.
#[derive(Debug)]
pub(super) enum Member {
    Number(u64),
    Text(Cow<'static, str>),
    Time(Option<UnixMs>),
}

/// The code of a problem, left on its answer for whoever counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Code(pub(crate) &'static str);

/// The content type of every problem.
pub(crate) const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Room for a usual problem without growing.
const SIZE_BYTES_USUAL: usize = 320;

impl Problem {
    pub(super) fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Problem {
        let detail = detail.into();
        Problem(Box::new(Details {
            status,
            code,
            detail,
            members: Vec::new(),
            faults: Vec::new(),
            header: None,
        }))
    }

    pub(super) fn with(mut self, name: &'static str, member: Member) -> Problem {
        self.0.members.push((name, member));
        self
    }

    pub(super) fn with_text(self, name: &'static str, text: impl Into<Cow<'static, str>>) -> Problem {
        self.with(name, Member::Text(text.into()))
    }

    pub(super) fn with_number(self, name: &'static str, number: u32) -> Problem {
        self.with(name, Member::Number(u64::from(number)))
    }

    pub(super) fn with_faults(mut self, faults: Vec<FieldFault>) -> Problem {
        self.0.faults = faults;
        self
    }

    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Problem {
        self.0.header = Some((name, value));
        self
    }

    pub(super) fn retry_after(self, seconds: u16) -> Problem {
        self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
            .with("retry_after_seconds", Member::Number(u64::from(seconds)))
    }

    /// Says in which line of the body, counted from 1, it is.
    pub(crate) fn in_line(self, line: usize) -> Problem {
        self.with("line", Member::Number(u64::try_from(line).unwrap_or(u64::MAX)))
    }

    /// Writes its body.
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        push(out, &self.0);
    }

    /// The answer.
    pub(crate) fn into_reply(self) -> Reply {
        let details = *self.0;
        let mut out = Vec::with_capacity(SIZE_BYTES_USUAL);
        push(&mut out, &details);
        let mut reply = Response::new(Full::new(Bytes::from(out)));
        *reply.status_mut() = details.status;
        reply.headers_mut().insert(header::CONTENT_TYPE, CONTENT_TYPE);
        if let Some((name, value)) = details.header {
            reply.headers_mut().insert(name, value);
        }
        reply.extensions_mut().insert(Code(details.code));
        reply
    }

    /// Its status and its code.
    pub(crate) fn names(&self) -> (StatusCode, &'static str) {
        (self.0.status, self.0.code)
    }

    /// Writes the answer for a lane: in a rush most answers say "no", so without a map of headers in between.
    pub(crate) fn push_answer(&self, out: &mut Vec<u8>, ending: Ending) {
        let mut body = Vec::with_capacity(SIZE_BYTES_USUAL);
        push(&mut body, &self.0);
        self.push_head(out).end(&body, ending);
    }

    /// Writes the beginning of the answer, up to its ending.
    pub(crate) fn push_head<'a>(&self, out: &'a mut Vec<u8>) -> StatusLine<'a> {
        let mut line = StatusLine::begin(out, self.0.status);
        line.header(&header::CONTENT_TYPE, &CONTENT_TYPE);
        if let Some((name, value)) = &self.0.header {
            line.header(name, value);
        }
        line
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> axum::response::Response {
        self.into_reply().into_response()
    }
}

/// `type` names the code; `title` is what RFC 9457 wants it to be, the same for every occurrence.
fn push(out: &mut Vec<u8>, details: &Details) {
    out.extend_from_slice(b"{\"type\":\"urn:onrush:problem:");
    out.extend_from_slice(details.code.as_bytes());
    out.extend_from_slice(b"\",\"title\":\"");
    // The code in words: `stock_exhausted` → `stock exhausted`.
    out.extend(details.code.bytes().map(|byte| if byte == b'_' { b' ' } else { byte }));
    out.extend_from_slice(b"\",\"status\":");
    json::push_number(out, u64::from(details.status.as_u16()));
    out.extend_from_slice(b",\"detail\":");
    json::push_text(out, &details.detail);
    out.extend_from_slice(b",\"code\":\"");
    out.extend_from_slice(details.code.as_bytes());
    out.push(b'"');
    for (name, member) in &details.members {
        json::push_name(out, name);
        match member {
            Member::Number(number) => json::push_number(out, *number),
            Member::Text(text) => json::push_text(out, text),
            Member::Time(time) => json::push_time_or_null(out, *time),
        }
    }
    push_faults(out, &details.faults);
    out.push(b'}');
}

fn push_faults(out: &mut Vec<u8>, faults: &[FieldFault]) {
    if faults.is_empty() {
        return;
    }
    out.extend_from_slice(b",\"errors\":[");
    for (index, fault) in faults.iter().enumerate() {
        out.extend_from_slice(if index == 0 { b"{" } else { b",{" });
        let (name, place) = fault.place.named();
        json::push_text(out, name);
        out.push(b':');
        json::push_text(out, place);
        out.extend_from_slice(b",\"code\":\"");
        out.extend_from_slice(fault.code.as_bytes());
        out.extend_from_slice(b"\",\"detail\":");
        json::push_text(out, &fault.detail);
        out.push(b'}');
    }
    out.push(b']');
}
