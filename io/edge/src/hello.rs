//! A fast lane that gives everybody the same answer: what HTTP costs when nothing is done. For `tools/bench`; nobody else
//! needs this.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use domain::UnixMs;
use tokio::net::TcpListener;

use crate::conn::head::{Request, SizeLimits};
use crate::conn::lane::{Desk, Lane};
use crate::conn::watch::Watch;
use crate::conn::wire::Ending;

/// About as long as the answer to an order.
pub const BODY: &str = r#"{"hello":"world","state":"held","lines":[{"item":"ga","quantity":1,"unit_price":12000}],"total":{"amount":12000,"currency":"EUR"},"expires_at":"2026-12-01T19:00:00.000Z","order":"0000000000000000","seq":1}"#;

/// Answers whatever a lane takes, on this thread's runtime and for ever. A connection that asks for anything else is
/// closed.
///
/// # Errors
/// When no connection can be accepted.
pub async fn hello_loop(listener: TcpListener) -> std::io::Result<Infallible> {
    let hello = Arc::new(Hello);
    loop {
        let (stream, _address) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(Lane::new(hello.clone(), stream, Arc::new(Watch::new())));
    }
}

struct Hello;

impl Desk for Hello {
    type Waiting = Infallible;

    fn begin(&self, request: &Request<'_>, out: &mut Vec<u8>) -> Option<Infallible> {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\ncontent-type: application/json");
        Ending { keep_alive: request.keep_alive, now: UnixMs::EPOCH }.push(out, Some(BODY.len()));
        out.extend_from_slice(BODY.as_bytes());
        None
    }

    fn poll(&self, waiting: &mut Infallible, _: &mut Context<'_>, _: &mut Vec<u8>) -> Poll<()> {
        match *waiting {}
    }

    fn too_slow(&self, _: &mut Vec<u8>) {}

    fn size_limits(&self) -> SizeLimits {
        SizeLimits { head_size_bytes_max: 16 << 10, body_size_bytes_max: 64 << 10 }
    }

    fn body_deadline(&self) -> Duration {
        Duration::from_secs(30)
    }
}
