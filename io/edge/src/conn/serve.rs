//! Serving one connection: in the fast lane first, with hyper from the first unusual request on.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::lane::{End, Lane};
use super::watch::{Phase, Watch, Word};
use crate::backend::Backend;
use crate::config::Config;
use crate::service::Server;

/// Serves requests until the connection ends, the watch says so, or the client does something that is not
/// HTTP: then hyper answers 400 or 431 and closes.
pub(crate) async fn serve<B: Backend, S>(stream: S, server: &Server<B>, watch: &Arc<Watch>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let lane = Lane::new(server.edge().clone(), stream, watch.clone());
    if let End::HandOver(stream, first) = lane.await {
        let stream = Watched { stream, first: first.into(), watch: watch.clone() };
        // In a box: few connections come here, and all others need not have the room.
        Box::pin(serve_hyper(stream, server.clone(), watch.clone())).await;
    }
}

async fn serve_hyper<B: Backend, S>(stream: Watched<S>, server: Server<B>, watch: Arc<Watch>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let http = builder(server.config());
    let of_requests = watch.clone();
    let service = service_fn(move |request| {
        let (server, watch) = (server.clone(), of_requests.clone());
        async move {
            watch.enter(Phase::Busy);
            let response = server.respond(request).await;
            watch.enter(Phase::Writing);
            Ok::<_, Infallible>(response)
        }
    });
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let mut finishing = false;
    until_told(&watch, |word, cx| {
        if word == Word::Finish && !finishing {
            finishing = true;
            connection.as_mut().graceful_shutdown();
        }
        // How a connection broke helps nobody: the client is gone or was told.
        connection.as_mut().poll(cx).map(|_ended| ())
    })
    .await;
}

/// Polls until it is ready, or the watch says that the connection ends now: then `None`.
async fn until_told<T>(watch: &Watch, mut poll: impl FnMut(Word, &mut Context<'_>) -> Poll<T>) -> Option<T> {
    let mut is_known = false;
    poll_fn(|cx| match watch.listen(&mut is_known, cx) {
        Word::End => Poll::Ready(None),
        word => poll(word, cx).map(Some),
    })
    .await
}

fn builder(config: &Config) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.max_buf_size(config.head_size_bytes_max.max(Config::HEAD_SIZE_BYTES_MIN))
        .header_read_timeout(None)
        .half_close(false)
        .keep_alive(true)
        // Answers are small: copying one behind its head is cheaper than a vectored write of two pieces.
        .writev(false);
    if config.header_count_max != Config::HEADER_COUNT_MAX_FREE {
        http.max_headers(config.header_count_max);
    }
    http
}

/// A stream that gives what was read of it before, and notes when a head begins and when an answer is out.
struct Watched<S> {
    stream: S,
    first: Bytes,
    watch: Arc<Watch>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = buffer.filled().len();
        let result = if self.first.is_empty() {
            Pin::new(&mut self.stream).poll_read(cx, buffer)
        } else {
            let count = self.first.len().min(buffer.remaining());
            buffer.put_slice(&self.first[..count]);
            self.first.advance(count);
            Poll::Ready(Ok(()))
        };
        if buffer.filled().len() > filled && matches!(self.watch.phase(), Phase::FirstByte | Phase::Idle) {
            self.watch.enter(Phase::Head);
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    /// hyper flushes when it has handed over all bytes of an answer.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        if matches!(result, Poll::Ready(Ok(()))) && self.watch.phase() == Phase::Writing {
            self.watch.enter(Phase::Idle);
        }
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
