//! Reading what stands in a request beside its address.

use std::ops::RangeInclusive;

use axum::extract::Query;
use bytes::Bytes;
use domain::{KeyDigest, limits};
use http::{HeaderMap, HeaderValue, Uri};
use hyper::body::Body as HttpBody;
use serde_json::Value;

use crate::ascii;
use crate::body::{self, BodyLimit};
use crate::json::{Faults, Field, Place};
use crate::problem::Problem;

const KEY: &str = "idempotency-key";
/// As nearly everybody writes it.
const JSON: &[u8] = b"application/json";

/// What the crowd's routes look at of a request's headers: the first value of each name, as it came.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct HotHeaders<'a> {
    pub(crate) authorization: Option<&'a [u8]>,
    pub(crate) key: Option<&'a [u8]>,
    key_is_repeated: bool,
    pub(crate) content_type: Option<&'a [u8]>,
    pub(crate) if_none_match: Option<&'a [u8]>,
    are_plain: bool,
}

impl<'a> HotHeaders<'a> {
    /// None yet, by who knows that all that come are visible ASCII and spaces.
    pub(crate) fn plain() -> HotHeaders<'a> {
        HotHeaders { are_plain: true, ..HotHeaders::default() }
    }

    #[cfg(test)]
    pub(crate) fn are_plain(&self) -> bool {
        self.are_plain
    }

    /// Those of a request that hyper read.
    pub(crate) fn of(headers: &'a HeaderMap) -> HotHeaders<'a> {
        let first = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
        HotHeaders {
            authorization: first("authorization"),
            key: first(KEY),
            key_is_repeated: headers.get_all(KEY).iter().nth(1).is_some(),
            content_type: first("content-type"),
            if_none_match: first("if-none-match"),
            are_plain: false,
        }
    }

    /// Takes note of a header, if it is one of these; says whether it is.
    pub(crate) fn note(&mut self, name: &[u8], value: &'a [u8]) -> bool {
        let place = match name.len() {
            12 if is_named(name, b"content-type") => &mut self.content_type,
            13 if is_named(name, b"authorization") => &mut self.authorization,
            13 if is_named(name, b"if-none-match") => &mut self.if_none_match,
            15 if is_named(name, b"idempotency-key") => {
                self.key_is_repeated |= self.key.is_some();
                &mut self.key
            }
            _ => return false,
        };
        place.get_or_insert(value);
        true
    }

    /// The `Idempotency-Key`, if there is one.
    pub(crate) fn key(&self) -> Result<Option<KeyDigest>, Problem> {
        let Some(value) = self.key else { return Ok(None) };
        let is_text = self.are_plain || is_text(value);
        let right = is_text && (1..=limits::KEY_SIZE_BYTES_MAX).contains(&value.len());
        let right = right && !self.key_is_repeated;
        if right { Ok(Some(KeyDigest::from_bytes(value))) } else { Err(Problem::key_invalid()) }
    }

    /// What `Content-Type` says, without its parameters.
    fn media_type(&self) -> Option<&'a str> {
        let value = self.content_type.and_then(text)?;
        Some(value.split(';').next().unwrap_or(value).trim())
    }

    /// Makes sure that the body says it is JSON. Parameters do not matter: JSON is UTF-8 (RFC 8259).
    pub(crate) fn expect_json(&self) -> Result<(), Problem> {
        if self.content_type == Some(JSON) {
            return Ok(());
        }
        match self.media_type() {
            Some(media) if media.eq_ignore_ascii_case("application/json") => Ok(()),
            _ => Err(Problem::content_type()),
        }
    }
}

/// Whether a header's name, which is a token of RFC 9110, is this one of small letters and hyphens, whatever its case. Without a
/// way out of the loop: it becomes a few words' comparison.
pub(crate) fn is_named<const SIZE_BYTES: usize>(name: &[u8], small: &[u8; SIZE_BYTES]) -> bool {
    let same = |name: &[u8; SIZE_BYTES]| {
        name.iter().zip(small).fold(true, |same, (byte, small)| same & (byte | 0x20 == *small))
    };
    <&[u8; SIZE_BYTES]>::try_from(name).is_ok_and(same)
}

/// A header's value as text, if it is visible ASCII, spaces and tabs.
pub(crate) fn text(value: &[u8]) -> Option<&str> {
    if is_text(value) { std::str::from_utf8(value).ok() } else { None }
}

fn is_text(value: &[u8]) -> bool {
    ascii::is_plain(value) || value.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
}

/// The `Idempotency-Key`, if there is one.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<KeyDigest>, Problem> {
    HotHeaders::of(headers).key()
}

/// Makes sure that the body says it is JSON.
pub(crate) fn expect_json(headers: &HeaderMap) -> Result<(), Problem> {
    HotHeaders::of(headers).expect_json()
}

/// What `Content-Type` says, without its parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<&str> {
    HotHeaders::of(headers).media_type()
}

/// Whether a text could be an `Idempotency-Key`, but for its length.
pub(crate) fn is_key(text: &str) -> bool {
    ascii::is_plain(text.as_bytes())
}

/// A JSON body, whatever it says.
pub(crate) async fn json<D>(headers: &HeaderMap, body: D, limit: BodyLimit) -> Result<Value, Problem>
where
    D: HttpBody<Data = Bytes> + Unpin,
{
    expect_json(headers)?;
    let bytes = body::read(body, limit).await?;
    parse(&bytes)
}

/// A JSON body, or an empty object when there is none at all.
pub(crate) async fn json_or_empty<D>(headers: &HeaderMap, body: D, limit: BodyLimit) -> Result<Value, Problem>
where
    D: HttpBody<Data = Bytes> + Unpin,
{
    let bytes = body::read(body, limit).await?;
    if bytes.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    expect_json(headers)?;
    parse(&bytes)
}

/// Makes sure that there is no body, or one without a field.
pub(crate) async fn no_fields<D>(headers: &HeaderMap, body: D, limit: BodyLimit) -> Result<(), Problem>
where
    D: HttpBody<Data = Bytes> + Unpin,
{
    let value = json_or_empty(headers, body, limit).await?;
    let faults = Faults::default();
    let read = Field::root(&value, &faults).object(&[]).map(|_empty| ());
    faults.finish(read)
}

fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(bytes).map_err(|error| Problem::json_malformed(&error))
}

/// The parameters of an address, each at most once and all of them known.
pub(crate) struct Parameters {
    given: Vec<(String, String)>,
    pub(crate) faults: Faults,
}

impl Parameters {
    /// Reads them.
    pub(crate) fn read(uri: &Uri, known: &[&str]) -> Parameters {
        let faults = Faults::default();
        let given = match Query::<Vec<(String, String)>>::try_from_uri(uri) {
            Ok(Query(given)) => given,
            Err(_unreadable) => {
                faults.add(Place::Query(String::new()), "value", "the query cannot be read");
                Vec::new()
            }
        };
        for (index, (name, _)) in given.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let detail = match known {
                    [] => "this address takes no parameter".to_owned(),
                    known => format!("there is no such parameter; known are {}", known.join(", ")),
                };
                faults.add(Place::Query(name.clone()), "unknown", detail);
            } else if given[..index].iter().any(|(earlier, _)| earlier == name) {
                faults.add(Place::Query(name.clone()), "duplicate", "may stand only once");
            }
        }
        Parameters { given, faults }
    }

    /// Refuses any parameter.
    pub(crate) fn none(uri: &Uri) -> Result<(), Problem> {
        if uri.query().is_none() {
            return Ok(());
        }
        Parameters::read(uri, &[]).faults.finish(Some(()))
    }

    /// What `read` makes of a parameter; `None` when it is not there or wrong.
    pub(crate) fn word<T>(&self, name: &str, what: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let (_, text) = self.given.iter().find(|(given, _)| given == name)?;
        let value = read(text);
        if value.is_none() {
            self.faults.add(Place::Query(name.to_owned()), "value", format!("must be {what}"));
        }
        value
    }

    /// A whole number of that range; `None` when it is not there or wrong.
    pub(crate) fn whole(&self, name: &str, range: RangeInclusive<u16>) -> Option<u16> {
        let what = format!("a whole number from {} to {}", range.start(), range.end());
        self.word(name, &what, |text| text.parse().ok().filter(|number| range.contains(number)))
    }
}
