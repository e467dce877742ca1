//! The edge without sockets, for `fuzz/`: one request, one connection, one token. Nobody else needs this.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use domain::{BuyerId, UnixMs};
use http::{Request, Response};
use http_body_util::Full;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::auth::{AuthFault, BuyerTokens};
use crate::backend::Backend;
use crate::body::Body;
use crate::conn::head::{self, Found, SizeLimits};
use crate::conn::serve;
use crate::conn::watch::Connections;
use crate::edge::Edge;
use crate::service::Server;

/// An edge to put requests to.
pub struct Door<B> {
    server: Server<B>,
    connections: Arc<Connections>,
}

impl<B: Backend> Door<B> {
    /// The door of that edge.
    pub fn new(edge: Arc<Edge<B>>) -> Door<B> {
        let connections = Connections::new(edge.config.clone());
        Door { server: Server::new(edge), connections }
    }

    /// Answers a request by the router, whatever its route.
    pub async fn respond_by_router(&self, request: Request<Full<Bytes>>) -> Response<Body> {
        self.server.respond(request).await
    }

    /// Serves a connection until it ends.
    pub async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(&self, stream: S) {
        let place = self.connections.add(Instant::now());
        serve::serve(stream, &self.server, &place.watch).await;
    }
}

/// Whether a connection's bytes begin with a whole request that the fast lane answers.
pub fn is_for_lane(bytes: &[u8]) -> bool {
    let limits = SizeLimits { head_size_bytes_max: 16 << 10, body_size_bytes_max: 64 << 10 };
    matches!(head::find(bytes, limits), Found::Request(_))
}

/// The buyer of a token, by the library alone.
///
/// # Errors
/// When it is not believed, or over.
pub fn verify_slowly(tokens: &BuyerTokens, token: &str, now: UnixMs) -> Result<BuyerId, AuthFault> {
    tokens.verify_slowly(token, now)
}
