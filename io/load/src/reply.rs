//! Reads answers from a stream of bytes: status, length, whether the connection ends. Bodies are skipped, not kept.

use std::mem::MaybeUninit;

use httparse::{Header, ParserConfig, Response, Status};

const HEAD_SIZE_BYTES_MAX: usize = 64 * 1024;
const HEADER_COUNT_MAX: usize = 64;

/// An answer that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReplyError {
    /// It is not HTTP/1.1.
    #[error("an answer is not HTTP/1.1: {0}")]
    Malformed(#[source] httparse::Error),
    /// Its length is not a number.
    #[error("an answer has a Content-Length that is not a number")]
    Length,
    /// Its head has no end.
    #[error("the head of an answer has more than {HEAD_SIZE_BYTES_MAX} bytes")]
    HeadTooLong,
    /// Bytes that nobody asked for.
    #[error("the server sent an answer to no request")]
    Unasked,
    /// Its body comes in pieces whose lengths are not known ahead.
    #[error(
        "the server answers with Transfer-Encoding (chunked): only answers with a Content-Length can be read"
    )]
    Chunked,
    /// Its body ends with the connection.
    #[error("the server answers without a Content-Length: only answers with one can be read")]
    NoLength,
}

impl ReplyError {
    /// Whether the answer is good HTTP that this room does not read: nothing can be measured then.
    pub(crate) fn is_unsupported(&self) -> bool {
        matches!(self, ReplyError::Chunked | ReplyError::NoLength)
    }
}

/// A whole answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Whether the server ends the connection after it.
    pub(crate) closes: bool,
}

/// Where in the stream a connection is.
#[derive(Default)]
pub(crate) struct Reader {
    /// The beginning of a head whose end has not come yet.
    head: Vec<u8>,
    /// The answer whose body is coming, and how much of it is still to come.
    body: Option<(Answer, u64)>,
}

struct Head {
    answer: Answer,
    size_bytes: usize,
    body_size_bytes: u64,
}

impl Reader {
    /// Takes the next bytes and names each answer that has come to its end with them.
    pub(crate) fn read(
        &mut self,
        mut bytes: &[u8],
        mut answered: impl FnMut(Answer) -> Result<(), ReplyError>,
    ) -> Result<(), ReplyError> {
        while !bytes.is_empty() {
            if let Some((answer, left)) = &mut self.body {
                let taken = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                bytes = &bytes[taken..];
                *left -= taken as u64;
                if *left == 0 {
                    let answer = *answer;
                    self.body = None;
                    answered(answer)?;
                }
                continue;
            }
            let Some(head) = self.read_head(bytes)? else { return Ok(()) };
            bytes = &bytes[head.size_bytes..];
            match head {
                // Only announces another answer (RFC 9110, section 15.2).
                Head { answer: Answer { status: 100..200, .. }, .. } => {}
                Head { answer, body_size_bytes: 0, .. } => answered(answer)?,
                Head { answer, body_size_bytes, .. } => self.body = Some((answer, body_size_bytes)),
            }
        }
        Ok(())
    }

    /// The head that ends within `bytes`; its size is that of its part in them.
    fn read_head(&mut self, bytes: &[u8]) -> Result<Option<Head>, ReplyError> {
        if self.head.is_empty() {
            let head = parse(bytes)?;
            if head.is_none() {
                self.head.extend_from_slice(bytes);
            }
            return Ok(head);
        }
        let before = self.head.len();
        self.head.extend_from_slice(bytes);
        let Some(head) = parse(&self.head)? else {
            if self.head.len() > HEAD_SIZE_BYTES_MAX {
                return Err(ReplyError::HeadTooLong);
            }
            return Ok(None);
        };
        self.head.clear();
        Ok(Some(Head { size_bytes: head.size_bytes - before, ..head }))
    }
}

fn parse(bytes: &[u8]) -> Result<Option<Head>, ReplyError> {
    let mut headers = [const { MaybeUninit::<Header<'_>>::uninit() }; HEADER_COUNT_MAX];
    let mut response = Response::new(&mut []);
    let parsed =
        ParserConfig::default().parse_response_with_uninit_headers(&mut response, bytes, &mut headers);
    let size_bytes = match parsed.map_err(ReplyError::Malformed)? {
        Status::Complete(size_bytes) => size_bytes,
        Status::Partial => return Ok(None),
    };
    let status = response.code.expect("a whole head has a status");
    let mut closes = response.version == Some(0);
    let mut length = None;
    let has_body = !matches!(status, 100..200 | 204 | 304);
    for header in response.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            length = Some(number(header.value).ok_or(ReplyError::Length)?);
        } else if header.name.eq_ignore_ascii_case("connection") {
            closes |= has_token(header.value, b"close");
        } else if has_body && header.name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(ReplyError::Chunked);
        }
    }
    let body_size_bytes = if has_body { length.ok_or(ReplyError::NoLength)? } else { 0 };
    Ok(Some(Head { answer: Answer { status, closes }, size_bytes, body_size_bytes }))
}

/// Digits only: `+1` is none of HTTP's numbers.
fn number(text: &[u8]) -> Option<u64> {
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| is_number)?.parse().ok()
}

fn has_token(list: &[u8], token: &[u8]) -> bool {
    list.split(|byte| *byte == b',').any(|part| part.trim_ascii().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests;
