//! The fast lane: the crowd's requests on a connection, without a framework in between.
//!
//! A connection begins here. Requests are taken from what was read, all that are whole, and begun in their order; those
//! that wait for the writer wait together, and their answers leave in that order in as few writes as can be (RFC 9112,
//! section 9.3.2, pipelining). At the first thing that is unusual ([`head::Found::Other`]), the connection is hyper's with
//! all that was not answered, and stays so. An idle connection keeps no buffer.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::head::{self, Found, SizeLimits};
use super::watch::{Phase, Watch, Word};

/// Requests of one connection that are under way at once; more wait in the connection.
const PIPELINE_LEN_MAX: usize = 64;
/// Bytes of answers from which on no further request is begun before they are written.
const OUT_SIZE_BYTES_MAX: usize = 64 << 10;
/// Read at once at most; more is read in several turns.
const READ_SIZE_BYTES: usize = 16 << 10;

thread_local! {
    /// Where every connection of the thread reads.
    static READ: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_SIZE_BYTES].into());
    /// Where the connection that has an answer now writes it: memory that is warm.
    static OUT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Answers the requests of a lane.
pub(crate) trait Desk {
    /// A request that waits for somebody else.
    type Waiting: Unpin;

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
pub(crate) enum End {
    /// The connection is over.
    Over,
    /// It goes on with hyper, which gets these bytes first.
    HandOver(Vec<u8>),
}

/// Serves a connection as long as its requests are usual ones. Written by hand, and not as functions that wait for each
/// other: every turn of every connection goes through all of this memory, and a rush has thousands of them.
pub(crate) struct Lane<'a, D: Desk, S> {
    desk: &'a D,
    stream: &'a mut S,
    watch: &'a Watch,
    stage: Stage,
    /// Whether the watch has this task's waker.
    is_known: bool,
    /// How many of the bytes in `rest` were looked at and are a part of a head.
    seen: usize,
    /// Bytes that came and are not begun.
    rest: Vec<u8>,
    /// Requests whose answers are not in `out`, oldest first.
    queue: Queue<D::Waiting>,
    /// Answers that are not written.
    out: Vec<u8>,
    /// How many bytes of `out` are written all the same.
    written: usize,
    /// The end of the time for a body that is coming. In a box: nearly every body comes with its head.
    body_deadline: Option<Pin<Box<Sleep>>>,
}

/// What a lane waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// More bytes, for that reason.
    Read(Next),
    /// The answers to what was begun; then it goes on for that reason.
    Answer(Next),
    /// The stream's end.
    Close,
}

enum Slot<W> {
    Waiting(W),
    /// Answered, but not its turn.
    Answered(Vec<u8>),
}

/// Requests in their order. Nearly always there is one at most, which needs no memory of its own.
struct Queue<W> {
    first: Option<Slot<W>>,
    #[expect(clippy::box_collection, reason = "every connection has room for this, and nearly none has it")]
    others: Option<Box<VecDeque<Slot<W>>>>,
}

impl<W> Queue<W> {
    fn new() -> Queue<W> {
        Queue { first: None, others: None }
    }

    fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.as_ref().map_or(0, |others| others.len())
    }

    fn push(&mut self, slot: Slot<W>) {
        match self.first {
            None => self.first = Some(slot),
            Some(_) => self.others.get_or_insert_default().push_back(slot),
        }
    }

    fn pop(&mut self) {
        self.first = self.others.as_mut().and_then(|others| others.pop_front());
        if self.first.is_none() {
            self.others = None;
        }
    }
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

impl<D: Desk, S: AsyncRead + AsyncWrite + Unpin> Future for Lane<'_, D, S> {
    type Output = End;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End> {
        let lane = self.get_mut();
        if lane.watch.listen(&mut lane.is_known, cx) == Word::End {
            return Poll::Ready(End::Over);
        }
        // How a connection broke helps nobody: the client is gone.
        lane.poll_stages(cx).map(|end| end.unwrap_or(End::Over))
    }
}

impl<'a, D: Desk, S: AsyncRead + AsyncWrite + Unpin> Lane<'a, D, S> {
    /// A lane at a connection's beginning.
    pub(crate) fn new(desk: &'a D, stream: &'a mut S, watch: &'a Watch) -> Lane<'a, D, S> {
        Lane {
            desk,
            stream,
            watch,
            stage: Stage::Read(Next::Head),
            is_known: false,
            seen: 0,
            rest: Vec::new(),
            queue: Queue::new(),
            out: Vec::new(),
            written: 0,
            body_deadline: None,
        }
    }

    fn poll_stages(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<End>> {
        loop {
            self.stage = match self.stage {
                Stage::Read(next) => match ready!(self.poll_read(cx, next))? {
                    Some(next) => Stage::Answer(next),
                    None => Stage::Close,
                },
                Stage::Answer(next) => {
                    ready!(self.poll_answer(cx, next))?;
                    match next {
                        Next::Head | Next::Body => Stage::Read(next),
                        Next::Later => Stage::Answer(self.begin_rest()),
                        Next::Last => Stage::Close,
                        Next::Other => return Poll::Ready(Ok(End::HandOver(std::mem::take(&mut self.rest)))),
                    }
                }
                Stage::Close => {
                    ready!(Pin::new(&mut *self.stream).poll_shutdown(cx))?;
                    return Poll::Ready(Ok(End::Over));
                }
            };
        }
    }

    fn is_told_to_end(&self) -> bool {
        self.watch.word() != Word::GoOn
    }

    /// Reads, and begins what came; `None` when nothing will come any more. A body has its own deadline.
    fn poll_read(&mut self, cx: &mut Context<'_>, next: Next) -> Poll<io::Result<Option<Next>>> {
        let result = self.poll_came(cx, next);
        if next != Next::Body {
            return result;
        }
        if result.is_pending() {
            let deadline = self.desk.body_deadline();
            let deadline = self.body_deadline.get_or_insert_with(|| Box::pin(sleep(deadline)));
            ready!(deadline.as_mut().poll(cx));
        }
        self.body_deadline = None;
        if result.is_pending() {
            self.desk.too_slow(&mut self.out);
            return Poll::Ready(Ok(Some(Next::Last)));
        }
        result
    }

    fn poll_came(&mut self, cx: &mut Context<'_>, next: Next) -> Poll<io::Result<Option<Next>>> {
        loop {
            let result = READ.with_borrow_mut(|read| {
                let mut buffer = ReadBuf::new(read);
                ready!(Pin::new(&mut *self.stream).poll_read(cx, &mut buffer))?;
                Poll::Ready(Ok(self.came(buffer.filled())))
            });
            return match result {
                // A part of a body has the deadline of the whole.
                Poll::Ready(Ok(Some(Next::Body))) if next == Next::Body => continue,
                // What came before the word to finish is answered, and an order whose head is there may come to its end.
                Poll::Pending if next == Next::Head && self.is_told_to_end() => Poll::Ready(Ok(None)),
                result => result,
            };
        }
    }

    /// Begins what is whole of the rest and of `bytes`, which came behind it.
    fn came(&mut self, bytes: &[u8]) -> Option<Next> {
        if bytes.is_empty() {
            return None;
        }
        if self.rest.is_empty() {
            let (used, next) = self.begin_all(bytes);
            self.rest.extend_from_slice(&bytes[used..]);
            return Some(next);
        }
        self.rest.extend_from_slice(bytes);
        if self.seen > 0 && self.rest.len() < self.desk.size_limits().head_size_bytes_max {
            let seen = std::mem::replace(&mut self.seen, self.rest.len());
            if !head::may_end_head(&self.rest, seen) {
                return Some(Next::Head);
            }
        }
        Some(self.begin_rest())
    }

    fn begin_rest(&mut self) -> Next {
        let mut rest = std::mem::take(&mut self.rest);
        let (used, next) = self.begin_all(&rest);
        rest.drain(..used);
        if !rest.is_empty() {
            self.rest = rest;
        }
        next
    }

    /// Begins one request after the other; says how many bytes they were, and why not more.
    fn begin_all(&mut self, bytes: &[u8]) -> (usize, Next) {
        let (limits, mut used) = (self.desk.size_limits(), 0);
        self.seen = 0;
        loop {
            let rest = &bytes[used..];
            if rest.is_empty() {
                return (used, Next::Head);
            }
            if self.queue.len() >= PIPELINE_LEN_MAX || self.out.len() >= OUT_SIZE_BYTES_MAX {
                return (used, Next::Later);
            }
            let request = match head::find(rest, limits) {
                Found::Request(request) => request,
                Found::PartOfHead => {
                    self.seen = rest.len();
                    self.note(Phase::Head);
                    return (used, Next::Head);
                }
                Found::PartOfBody => {
                    self.note(Phase::Busy);
                    return (used, Next::Body);
                }
                Found::Other => return (used, Next::Other),
            };
            // Only what asks the writer may be begun behind what waits for it: that keeps the order.
            if !self.queue.is_empty() && !request.hot.route.takes_body() {
                return (used, Next::Later);
            }
            used += request.size_bytes;
            let keep_alive = request.keep_alive && !self.is_told_to_end();
            self.begin(&head::Request { keep_alive, ..request });
            if !keep_alive {
                return (used, Next::Last);
            }
        }
    }

    fn begin(&mut self, request: &head::Request<'_>) {
        self.watch.enter(Phase::Busy);
        if self.queue.is_empty() {
            let waiting = self.desk.begin(request, borrowed(&mut self.out));
            waiting.into_iter().for_each(|waiting| self.queue.push(Slot::Waiting(waiting)));
        } else {
            let mut answer = Vec::new();
            let waiting = self.desk.begin(request, &mut answer);
            self.queue.push(waiting.map_or(Slot::Answered(answer), Slot::Waiting));
        }
    }

    /// Notes what a part of a request is, once: a client gets no more time by sending little at a time.
    fn note(&self, phase: Phase) {
        if self.queue.is_empty() && self.watch.phase() != phase {
            self.watch.enter(phase);
        }
    }

    /// Waits for every answer and writes it.
    fn poll_answer(&mut self, cx: &mut Context<'_>, next: Next) -> Poll<io::Result<()>> {
        if self.queue.is_empty() && self.out.is_empty() {
            return Poll::Ready(Ok(()));
        }
        while let Some(slot) = &mut self.queue.first {
            match slot {
                Slot::Answered(answer) => self.out.append(answer),
                Slot::Waiting(waiting) => match self.desk.poll(waiting, cx, borrowed(&mut self.out)) {
                    Poll::Ready(()) => {}
                    Poll::Pending => break,
                },
            }
            self.queue.pop();
        }
        while self.written < self.out.len() {
            match Pin::new(&mut *self.stream).poll_write(cx, &self.out[self.written..]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => self.written += count,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    if self.queue.is_empty() && self.watch.phase() != Phase::Writing {
                        self.watch.enter(Phase::Writing);
                    }
                    return Poll::Pending;
                }
            }
        }
        give_back(&mut self.out);
        self.written = 0;
        if !self.queue.is_empty() {
            return Poll::Pending;
        }
        self.watch.enter(match next {
            Next::Head if !self.rest.is_empty() => Phase::Head,
            Next::Body => Phase::Busy,
            _ => Phase::Idle,
        });
        Poll::Ready(Ok(()))
    }
}

/// The buffer for answers; if it has no memory, with that of the thread.
fn borrowed(out: &mut Vec<u8>) -> &mut Vec<u8> {
    if out.capacity() == 0 {
        *out = OUT.take();
    }
    out
}

/// Empties a buffer whose bytes are written, and leaves its memory to the thread unless it is large.
fn give_back(out: &mut Vec<u8>) {
    let mut memory = std::mem::take(out);
    if memory.capacity() <= OUT_SIZE_BYTES_MAX {
        memory.clear();
        OUT.set(memory);
    }
}
