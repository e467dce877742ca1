//! The JSON that the simulator and its client exchange, and the callback's.

use domain::{Amount, Currency, PaymentId, PaymentResult};
use serde::{Deserialize, Serialize};

use crate::provider::{ChargeRequest, ChargeStatus, Event};
use crate::signature::CallbackError;

/// `POST /charges`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChargeBody {
    pub(crate) order: String,
    pub(crate) amount: u64,
    pub(crate) currency: String,
    pub(crate) callback_url: String,
    pub(crate) idempotency_key: String,
}

/// The answer to `POST /charges` and `GET /charges/{id}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct ChargeAnswer {
    pub(crate) payment: String,
    pub(crate) order: String,
    pub(crate) amount: u64,
    pub(crate) currency: String,
    pub(crate) status: ChargeStatus,
}

/// What is posted to the callback address.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct CallbackBody {
    pub(crate) payment: String,
    pub(crate) order: String,
    pub(crate) amount: u64,
    pub(crate) currency: String,
    pub(crate) result: CallbackResult,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CallbackResult {
    Succeeded,
    Failed,
}

/// The simulator's word for what went wrong.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ErrorBody {
    pub(crate) error: String,
}

impl From<ChargeRequest> for ChargeBody {
    fn from(request: ChargeRequest) -> ChargeBody {
        ChargeBody {
            order: request.order_code,
            amount: request.amount.0,
            currency: request.currency.as_str().to_owned(),
            callback_url: request.callback_url,
            idempotency_key: request.idempotency_key,
        }
    }
}

impl CallbackBody {
    /// The callback of a body whose signature was checked.
    pub(crate) fn parse(body: &[u8]) -> Result<Event, CallbackError> {
        let body: CallbackBody = serde_json::from_slice(body).map_err(CallbackError::BodyMalformed)?;
        let field = |field, value: &str| CallbackError::BodyField { field, value: value.to_owned() };
        let size_bytes = body.payment.len();
        if size_bytes == 0 || size_bytes > domain::limits::LABEL_SIZE_BYTES_MAX {
            return Err(field("payment", &body.payment));
        }
        let currency = Currency::new(&body.currency).ok_or_else(|| field("currency", &body.currency))?;
        Ok(Event {
            payment: PaymentId::from_text(&body.payment),
            order_code: body.order,
            amount: Amount(body.amount),
            currency,
            result: match body.result {
                CallbackResult::Succeeded => PaymentResult::Succeeded,
                CallbackResult::Failed => PaymentResult::Failed,
            },
        })
    }
}
