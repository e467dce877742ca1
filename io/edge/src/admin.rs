//! The admin listener's routes: metrics, and whether the server lives and is ready.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};
use prometheus_client::registry::Registry;

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

/// The routes of the admin listener, for [`axum::serve`] or a test. It has no keys of its own: who can reach the
/// listener, on loopback by default, may read it.
pub fn admin_router(registry: Arc<Registry>, readiness: Readiness) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(readyz))
        .with_state(Admin { registry, readiness })
}

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
    async fn metrics_show_what_was_counted() {
        let mut registry = Registry::with_prefix("onrush");
        let metrics = Metrics::new(&mut registry);
        metrics.answered(Route::OrderPlace, StatusCode::CREATED, std::time::Duration::from_millis(3));
        metrics.answered(Route::OrderPlace, StatusCode::CREATED, std::time::Duration::from_millis(3));
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
