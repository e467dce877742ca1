//! The payment provider as the edge holds it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use domain::UnixMs;
use payments::{CallbackError, Charge, ChargeRequest, Event, Provider, ProviderError};

/// A charge on its way.
pub type Charging<'a> = Pin<Box<dyn Future<Output = Result<Charge, ProviderError>> + Send + 'a>>;

/// A [`Provider`] behind a pointer, so that the edge has no type parameter for it; every provider is one.
/// The box costs nothing that matters: a charge is a request to another server.
pub trait Payments: Send + Sync {
    /// See [`Provider::name`].
    fn name(&self) -> &'static str;
    /// See [`Provider::charge`].
    fn charge(&self, request: ChargeRequest) -> Charging<'_>;
    /// See [`Provider::verify`].
    ///
    /// # Errors
    /// What was wrong with the callback.
    fn verify(&self, signature: Option<&[u8]>, body: &[u8], now: UnixMs) -> Result<Event, CallbackError>;
}

impl<P: Provider> Payments for P {
    fn name(&self) -> &'static str {
        Provider::name(self)
    }

    fn charge(&self, request: ChargeRequest) -> Charging<'_> {
        Box::pin(Provider::charge(self, request))
    }

    fn verify(&self, signature: Option<&[u8]>, body: &[u8], now: UnixMs) -> Result<Event, CallbackError> {
        Provider::verify(self, signature, body, now)
    }
}

/// Where buyers pay.
#[derive(Clone)]
pub struct PaymentDesk {
    /// The provider.
    pub provider: Arc<dyn Payments>,
    /// Where the provider reaches this server's `POST /v1/payments/{provider}/callback`: the whole address.
    pub callback_url: String,
}
