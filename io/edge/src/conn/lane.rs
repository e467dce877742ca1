//! The fast lane: the crowd's requests on a connection, without a framework in between.
//!
//! A connection begins here. Requests are taken from what was read, all that are whole, and begun in their order; those
//! that wait for the writer wait together, and their answers leave in that order in as few writes as can be (RFC 9112,
//! section 9.3.2, pipelining). At the first thing that is unusual ([`head::Found::Other`]), the connection is hyper's with
//! all that was not answered, and stays so. An idle connection keeps no buffer.

mod queue;
mod turn;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Sleep;

use super::head::{self, SizeLimits};
use super::watch::{Watch, Word};
use queue::Queue;
use turn::Turn;

/// Answers the requests of a lane.
pub(crate) trait Desk: Send + Sync + 'static {
    /// A request that waits for somebody else.
    type Waiting: Unpin + Send;

    /// Begins a request: writes its answer, or says what waits for it.
    fn begin(&self, request: &head::Request<'_>, out: &mut Vec<u8>) -> Option<Self::Waiting>;

    /// Writes the answer when it is there.
    fn poll(&self, waiting: &mut Self::Waiting, cx: &mut Context<'_>, out: &mut Vec<u8>) -> Poll<()>;

    /// Writes the answer to a request whose body does not come, the connection's last.
    fn too_slow(&self, out: &mut Vec<u8>);

    /// How large a request of the lane may be.
    fn size_limits(&self) -> SizeLimits;

    /// From a head to the end of its body.
    fn body_deadline(&self) -> Duration;
}

/// How a lane ends.
pub(crate) enum End<S> {
    /// The connection is over.
    Over,
    /// It goes on with hyper, which gets these bytes first.
    HandOver(S, Vec<u8>),
}

/// Serves a connection as long as its requests are usual ones. Written by hand, and not as functions that wait for each
/// other: every turn of every connection goes through all of this memory, and a rush has thousands of them.
///
/// A request costs its task one turn, for what came. When the writer has answered, the answer is written where that is told, by
/// the [`Seat`]; the task comes back only for what is unusual.
pub(crate) struct Lane<D: Desk, S> {
    seat: Arc<Seat<D, S>>,
    /// The seat's.
    waker: Waker,
    /// Whether the watch has this task's waker.
    is_known: bool,
}

/// A connection as its task shares it with whoever tells it an answer: it is the waker of what waits.
struct Seat<D: Desk, S> {
    desk: Arc<D>,
    watch: Arc<Watch>,
    line: Mutex<Line<D::Waiting, S>>,
}

/// What goes on in a connection.
struct Line<W, S> {
    /// `None`: the lane is over.
    stream: Option<S>,
    /// Why no further request is begun.
    next: Next,
    /// How many of the bytes in `rest` were looked at and are a part of a head.
    seen: usize,
    /// Bytes that came and are not begun.
    rest: Vec<u8>,
    /// Requests whose answers are not in `out`, oldest first.
    queue: Queue<W>,
    /// Answers that are not written.
    out: Vec<u8>,
    /// How many bytes of `out` are written all the same.
    written: usize,
    /// The end of the time for a body that is coming. In a box: nearly every body comes with its head.
    body_deadline: Option<Pin<Box<Sleep>>>,
}

/// Why no further request is begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Next {
    /// The rest is nothing, or a part of a head.
    Head,
    /// The rest is a request but for its body's end.
    Body,
    /// Too many are under way, or the next one's turn is behind them.
    Later,
    /// The rest is for hyper.
    Other,
    /// The client wants no further one.
    Last,
}

impl<D, S> Lane<D, S>
where
    D: Desk,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    /// A lane at a connection's beginning.
    pub(crate) fn new(desk: Arc<D>, stream: S, watch: Arc<Watch>) -> Lane<D, S> {
        let line = Line {
            stream: Some(stream),
            next: Next::Head,
            seen: 0,
            rest: Vec::new(),
            queue: Queue::new(),
            out: Vec::new(),
            written: 0,
            body_deadline: None,
        };
        let seat = Arc::new(Seat { desk, watch, line: Mutex::new(line) });
        Lane { waker: Waker::from(Arc::clone(&seat)), seat, is_known: false }
    }
}

impl<D, S> Future for Lane<D, S>
where
    D: Desk,
    S: AsyncRead + AsyncWrite + Unpin,
{
    type Output = End<S>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End<S>> {
        let Lane { seat, waker, is_known } = self.get_mut();
        if seat.watch.listen(is_known, cx) == Word::End {
            return Poll::Ready(End::Over);
        }
        let mut line = seat.line.lock();
        let waiting = &mut Context::from_waker(waker);
        // How a connection broke helps nobody: the client is gone.
        Turn { desk: &*seat.desk, watch: &seat.watch, line: &mut line }
            .poll(cx, waiting)
            .map(|end| end.unwrap_or(End::Over))
    }
}

/// What waits is nobody's business any more, and has the seat's waker: without this, each would keep the other.
impl<D: Desk, S> Drop for Lane<D, S> {
    fn drop(&mut self) {
        let mut line = self.seat.line.lock();
        let over = (line.stream.take(), std::mem::replace(&mut line.queue, Queue::new()));
        // What waits may be told meanwhile, and then wants the line.
        drop(line);
        drop(over);
    }
}

impl<D, S> Wake for Seat<D, S>
where
    D: Desk,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    /// Writes the answer that is there now, here and at once. This may be a thread that has more to do than this connection, so
    /// that not even a bug may end it.
    fn wake_by_ref(self: &Arc<Self>) {
        let answered = catch_unwind(AssertUnwindSafe(|| {
            // Whoever has the line may have looked already: then the task has to look again.
            let line = self.line.try_lock();
            line.is_some_and(|mut line| {
                Turn { desk: &*self.desk, watch: &self.watch, line: &mut line }.answer_here()
            })
        }));
        match answered {
            Ok(true) => {}
            Ok(false) => self.watch.wake(),
            Err(_panic) => {
                tracing::error!("writing an answer panicked: a bug; its connection is ended");
                self.watch.tell(Word::End);
            }
        }
    }
}

#[cfg(test)]
mod tests;
