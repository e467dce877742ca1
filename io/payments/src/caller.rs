//! Sending JSON by HTTP with bounds on everything: connections, waiting, answers. Used in both directions.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::Semaphore;

/// Bytes of an answer that are read.
const ANSWER_SIZE_BYTES_MAX: usize = 16 * 1024;
/// Idle connections are closed before a usual server's keep-alive (75 s) ends.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// An HTTP client with at most so many requests, and with them connections, at one time.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    client: Client<HttpConnector, Full<Bytes>>,
    permits: Arc<Semaphore>,
    timeout: Duration,
}

/// A request to send.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) header: Option<(HeaderName, String)>,
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum CallError {
    Request(http::Error),
    Unreachable(Box<dyn Error + Send + Sync>),
    Timeout,
}

impl Caller {
    /// `timeout` covers a whole call: waiting for a connection, sending, and reading the answer.
    pub(crate) fn new(connection_count_max: usize, timeout: Duration) -> Caller {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(connection_count_max)
            .build_http();
        Caller { client, permits: Arc::new(Semaphore::new(connection_count_max)), timeout }
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(crate) async fn call(&self, call: Call) -> Result<(StatusCode, Bytes), CallError> {
        let mut request = Request::builder().method(call.method).uri(call.uri);
        if !call.body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some((name, value)) = call.header {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(call.body))).map_err(CallError::Request)?;
        let answer = tokio::time::timeout(self.timeout, self.exchange(request));
        answer.await.map_err(|_| CallError::Timeout)?
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), CallError> {
        let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
        let unreachable = |error: Box<dyn Error + Send + Sync>| CallError::Unreachable(error);
        let answer = self.client.request(request).await.map_err(|error| unreachable(error.into()))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_SIZE_BYTES_MAX).collect().await;
        Ok((status, body.map_err(unreachable)?.to_bytes()))
    }
}
