//! The admin listener's routes: metrics, and whether the server lives and is ready.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Says "ready" once recovery is over, and "not ready" again when the server stops. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Sets it.
    pub fn set(&self, state: Ready) {
        self.0.store(state == Ready::Yes, Ordering::Release);
    }

    /// Reads it.
    pub fn get(&self) -> Ready {
        if self.0.load(Ordering::Acquire) { Ready::Yes } else { Ready::No }
    }
}

/// Whether requests can be answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ready {
    /// Not yet, or not any more.
    No,
    /// They can.
    Yes,
}

#[derive(Clone)]
struct Admin {
    registry: Arc<Registry>,
    readiness: Readiness,
}

/// The routes of the admin listener, for [`admin_loop`]. It has no keys of its own: who can reach the listener,
/// on loopback by default, may read it.
pub fn admin_router(registry: Arc<Registry>, readiness: Readiness) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(readyz))
        .with_state(Admin { registry, readiness })
}

/// Serves the admin listener until `shutdown` is ready. A handful of connections at a time, each for half a
/// minute at most: those who ask are probes and a collector of metrics.
pub async fn admin_loop(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    let mut shutdown = pin!(shutdown);
    let mut live = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut shutdown => return,
            _ended = live.join_next(), if !live.is_empty() => {}
            accepted = listener.accept(), if live.len() < CONNECTION_COUNT_MAX => match accepted {
                Ok((stream, _address)) => {
                    let service = TowerToHyperService::new(router.clone());
                    let mut http = http1::Builder::new();
                    http.header_read_timeout(None);
                    let connection = http.serve_connection(TokioIo::new(stream), service);
                    live.spawn(timeout(CONNECTION_DEADLINE, connection));
                }
                Err(_error) => sleep(ACCEPT_PAUSE).await,
            },
        }
    }
}

const CONNECTION_COUNT_MAX: usize = 64;
const CONNECTION_DEADLINE: Duration = Duration::from_secs(30);
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

async fn metrics(State(admin): State<Admin>) -> Response {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &admin.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, METRICS_CONTENT_TYPE)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

const METRICS_CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

async fn readyz(State(admin): State<Admin>) -> (StatusCode, &'static str) {
    match admin.readiness.get() {
        Ready::Yes => (StatusCode::OK, "ready\n"),
        Ready::No => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;
    use crate::metrics::Metrics;
    use crate::route::Route;

    async fn ask(router: &Router, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_server_is_alive_before_it_is_ready() {
        let readiness = Readiness::default();
        let router = admin_router(Arc::default(), readiness.clone());
        assert_eq!(ask(&router, "/healthz").await.0, StatusCode::OK);
        assert_eq!(ask(&router, "/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
        readiness.set(Ready::Yes);
        assert_eq!(ask(&router, "/readyz").await.0, StatusCode::OK);
        readiness.set(Ready::No);
        assert_eq!(ask(&router, "/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test]
    async fn the_listener_answers_until_it_is_told_to_stop() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let router = admin_router(Arc::default(), Readiness::default());
        let serving = tokio::spawn(admin_loop(listener, router, async { stopped.await.unwrap() }));
        let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("alive\n"), "{answer}");
        stop.send(()).unwrap();
        serving.await.unwrap();
    }

    #[tokio::test]
    async fn metrics_show_what_was_counted() {
        let mut registry = Registry::with_prefix("onrush");
        let metrics = Metrics::new(&mut registry);
        metrics.answered(Route::OrderPlace, StatusCode::CREATED, Some(std::time::Duration::from_millis(3)));
        metrics.answered(Route::OrderPlace, StatusCode::CREATED, Some(std::time::Duration::from_millis(3)));
        metrics.problem("stock_exhausted");
        let router = admin_router(Arc::new(registry), Readiness::default());
        let (status, text) = ask(&router, "/metrics").await;
        assert_eq!(status, StatusCode::OK);
        let labels = r#"{method="POST",route="/v1/sales/{sale}/orders",status="201"}"#;
        assert!(text.contains(&format!("onrush_http_requests_total{labels} 2")), "{text}");
        assert!(text.contains("onrush_http_problems_total{code=\"stock_exhausted\"} 1"), "{text}");
        let duration =
            r#"onrush_http_request_duration_seconds_count{method="POST",route="/v1/sales/{sale}/orders"} 2"#;
        assert!(text.contains(duration), "{text}");
    }
}
