//! From a request to its answer on hyper's side: the router, and a net under it. The fast lane answers by itself.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use axum::Router;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use hyper::body::Body as HttpBody;
use tower::ServiceExt;

use crate::backend::Backend;
use crate::body::Body;
use crate::config::Config;
use crate::edge::Edge;
use crate::problem::{self, Code, Problem};
use crate::route::Route;
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
        let mut handling = pin!(self.route(request.map(axum::body::Body::new)));
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
        self.edge.metrics.answered(route, response.status(), Some(started.elapsed()));
        response
    }

    async fn route(&self, request: Request<axum::body::Body>) -> (Route, Response<Body>) {
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
