//! The one file that turns every kind of "no" into an HTTP answer: refusals of the engine, failures of the
//! world, wrong requests. All are problem details (RFC 9457) with a stable `code`; [`details`] writes them.

mod details;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use domain::{ItemIndex, Refusal};
use gate::Refused;
use http::{HeaderValue, StatusCode, header};
use payments::{CallbackError, ProviderError};
use views::SaleEntry;

use crate::auth::AuthFault;
use crate::backend::Unavailable;
use crate::json::FieldFault;

use details::Member;
pub(crate) use details::{CONTENT_TYPE, Code, Problem};

const CAPACITY_RETRY_AFTER_S: u16 = 60;
const STOPPING_RETRY_AFTER_S: u16 = 5;
const FAILED_RETRY_AFTER_S: u16 = 30;

/// What is wrong with the request.
impl Problem {
    pub(crate) fn route_not_found() -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "route_not_found", "nothing is at this address")
    }

    pub(crate) fn body_too_large(size_bytes_max: usize) -> Problem {
        let detail = format!("the body may have at most {size_bytes_max} bytes");
        let limit = u64::try_from(size_bytes_max).unwrap_or(u64::MAX);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
            .with("limit", Member::Number(limit))
    }

    pub(crate) fn body_too_slow() -> Problem {
        let problem =
            Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", "the body did not come in time");
        problem.with_header(header::CONNECTION, HeaderValue::from_static("close"))
    }

    pub(crate) fn body_broken() -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "body_incomplete", "the body ended too early or cannot be read")
    }

    pub(crate) fn content_type() -> Problem {
        let detail = "the body must be application/json, and Content-Type must say so";
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type_unsupported", detail)
            .with_header(header::ACCEPT, HeaderValue::from_static("application/json"))
    }

    pub(crate) fn json_malformed(error: &serde_json::Error) -> Problem {
        let detail = format!("the body is not JSON: {error}");
        Problem::new(StatusCode::BAD_REQUEST, "json_malformed", detail)
    }

    /// The body of a bulk says in neither of its two ways what it is.
    pub(crate) fn bulk_content_type() -> Problem {
        let detail = "the body must be application/jsonl or application/vnd.onrush.batch, and Content-Type \
                      must say so";
        let accepted = HeaderValue::from_static("application/jsonl, application/vnd.onrush.batch");
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type_unsupported", detail)
            .with_header(header::ACCEPT, accepted)
    }

    pub(crate) fn bulk_malformed(why: &'static str) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "batch_malformed", why)
    }

    pub(crate) fn bulk_empty() -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "batch_empty", "a batch has at least one order")
    }

    pub(crate) fn bulk_too_long(len_max: usize) -> Problem {
        let detail = format!("a batch may have at most {len_max} orders");
        let limit = u64::try_from(len_max).unwrap_or(u64::MAX);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "batch_too_long", detail)
            .with("limit", Member::Number(limit))
    }

    pub(crate) fn key_missing() -> Problem {
        let detail =
            "the header Idempotency-Key must say which attempt this is, so that repeating it is safe";
        Problem::new(StatusCode::BAD_REQUEST, "idempotency_key_missing", detail)
    }

    pub(crate) fn key_invalid() -> Problem {
        let detail = "the header Idempotency-Key has 1 to 255 visible ASCII characters and comes once";
        Problem::new(StatusCode::BAD_REQUEST, "idempotency_key_invalid", detail)
    }

    pub(crate) fn fields(faults: Vec<FieldFault>) -> Problem {
        let detail = match faults.len() {
            1 => Cow::from("one field is wrong, see errors"),
            count => format!("{count} fields are wrong, see errors").into(),
        };
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "fields_invalid", detail).with_faults(faults)
    }

    pub(crate) fn provider_not_found() -> Problem {
        Problem::new(
            StatusCode::NOT_FOUND,
            "provider_not_found",
            "no payment provider of that name is configured",
        )
    }

    /// What the engine would say: there is no such order.
    pub(crate) fn order_not_found() -> Problem {
        Problem::refusal(&Refusal::OrderNotFound, None)
    }

    /// What the engine would say: there is no such sale.
    pub(crate) fn sale_not_found() -> Problem {
        Problem::refusal(&Refusal::SaleNotFound, None)
    }

    /// What the engine would say of an item that nobody knows, with the code that was asked for.
    pub(crate) fn item_not_found(code: &str) -> Problem {
        let detail = format!("the sale has no item {code:?}");
        Problem::new(StatusCode::NOT_FOUND, Refusal::ItemNotFound { item: ItemIndex::UNKNOWN }.code(), detail)
            .with_text("item", code.to_owned())
    }
}

/// What is wrong with us, or with those we depend on.
impl Problem {
    pub(crate) fn internal() -> Problem {
        let detail = "a bug: it was noted and counted; repeat the request with the same Idempotency-Key";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", detail)
    }

    pub(crate) fn provider_missing() -> Problem {
        let detail = "this server has no payment provider; its operator configures one under [payments], \
                      see `onrush config print`";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "payment_provider_missing", detail)
            .retry_after(CAPACITY_RETRY_AFTER_S)
    }

    /// A bare answer of a library, by its status: no route for the method, an address that is not UTF-8.
    pub(crate) fn from_status(status: StatusCode) -> Problem {
        match status {
            StatusCode::METHOD_NOT_ALLOWED => {
                Problem::new(status, "method_not_allowed", "this address has other methods, see Allow")
            }
            StatusCode::NOT_FOUND => Problem::route_not_found(),
            status if status.is_client_error() => {
                Problem::new(status, "request_malformed", "the request cannot be read")
            }
            _ => Problem::internal(),
        }
    }

    /// The rest of Onrush cannot answer.
    pub(crate) fn unavailable(cause: Unavailable) -> Problem {
        let (code, retry_after_s) = match cause {
            Unavailable::Overloaded { retry_after_s } => ("overloaded", retry_after_s),
            Unavailable::Stopping => ("stopping", STOPPING_RETRY_AFTER_S),
            Unavailable::Failed => ("unavailable", FAILED_RETRY_AFTER_S),
        };
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, cause.to_string()).retry_after(retry_after_s)
    }

    /// The gate turned somebody away.
    pub(crate) fn shed(refused: Refused) -> Problem {
        Problem::unavailable(Unavailable::Overloaded { retry_after_s: refused.retry_after_s })
    }

    /// The payment provider did not take a charge.
    pub(crate) fn charge(error: &ProviderError) -> Problem {
        if error.is_retryable() {
            let problem = Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "payment_provider_unavailable",
                error.to_string(),
            );
            return problem.retry_after(STOPPING_RETRY_AFTER_S);
        }
        Problem::new(StatusCode::BAD_GATEWAY, "payment_provider_refused", error.to_string())
    }
}

/// Who may not ask.
impl Problem {
    /// A callback of a payment provider that is not believed.
    pub(crate) fn callback(error: &CallbackError) -> Problem {
        let status = match error {
            CallbackError::SignatureMissing
            | CallbackError::SignatureMalformed { .. }
            | CallbackError::SignatureOutsideWindow { .. }
            | CallbackError::SignatureMismatch => StatusCode::UNAUTHORIZED,
            CallbackError::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            CallbackError::BodyMalformed(_) => StatusCode::BAD_REQUEST,
            CallbackError::BodyField { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let problem = Problem::new(status, error.code(), error.to_string());
        if status != StatusCode::UNAUTHORIZED {
            return problem;
        }
        problem.with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Onrush-Signature"))
    }

    /// A caller who is not who the route wants.
    pub(crate) fn auth(fault: &AuthFault) -> Problem {
        let (status, code, challenge) = match fault {
            AuthFault::Missing => (StatusCode::UNAUTHORIZED, "token_missing", "Bearer realm=\"onrush\""),
            AuthFault::TokenExpired => (StatusCode::UNAUTHORIZED, "token_expired", INVALID_TOKEN),
            AuthFault::TokenInvalid => (StatusCode::UNAUTHORIZED, "token_invalid", INVALID_TOKEN),
            AuthFault::AdminKeyUnknown => (StatusCode::UNAUTHORIZED, "admin_key_unknown", INVALID_TOKEN),
            AuthFault::IntegratorKeyUnknown => {
                (StatusCode::UNAUTHORIZED, "integrator_key_unknown", INVALID_TOKEN)
            }
            AuthFault::OrganiserOnly => (StatusCode::FORBIDDEN, "admin_key_required", INSUFFICIENT_SCOPE),
            AuthFault::BuyerOnly => (StatusCode::FORBIDDEN, "buyer_token_required", INSUFFICIENT_SCOPE),
            AuthFault::BuyerOrOrganiserOnly => {
                (StatusCode::FORBIDDEN, "buyer_token_or_admin_key_required", INSUFFICIENT_SCOPE)
            }
            AuthFault::IntegratorOnly => {
                (StatusCode::FORBIDDEN, "integrator_key_required", INSUFFICIENT_SCOPE)
            }
        };
        Problem::new(status, code, fault.to_string())
            .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }
}

const INVALID_TOKEN: &str = "Bearer realm=\"onrush\", error=\"invalid_token\"";
const INSUFFICIENT_SCOPE: &str = "Bearer realm=\"onrush\", error=\"insufficient_scope\"";

/// What the engine refuses.
impl Problem {
    /// A refusal, with what it says as members. `sale` lends the codes of its items.
    pub(crate) fn refusal(refusal: &Refusal, sale: Option<&SaleEntry>) -> Problem {
        let (status, detail) = refusal_words(refusal);
        let problem = Problem::new(status, refusal.code(), detail);
        match *refusal {
            Refusal::SaleNotOpen { opens_at } => problem.with("opens_at", Member::Time(opens_at)),
            Refusal::ItemNotFound { item } => problem.about(Some(item), sale),
            Refusal::QuantityOutOfRange { item, quantity_max } => {
                problem.about(item, sale).with_number("limit", quantity_max)
            }
            Refusal::BuyerLimitReached { item, per_day, limit, taken } => problem
                .about(item, sale)
                .with_text("per", if per_day { "day" } else { "sale" })
                .with_number("limit", limit)
                .with_number("taken", taken),
            Refusal::StockExhausted { wish, left } => {
                problem.about(Some(wish.item), sale).with_number("left", left)
            }
            Refusal::OrderState { from, to } => {
                problem.with_text("from", from.name()).with_text("to", to.name())
            }
            Refusal::SaleState { from, to } => {
                problem.with_text("from", from.name()).with_text("to", to.name())
            }
            Refusal::AmountMismatch { expected, currency } => problem
                .with("expected", Member::Number(expected.0))
                .with_text("currency", currency.as_str().to_owned()),
            Refusal::CapacityExhausted { limit } => {
                problem.with_text("bound", limit).retry_after(CAPACITY_RETRY_AFTER_S)
            }
            _ => problem,
        }
    }

    /// The status of a refusal alone.
    pub(crate) fn refusal_status(refusal: &Refusal) -> StatusCode {
        refusal_words(refusal).0
    }

    fn about(self, item: Option<ItemIndex>, sale: Option<&SaleEntry>) -> Problem {
        let front = sale.map(SaleEntry::front);
        let terms = item.and_then(|item| front.as_ref()?.item_terms(item));
        match terms {
            Some(terms) => self.with_text("item", terms.code.as_str().to_owned()),
            None => self,
        }
    }
}

fn refusal_words(refusal: &Refusal) -> (StatusCode, Cow<'static, str>) {
    let not_found = StatusCode::NOT_FOUND;
    let conflict = StatusCode::CONFLICT;
    match *refusal {
        Refusal::IdempotencyKeyReused => {
            (conflict, "the Idempotency-Key was used before, for another request".into())
        }
        Refusal::SaleNotFound => (not_found, "there is no such sale".into()),
        Refusal::SaleNotOpen { opens_at: Some(_) } => (conflict, "the sale opens later, see opens_at".into()),
        Refusal::SaleNotOpen { opens_at: None } => (conflict, "the sale opens later".into()),
        Refusal::SalePaused => (conflict, "the sale takes no orders for the moment".into()),
        Refusal::SaleClosed => (conflict, "the sale takes no orders any more".into()),
        Refusal::ItemNotFound { .. } => (not_found, "the sale has no such item".into()),
        Refusal::QuantityOutOfRange { quantity_max, .. } => {
            (conflict, format!("one order may have from 1 to {quantity_max} units").into())
        }
        Refusal::BuyerLimitReached { limit, taken, .. } => {
            (conflict, format!("one buyer may have {limit} units and has {taken}").into())
        }
        Refusal::StockExhausted { left: 0, .. } => (conflict, "sold out for now".into()),
        Refusal::StockExhausted { left, .. } => (conflict, format!("only {left} left").into()),
        Refusal::OrderNotFound => (not_found, "there is no such order".into()),
        Refusal::OrderState { from, to } => {
            (conflict, format!("the order is {} and cannot become {}", from.name(), to.name()).into())
        }
        Refusal::HoldAlreadyExtended => (conflict, "the hold was extended once already".into()),
        Refusal::AmountMismatch { .. } => (conflict, "the payment is not what the order costs".into()),
        Refusal::PaymentNotFound => (not_found, "there is no such payment to give back".into()),
        Refusal::SaleExists => (conflict, "another sale has this code".into()),
        Refusal::SaleState { from, to } => {
            (conflict, format!("the sale is {} and cannot become {}", from.name(), to.name()).into())
        }
        Refusal::TermsInvalid(fault) => (StatusCode::UNPROCESSABLE_ENTITY, fault.description().into()),
        Refusal::StockOutOfRange => (conflict, "an item cannot have so many units".into()),
        Refusal::CapacityExhausted { .. } => (
            StatusCode::SERVICE_UNAVAILABLE,
            "a bound of the system is reached, its operator has to act".into(),
        ),
    }
}
