//! The contract between Onrush and whoever moves the money.

use std::future::Future;

use domain::{Amount, Currency, PaymentId, PaymentResult, UnixMs};
use serde::{Deserialize, Serialize};

use crate::signature::CallbackError;

/// A payment provider. Onrush speaks to the simulator ([`crate::Simulator`]); a real one is one more
/// implementation. An HTTP edge holds one, starts charges with it and checks its callbacks.
pub trait Provider: Send + Sync {
    /// The name in `POST /v1/payments/{provider}/callback`.
    fn name(&self) -> &'static str;

    /// Asks for money. The answer only says that the provider knows of it; whether the money came is said by
    /// the callback. The same idempotency key brings the same charge again, and no second one.
    ///
    /// # Errors
    /// When the provider could not be asked, or said no.
    fn charge(&self, request: ChargeRequest) -> impl Future<Output = Result<Charge, ProviderError>> + Send;

    /// Believes a callback, or not. `signature` is the value of [`crate::SIGNATURE_HEADER`], `body` the bytes
    /// as they came.
    ///
    /// # Errors
    /// What was wrong with the callback; nothing of it may be used then.
    fn verify(&self, signature: Option<&[u8]>, body: &[u8], now: UnixMs) -> Result<Event, CallbackError>;
}

/// What to charge, for which order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChargeRequest {
    /// The order's code, as the buyer sees it.
    pub order_code: String,
    /// How much, in minor units of `currency`.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// Where the provider tells the result.
    pub callback_url: String,
    /// Names this attempt to pay: the same key never charges twice.
    pub idempotency_key: String,
}

/// A charge that the provider knows of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Charge {
    /// The provider's name of the payment.
    pub payment: String,
    /// Where it stands.
    pub status: ChargeStatus,
}

/// Where a charge stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargeStatus {
    /// Nobody knows yet.
    Pending,
    /// The money is there.
    Succeeded,
    /// No money came of it.
    Failed,
}

/// What a provider said about a payment, believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Which payment.
    pub payment: PaymentId,
    /// For which order, as the buyer sees it.
    pub order_code: String,
    /// How much, in `currency`.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// What became of it.
    pub result: PaymentResult,
}

/// Why a charge could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The request could not be made from what was given; the caller's fault, do not retry.
    #[error("the charge cannot be sent: {detail}")]
    Request {
        /// What is wrong.
        detail: String,
    },
    /// No connection, or it broke; retry with the same idempotency key.
    #[error("the payment provider cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No answer in time; retry with the same idempotency key.
    #[error("the payment provider did not answer within {timeout_ms} ms")]
    Timeout {
        /// How long was waited.
        timeout_ms: u64,
    },
    /// Too many charges at once, here or at the provider; retry later with the same idempotency key.
    #[error("the payment provider takes no more charges for the moment")]
    Busy,
    /// The provider said no; do not retry.
    #[error("the payment provider refused the charge with status {status}: {detail}")]
    Refused {
        /// HTTP status of the answer.
        status: u16,
        /// What it said, cut to a line.
        detail: String,
    },
    /// The answer is not one that this provider gives.
    #[error("the payment provider's answer cannot be read: {detail}")]
    Answer {
        /// What is wrong with it.
        detail: String,
    },
}

impl ProviderError {
    /// Whether the same charge may work later. Retrying is safe: the idempotency key makes it one charge.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Timeout { .. } | Self::Busy)
    }
}
