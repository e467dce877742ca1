//! What must be true of every answer of the edge, and what the body of an order means, read the slow way.

use domain::limits;
use serde_json::Value;

use crate::world::Answered;

/// Every code that an answer may carry: those of `docs/api.md` and of wrong requests.
const CODES: &[&str] = &[
    "idempotency_key_reused",
    "sale_not_found",
    "sale_not_open",
    "sale_paused",
    "sale_closed",
    "item_not_found",
    "quantity_out_of_range",
    "buyer_limit_reached",
    "stock_exhausted",
    "capacity_exhausted",
    "order_not_found",
    "order_state",
    "sale_state",
    "terms_invalid",
    "stock_out_of_range",
    "route_not_found",
    "method_not_allowed",
    "request_malformed",
    "body_too_large",
    "body_incomplete",
    "content_type_unsupported",
    "json_malformed",
    "idempotency_key_missing",
    "idempotency_key_invalid",
    "fields_invalid",
    "provider_not_found",
    "payment_provider_missing",
    "token_missing",
    "token_invalid",
    "token_expired",
    "buyer_token_required",
    "admin_key_unknown",
    "admin_key_required",
    "integrator_key_unknown",
    "integrator_key_required",
    "buyer_token_or_admin_key_required",
    "batch_malformed",
    "batch_empty",
    "batch_too_long",
];
const FIELD_CODES: &[&str] =
    &["required", "type", "length", "value", "range", "unknown", "duplicate", "immutable"];

/// Checks an answer by itself, and with the body that it answers.
pub(crate) fn check_answer(answer: &Answered, body: &[u8]) {
    let status = answer.status().as_u16();
    assert!(![500, 501].contains(&status), "{answer:?}");
    let kind = answer.headers().get("content-type").map(|kind| kind.as_bytes());
    if status < 400 {
        assert!(
            answer.body().is_empty() || serde_json::from_slice::<Value>(answer.body()).is_ok(),
            "{answer:?}"
        );
        return;
    }
    assert_eq!(kind, Some(&b"application/problem+json"[..]), "{answer:?}");
    let problem: Value = serde_json::from_slice(answer.body()).expect("a problem is JSON");
    assert_eq!(problem["status"].as_u64(), Some(u64::from(status)), "{problem}");
    let code = problem["code"].as_str().expect("a problem has a code");
    assert!(CODES.contains(&code), "the code {code} is in no list");
    if code == "fields_invalid" {
        let value = serde_json::from_slice(body).unwrap_or(Value::Object(serde_json::Map::new()));
        let errors = problem["errors"].as_array().expect("wrong fields are listed");
        assert!(!errors.is_empty() && errors.len() <= 100, "{problem}");
        errors.iter().for_each(|error| check_error(error, &value));
    }
}

/// A wrong field is where its pointer says (RFC 6901); one that is missing is not.
fn check_error(error: &Value, body: &Value) {
    let code = error["code"].as_str().expect("a wrong field has a code");
    assert!(FIELD_CODES.contains(&code), "the code {code} is in no list");
    if error.get("parameter").is_some() {
        return;
    }
    let pointer = error["pointer"].as_str().expect("a wrong field has its place");
    assert_eq!(body.pointer(pointer).is_none(), code == "required", "{error} of {body}");
}

/// The lines of an order, when the body is one: each item with its quantity.
pub(crate) fn lines(body: &[u8]) -> Option<Vec<(String, u16)>> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let members = value.as_object().filter(|members| members.len() == 1)?;
    let entries = members.get("lines")?.as_array()?;
    let lines: Option<Vec<(String, u16)>> = entries.iter().map(line).collect();
    let lines = lines.filter(|lines| (1..=limits::LINE_COUNT_MAX).contains(&lines.len()))?;
    let is_twice =
        |(index, line): (usize, &(String, u16))| lines[..index].iter().any(|other| other.0 == line.0);
    if lines.iter().enumerate().any(is_twice) { None } else { Some(lines) }
}

fn line(entry: &Value) -> Option<(String, u16)> {
    let members = entry.as_object().filter(|members| members.len() == 2)?;
    let item = members.get("item")?.as_str()?;
    let quantity = u16::try_from(members.get("quantity")?.as_u64()?).ok()?;
    let is_sound = (1..=limits::SLUG_SIZE_BYTES_MAX).contains(&item.len())
        && (1..=limits::LINE_QUANTITY_MAX).contains(&quantity);
    is_sound.then(|| (item.to_owned(), quantity))
}
