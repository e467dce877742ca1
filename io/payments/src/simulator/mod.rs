//! A payment provider to try things out with: a small HTTP server that fails, is late, calls back twice or
//! never, as configured, and always signs. Its money is none.
//!
//! - `POST /charges` `{"order","amount","currency","callback_url","idempotency_key"}` → 201 with
//!   `{"payment","order","amount","currency","status"}`; 200 for the same once more; 409 for another charge
//!   under the same key; 503 with `Retry-After` when too many wait for their callback.
//! - `GET /charges/{payment}` → 200 or 404.
//! - Later, to the callback address: `{"payment","order","amount","currency","result"}`, signed, repeated with
//!   a growing pause while the receiver answers 5xx, 408, 429 or nothing.

mod book;
mod callback;
mod client;
mod http;
mod outcome;
mod wire;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::signature::Signer;

pub use client::{Simulator, SimulatorClientConfig};

/// How the simulator behaves. Percentages are of all charges, 0–100.
#[derive(Clone, Debug)]
pub struct SimulatorConfig {
    /// Signs the callbacks; shared with the receiver.
    pub signer: Signer,
    /// Decides with the charge's name about its fate.
    pub seed: u64,
    /// How many payments fail.
    pub fail_percent: u8,
    /// How long after the charge the provider calls back.
    pub delay_ms: u64,
    /// How many callbacks are late.
    pub late_percent: u8,
    /// By how much they are late, on top of `delay_ms`.
    pub late_ms: u64,
    /// How many callbacks come twice.
    pub twice_percent: u8,
    /// How many charges stay pending for ever: the buyer left the payment page.
    pub never_percent: u8,
    /// Charges remembered. When all of them wait for their callback, a further one is answered 503.
    pub charge_count_max: usize,
    /// Connections at one time, and callbacks being sent at one time.
    pub connection_count_max: usize,
    /// How often a callback is tried before it is given up.
    pub callback_attempt_count_max: u32,
    /// The first pause between two tries; doubles each time, up to 5 s.
    pub callback_pause_ms: u64,
}

#[cfg(test)]
impl Default for SimulatorConfig {
    fn default() -> SimulatorConfig {
        SimulatorConfig::new(Signer::new(b"a secret for the tests").expect("long enough"))
    }
}

impl SimulatorConfig {
    /// A provider that always succeeds, at once, and calls back once.
    pub fn new(signer: Signer) -> SimulatorConfig {
        SimulatorConfig {
            signer,
            seed: 0,
            fail_percent: 0,
            delay_ms: 0,
            late_percent: 0,
            late_ms: 0,
            twice_percent: 0,
            never_percent: 0,
            charge_count_max: 100_000,
            connection_count_max: 64,
            callback_attempt_count_max: 8,
            callback_pause_ms: 100,
        }
    }
}

const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown` is there. Callbacks that are still to come are dropped then, as they would be
/// when a provider fails: whoever waits for one has the order's hold to end the wait.
///
/// # Panics
/// Outside of a tokio runtime with time and I/O.
pub async fn serve(listener: TcpListener, config: SimulatorConfig, shutdown: impl Future<Output = ()>) {
    let permits = Arc::new(Semaphore::new(config.connection_count_max));
    let (stop, stopped) = watch::channel(());
    let desk = Arc::new(http::Desk::new(config, stopped.clone()));
    tokio::pin!(shutdown);
    loop {
        let permit = Arc::clone(&permits).acquire_owned();
        let next = async {
            let permit = permit.await.expect("the semaphore is never closed");
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = &mut shutdown => break,
            accepted = next => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let (desk, mut stopped) = (Arc::clone(&desk), stopped.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = serve_connection(stream, desk) => {}
                        _ = stopped.changed() => {}
                    }
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the payment simulator could not accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(stop);
}

async fn serve_connection(stream: TcpStream, desk: Arc<http::Desk>) {
    let service = service_fn(move |request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, std::convert::Infallible>(desk.answer(request).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the payment simulator ended");
    }
}
