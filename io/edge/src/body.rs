//! Bodies: the one type that goes out, and the bounded reading of what comes in.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Response;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use crate::problem::Problem;

/// An answer, made.
pub(crate) type Reply = Response<Full<Bytes>>;
/// An answer, or why there is another one.
pub(crate) type Outcome = Result<Reply, Problem>;

/// The body of every answer: bytes on the hot side, a box on the cold side only.
pub enum Body {
    /// Bytes that are there.
    Ready(Full<Bytes>),
    /// Whatever the router made.
    Boxed(axum::body::Body),
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match self.get_mut() {
            Body::Ready(full) => Pin::new(full).poll_frame(cx).map_err(|never| match never {}),
            Body::Boxed(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Ready(full) => full.is_end_stream(),
            Body::Boxed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Ready(full) => full.size_hint(),
            Body::Boxed(body) => body.size_hint(),
        }
    }
}

/// How much of a body is taken, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimit {
    pub(crate) size_bytes_max: usize,
    pub(crate) deadline: Duration,
}

/// Reads a whole body, which usually is one frame that is there already.
pub(crate) async fn read<D>(body: D, limit: BodyLimit) -> Result<Bytes, Problem>
where
    D: HttpBody<Data = Bytes> + Unpin,
{
    let size_bytes_max = u64::try_from(limit.size_bytes_max).unwrap_or(u64::MAX);
    if body.size_hint().lower() > size_bytes_max {
        return Err(Problem::body_too_large(limit.size_bytes_max));
    }
    match tokio::time::timeout(limit.deadline, collect(body, limit.size_bytes_max)).await {
        Ok(result) => result,
        Err(_elapsed) => Err(Problem::body_too_slow()),
    }
}

async fn collect<D>(mut body: D, size_bytes_max: usize) -> Result<Bytes, Problem>
where
    D: HttpBody<Data = Bytes> + Unpin,
{
    let mut first = Bytes::new();
    let mut more: Option<BytesMut> = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_broken| Problem::body_broken())?;
        let Ok(data) = frame.into_data() else { continue };
        let size_bytes = more.as_ref().map_or(first.len(), BytesMut::len) + data.len();
        if size_bytes > size_bytes_max {
            return Err(Problem::body_too_large(size_bytes_max));
        }
        match &mut more {
            Some(more) => more.extend_from_slice(&data),
            None if first.is_empty() => first = data,
            None => {
                // What is still to come is known, unless the client does not know it either.
                let rest = usize::try_from(body.size_hint().lower()).unwrap_or(size_bytes_max);
                let room = (size_bytes + rest).min(size_bytes_max);
                let mut all = BytesMut::with_capacity(room);
                all.extend_from_slice(&first);
                all.extend_from_slice(&data);
                more = Some(all);
            }
        }
        if body.is_end_stream() {
            break;
        }
    }
    Ok(more.map_or(first, BytesMut::freeze))
}
