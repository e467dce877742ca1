//! Reading what stands in a request beside its address.

use std::ops::RangeInclusive;

use axum::extract::Query;
use bytes::Bytes;
use domain::{KeyDigest, limits};
use http::{HeaderMap, Uri, header};
use hyper::body::Body as HttpBody;
use serde_json::Value;

use crate::body::{self, BodyLimit};
use crate::json::{Faults, Field, Place};
use crate::problem::Problem;

const KEY: &str = "idempotency-key";

/// The `Idempotency-Key`, if there is one.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<KeyDigest>, Problem> {
    let mut values = headers.get_all(KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().map_err(|_not_ascii| Problem::key_invalid())?;
    let right = (1..=limits::KEY_SIZE_BYTES_MAX).contains(&text.len()) && values.next().is_none();
    if right { Ok(Some(KeyDigest::from_text(text))) } else { Err(Problem::key_invalid()) }
}

/// Makes sure that the body says it is JSON. Parameters do not matter: JSON is UTF-8 (RFC 8259).
pub(crate) fn expect_json(headers: &HeaderMap) -> Result<(), Problem> {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media = value.map(|value| value.split(';').next().unwrap_or(value).trim());
    match media {
        Some(media) if media.eq_ignore_ascii_case("application/json") => Ok(()),
        _ => Err(Problem::content_type()),
    }
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
