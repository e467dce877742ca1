//! A lean HTTP/1.1 client for one Onrush server: kept-alive connections, so many and no more, one request on
//! each at a time. The demo's crowd and `onrush sale apply` speak through it.
//!
//! A request that finds no free connection waits for one; whoever measures from the intended send time has
//! that wait in the figure.

use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, RETRY_AFTER};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// Bytes of an answer that are read.
const ANSWER_SIZE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How long the server may take for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Connections to one server.
pub(crate) struct Client {
    authority: String,
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
    permits: Semaphore,
}

/// What to ask.
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: &'a str,
    /// The bearer token: a buyer's token or the organiser's key.
    pub(crate) bearer: Option<&'a str>,
    /// The `Idempotency-Key`.
    pub(crate) key: Option<&'a str>,
    /// The JSON to send.
    pub(crate) body: Option<Bytes>,
}

impl<'a> Ask<'a> {
    /// A question that everybody may ask.
    pub(crate) fn get(path: &'a str) -> Ask<'a> {
        Ask { method: Method::GET, path, bearer: None, key: None, body: None }
    }
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    /// When to come back, if the server said so.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Bytes,
}

impl Reply {
    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self) -> anyhow::Result<T> {
        serde_json::from_slice(&self.body).with_context(|| format!("cannot read the answer {}", self.text()))
    }

    /// The body as text, cut to a length that fits a message.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(500).collect()
    }
}

impl Client {
    /// A client for the server at `url` (`http://host:port`) with at most so many connections.
    ///
    /// # Errors
    /// When the address is not one that this client can speak to.
    pub(crate) fn new(url: &str, connection_count_max: usize) -> anyhow::Result<Client> {
        let uri: Uri = url.parse().with_context(|| format!("{url} is not an address"))?;
        if uri.scheme_str() != Some("http") {
            bail!("{url} does not begin with http:// (TLS ends at a proxy in front of Onrush)");
        }
        if !matches!(uri.path(), "" | "/") {
            bail!("{url} has a path; the server's address alone is wanted, like http://127.0.0.1:8080");
        }
        let authority = uri.authority().with_context(|| format!("{url} names no host"))?;
        let authority = match authority.port() {
            Some(_) => authority.to_string(),
            None => format!("{}:80", authority.host()),
        };
        let permits = Semaphore::new(connection_count_max);
        Ok(Client { authority, idle: Mutex::new(Vec::new()), permits })
    }

    /// Opens so many connections ahead, within the bound, so that the first requests need not wait for them.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub(crate) async fn warm_up(&self, connection_count: usize) -> anyhow::Result<()> {
        for _ in 0..connection_count {
            let connection = self.connect().await?;
            self.idle.lock().push(connection);
        }
        Ok(())
    }

    /// Asks once; the answer may be a refusal. A kept-alive connection that turns out to be closed before the
    /// request went out is replaced.
    ///
    /// # Errors
    /// When no whole answer came: whether the server did what was asked is unknown then.
    pub(crate) async fn ask(&self, ask: &Ask<'_>) -> anyhow::Result<Reply> {
        let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
        let exchange = tokio::time::timeout(ANSWER_TIMEOUT, self.exchange(ask)).await;
        exchange.with_context(|| format!("no answer within {} s", ANSWER_TIMEOUT.as_secs()))?
    }

    async fn exchange(&self, ask: &Ask<'_>) -> anyhow::Result<Reply> {
        let mut request = self.request(ask)?;
        loop {
            let (mut connection, is_new) = match self.idle() {
                Some(connection) => (connection, false),
                None => (self.connect().await?, true),
            };
            let answer = match connection.try_send_request(request).await {
                Ok(answer) => answer,
                Err(mut error) => match error.take_message() {
                    Some(unsent) if !is_new => {
                        request = unsent;
                        continue;
                    }
                    _ => return Err(error.into_error()).context("the server cut the connection"),
                },
            };
            let reply = read(answer).await?;
            if connection.ready().await.is_ok() {
                self.idle.lock().push(connection);
            }
            return Ok(reply);
        }
    }

    /// A connection that was not closed, as far as it is known.
    fn idle(&self) -> Option<SendRequest<Full<Bytes>>> {
        let mut idle = self.idle.lock();
        std::iter::from_fn(|| idle.pop()).find(|connection| !connection.is_closed())
    }

    fn request(&self, ask: &Ask<'_>) -> anyhow::Result<Request<Full<Bytes>>> {
        let mut request =
            Request::builder().method(ask.method.clone()).uri(ask.path).header(HOST, &self.authority);
        if let Some(bearer) = ask.bearer {
            request = request.header(AUTHORIZATION, format!("Bearer {bearer}"));
        }
        if let Some(key) = ask.key {
            request = request.header("idempotency-key", key);
        }
        if ask.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        request.body(Full::new(ask.body.clone().unwrap_or_default())).context("the request cannot be made")
    }

    async fn connect(&self) -> anyhow::Result<SendRequest<Full<Bytes>>> {
        let authority = &self.authority;
        let stream = TcpStream::connect(authority).await;
        let stream = stream.with_context(|| format!("no server answers at {authority}"))?;
        stream.set_nodelay(true).context("the connection broke")?;
        let (connection, driver) = handshake(TokioIo::new(stream)).await.context("the connection broke")?;
        tokio::spawn(async move {
            if let Err(error) = driver.await {
                tracing::debug!(%error, "a client's connection ended");
            }
        });
        Ok(connection)
    }
}

async fn read(answer: http::Response<hyper::body::Incoming>) -> anyhow::Result<Reply> {
    let status = answer.status();
    let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = retry_after.and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let body = Limited::new(answer.into_body(), ANSWER_SIZE_BYTES_MAX).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!("the answer broke off: {error}"))?.to_bytes();
    Ok(Reply { status, retry_after, body })
}
