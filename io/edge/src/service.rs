//! From a request to its answer: the hot routes by hand, the router for the rest, a net under both.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use axum::Router;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Body as HttpBody;
use tower::ServiceExt;

use crate::backend::Backend;
use crate::body::Body;
use crate::config::Config;
use crate::edge::Edge;
use crate::hot;
use crate::problem::{self, Code, Problem};
use crate::route::{self, Hot, Route};
use crate::routes;

/// The edge with its router; one per I/O thread, cloned per connection.
pub(crate) struct Server<B> {
    edge: Arc<Edge<B>>,
    router: Router,
}

impl<B> Clone for Server<B> {
    fn clone(&self) -> Server<B> {
        Server { edge: self.edge.clone(), router: self.router.clone() }
    }
}

impl<B: Backend> Server<B> {
    pub(crate) fn new(edge: Arc<Edge<B>>) -> Server<B> {
        Server { router: routes::router(edge.clone()), edge }
    }

    pub(crate) fn edge(&self) -> &Arc<Edge<B>> {
        &self.edge
    }

    pub(crate) fn config(&self) -> &Config {
        &self.edge.config
    }

    /// Answers a request. A panic on the way is a bug: it is caught, counted and answered with 500, and the
    /// next request is served as if nothing had been.
    pub(crate) async fn respond<D>(&self, request: Request<D>) -> Response<Body>
    where
        D: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        D::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let started = Instant::now();
        let mut handling = pin!(self.handle(request));
        let caught = std::future::poll_fn(|cx| {
            let poll = std::panic::catch_unwind(AssertUnwindSafe(|| handling.as_mut().poll(cx)));
            match poll {
                Ok(poll) => poll.map(Ok),
                Err(_panic) => Poll::Ready(Err(())),
            }
        })
        .await;
        let (route, response) = caught.unwrap_or_else(|()| {
            self.edge.metrics.panics.inc();
            tracing::error!("a handler panicked: a bug; the request was answered 500");
            (Route::Unmatched, Problem::internal().into_reply().map(Body::Ready))
        });
        if let Some(Code(code)) = response.extensions().get() {
            self.edge.metrics.problem(code);
        }
        self.edge.metrics.answered(route, response.status(), started.elapsed());
        response
    }

    /// Answers a request by the router alone, hot or not: what the hot path has to agree with.
    pub(crate) async fn respond_by_router(&self, request: Request<Full<Bytes>>) -> Response<Body> {
        self.handle_cold(request.map(axum::body::Body::new)).await.1
    }

    async fn handle<D>(&self, request: Request<D>) -> (Route, Response<Body>)
    where
        D: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        D::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let Some(Hot { route, sale }) = route::hot(&head.method, head.uri.path(), head.uri.query()) else {
            return self.handle_cold(Request::from_parts(head, axum::body::Body::new(body))).await;
        };
        let outcome = match route {
            Route::OrderPlace => hot::order::place(&self.edge, sale, &head.headers, body).await,
            Route::StockShow => self.edge.stock(sale, &head.headers),
            _ => self.edge.page(sale, &head.headers),
        };
        (route, outcome.unwrap_or_else(Problem::into_reply).map(Body::Ready))
    }

    async fn handle_cold(&self, request: Request<axum::body::Body>) -> (Route, Response<Body>) {
        let head_only = request.method() == Method::HEAD;
        let response = self.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        let route = response.extensions().get().copied().unwrap_or(Route::Unmatched);
        let status = response.status();
        let is_problem = response.headers().get(header::CONTENT_TYPE) == Some(&problem::CONTENT_TYPE);
        let bare = (status.is_client_error() || status.is_server_error()) && !is_problem && !head_only;
        let response = if bare { dressed(status, response) } else { response.map(Body::Boxed) };
        let route = if status == StatusCode::METHOD_NOT_ALLOWED { Route::Unmatched } else { route };
        (route, response)
    }
}

/// A bare answer of a library as a problem; what it says in `Allow` stays.
fn dressed(status: StatusCode, bare: Response<axum::body::Body>) -> Response<Body> {
    let mut response = Problem::from_status(status).into_reply().map(Body::Ready);
    if let Some(allow) = bare.headers().get(header::ALLOW) {
        response.headers_mut().insert(header::ALLOW, allow.clone());
    }
    response
}
