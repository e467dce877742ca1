//! Serving one connection.

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::watch::{Phase, Watch, Word};
use crate::backend::Backend;
use crate::config::Config;
use crate::service::Server;

/// Serves requests until the connection ends, the watch says so, or the client does something that is not
/// HTTP: then hyper answers 400 or 431 and closes.
pub(crate) async fn serve<B: Backend, S>(stream: S, server: Server<B>, watch: Arc<Watch>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let http = builder(server.config());
    let io = TokioIo::new(Watched { stream, watch: watch.clone() });
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
    let mut connection = pin!(http.serve_connection(io, service));
    let mut kept = false;
    let mut finishing = false;
    std::future::poll_fn(|cx| {
        if !kept {
            kept = true;
            watch.keep(cx.waker());
        }
        match watch.word() {
            Word::End => return Poll::Ready(()),
            Word::Finish if !finishing => {
                finishing = true;
                connection.as_mut().graceful_shutdown();
            }
            Word::Finish | Word::GoOn => {}
        }
        // How a connection broke helps nobody: the client is gone or was told.
        connection.as_mut().poll(cx).map(|_ended| ())
    })
    .await;
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

/// A stream that notes when a head begins and when an answer is out.
struct Watched<S> {
    stream: S,
    watch: Arc<Watch>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buffer);
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
