//! The provider that speaks to the simulator's server.

use std::time::Duration;

use domain::UnixMs;
use http::{Method, StatusCode, Uri};

use super::wire::{CallbackBody, ChargeAnswer, ChargeBody, ErrorBody};
use crate::caller::{Call, CallError, Caller};
use crate::provider::{Charge, ChargeRequest, Event, Provider, ProviderError};
use crate::signature::{CallbackError, Signer};

/// Bytes of a provider's reason that are passed on.
const DETAIL_CHAR_COUNT_MAX: usize = 200;

/// How to reach a simulator.
#[derive(Clone, Debug)]
pub struct SimulatorClientConfig {
    /// Its address: `http://host:port`.
    pub url: String,
    /// Checks its callbacks; shared with it.
    pub signer: Signer,
    /// Charges that are asked for at one time; more wait within `timeout_ms`.
    pub connection_count_max: usize,
    /// How long a charge may take, waiting included.
    pub timeout_ms: u64,
}

/// The simulator as a [`Provider`]. Clones share the connections.
#[derive(Clone, Debug)]
pub struct Simulator {
    charges: Uri,
    signer: Signer,
    caller: Caller,
}

impl Simulator {
    /// A provider that asks the simulator at `config.url`.
    ///
    /// # Errors
    /// [`ProviderError::Request`] when the address is not one.
    pub fn new(config: SimulatorClientConfig) -> Result<Simulator, ProviderError> {
        let address = format!("{}/charges", config.url.trim_end_matches('/'));
        let charges: Uri = match address.parse() {
            Ok(uri) => uri,
            Err(error) => return Err(ProviderError::Request { detail: format!("{address}: {error}") }),
        };
        if charges.scheme_str() != Some("http") {
            return Err(ProviderError::Request { detail: format!("{address} does not begin with http://") });
        }
        let caller = Caller::new(config.connection_count_max, Duration::from_millis(config.timeout_ms));
        Ok(Simulator { charges, signer: config.signer, caller })
    }
}

impl Provider for Simulator {
    fn name(&self) -> &'static str {
        "simulator"
    }

    async fn charge(&self, request: ChargeRequest) -> Result<Charge, ProviderError> {
        let body = serde_json::to_vec(&ChargeBody::from(request)).expect("a plain struct with text keys");
        let call = Call { method: Method::POST, uri: self.charges.clone(), header: None, body };
        let (status, body) = self.caller.call(call).await.map_err(|error| self.name_failure(error))?;
        match status {
            StatusCode::OK | StatusCode::CREATED => read_charge(&body),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Err(ProviderError::Busy),
            status => Err(ProviderError::Refused { status: status.as_u16(), detail: read_reason(&body) }),
        }
    }

    fn verify(&self, signature: Option<&[u8]>, body: &[u8], now: UnixMs) -> Result<Event, CallbackError> {
        self.signer.check(signature, body, now)?;
        CallbackBody::parse(body)
    }
}

impl Simulator {
    fn name_failure(&self, error: CallError) -> ProviderError {
        match error {
            CallError::Request(error) => ProviderError::Request { detail: error.to_string() },
            CallError::Unreachable(source) => ProviderError::Unreachable(source),
            CallError::Timeout => {
                let timeout_ms = u64::try_from(self.caller.timeout().as_millis()).unwrap_or(u64::MAX);
                ProviderError::Timeout { timeout_ms }
            }
        }
    }
}

fn read_charge(body: &[u8]) -> Result<Charge, ProviderError> {
    let answer: ChargeAnswer = match serde_json::from_slice(body) {
        Ok(answer) => answer,
        Err(error) => return Err(ProviderError::Answer { detail: error.to_string() }),
    };
    Ok(Charge { payment: answer.payment, status: answer.status })
}

fn read_reason(body: &[u8]) -> String {
    let text = match serde_json::from_slice::<ErrorBody>(body) {
        Ok(body) => body.error,
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    text.chars().filter(|letter| !letter.is_control()).take(DETAIL_CHAR_COUNT_MAX).collect()
}
