//! The shapes of the API as types, for its description and for reading answers in tests.
//!
//! Bodies are not parsed into these: the checks that say everything at once live beside the handlers. The
//! scenarios read every answer back into its type here, so that the two cannot part.

mod bulk;
mod order;
mod sale;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

pub use bulk::*;
pub use order::*;
pub use sale::*;

/// Whether to answer only what changed.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct Caching {
    /// The `ETag` of an earlier answer.
    #[param(rename = "If-None-Match")]
    pub if_none_match: Option<String>,
}

/// Which part of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Entries on a page, at most 1000; 100 when not given.
    #[param(minimum = 1)]
    pub limit: Option<u16>,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

/// Why not (RFC 9457). Further members depend on the code: `left`, `opens_at`, `from`, `to`, `limit`, `item`, …
#[derive(ToSchema, Serialize, Deserialize, Debug)]
pub struct Problem {
    /// Names the kind: `urn:onrush:problem:` and the code.
    pub r#type: String,
    /// The code in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, in words.
    pub detail: String,
    /// The stable code.
    #[schema(example = "stock_exhausted")]
    pub code: String,
    /// Every wrong field, when fields are wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<FieldError>>,
}

/// A wrong field.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct FieldError {
    /// A field of the body, as a JSON pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// A parameter of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// The stable code.
    pub code: String,
    /// What is wrong, in words.
    pub detail: String,
}
