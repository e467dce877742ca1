//! A turn of a connection: reads, begins what came, and writes what is answered, as far as it goes.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::sleep;

use super::queue::Slot;
use super::{Desk, End, Line, Next};
use crate::conn::head::{self, Found};
use crate::conn::watch::{Phase, Watch, Word};

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

/// A connection's line in somebody's hands.
pub(super) struct Turn<'a, D: Desk, S> {
    pub(super) desk: &'a D,
    pub(super) watch: &'a Watch,
    pub(super) line: &'a mut Line<D::Waiting, S>,
}

impl<D: Desk, S: AsyncRead + AsyncWrite + Unpin> Turn<'_, D, S> {
    /// Goes on as far as it can. `waiting` is for what waits for its answer.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        waiting: &mut Context<'_>,
    ) -> Poll<io::Result<End<S>>> {
        loop {
            let answered = self.poll_answers(cx, waiting)?;
            self.line.next = match self.line.next {
                next @ (Next::Head | Next::Body) => ready!(self.poll_read(cx, next))?.unwrap_or(Next::Last),
                Next::Later => {
                    ready!(answered);
                    self.begin_rest()
                }
                Next::Other => {
                    ready!(answered);
                    let rest = std::mem::take(&mut self.line.rest);
                    let stream = self.line.stream.take().expect("the lane is not over");
                    return Poll::Ready(Ok(End::HandOver(stream, rest)));
                }
                Next::Last => {
                    ready!(answered);
                    ready!(self.stream().poll_shutdown(cx))?;
                    return Poll::Ready(Ok(End::Over));
                }
            };
        }
    }

    /// Has the one answer written that a connection usually waits for; whether nothing is left to do for the task, which waits for
    /// the next request already.
    pub(super) fn answer_here(&mut self) -> bool {
        // What waits behind others keeps the waker that it has.
        if self.line.queue.len() != 1 || self.line.stream.is_none() {
            return false;
        }
        let nobody = &mut Context::from_waker(Waker::noop());
        let answered = self.poll_answers(nobody, &mut Context::from_waker(Waker::noop()));
        matches!(answered, Ok(Poll::Ready(()))) && self.line.next == Next::Head && !self.is_told_to_end()
    }

    fn stream(&mut self) -> Pin<&mut S> {
        Pin::new(self.line.stream.as_mut().expect("the lane is not over"))
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
            let deadline = self.line.body_deadline.get_or_insert_with(|| Box::pin(sleep(deadline)));
            ready!(deadline.as_mut().poll(cx));
        }
        self.line.body_deadline = None;
        if result.is_pending() {
            self.answer(|desk, out| {
                desk.too_slow(out);
                None
            });
            return Poll::Ready(Ok(Some(Next::Last)));
        }
        result
    }

    fn poll_came(&mut self, cx: &mut Context<'_>, next: Next) -> Poll<io::Result<Option<Next>>> {
        loop {
            let result = READ.with_borrow_mut(|read| {
                let mut buffer = ReadBuf::new(read);
                ready!(self.stream().poll_read(cx, &mut buffer))?;
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
        if self.line.rest.is_empty() {
            let (used, next) = self.begin_all(bytes);
            self.line.rest.extend_from_slice(&bytes[used..]);
            return Some(next);
        }
        let Line { rest, seen, .. } = &mut *self.line;
        rest.extend_from_slice(bytes);
        if *seen > 0 && rest.len() < self.desk.size_limits().head_size_bytes_max {
            let seen = std::mem::replace(seen, rest.len());
            if !head::may_end_head(rest, seen) {
                return Some(Next::Head);
            }
        }
        Some(self.begin_rest())
    }

    fn begin_rest(&mut self) -> Next {
        let mut rest = std::mem::take(&mut self.line.rest);
        let (used, next) = self.begin_all(&rest);
        rest.drain(..used);
        if !rest.is_empty() {
            self.line.rest = rest;
        }
        next
    }

    /// Begins one request after the other; says how many bytes they were, and why not more.
    fn begin_all(&mut self, bytes: &[u8]) -> (usize, Next) {
        let (limits, mut used) = (self.desk.size_limits(), 0);
        self.line.seen = 0;
        loop {
            let rest = &bytes[used..];
            if rest.is_empty() {
                return (used, Next::Head);
            }
            if self.line.queue.len() >= PIPELINE_LEN_MAX || self.line.out.len() >= OUT_SIZE_BYTES_MAX {
                return (used, Next::Later);
            }
            let request = match head::find(rest, limits) {
                Found::Request(request) => request,
                Found::PartOfHead => {
                    self.line.seen = rest.len();
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
            if !self.line.queue.is_empty() && !request.hot.route.takes_body() {
                return (used, Next::Later);
            }
            used += request.size_bytes;
            let keep_alive = request.keep_alive && !self.is_told_to_end();
            self.watch.enter(Phase::Busy);
            self.answer(|desk, out| desk.begin(&head::Request { keep_alive, ..request }, out));
            if !keep_alive {
                return (used, Next::Last);
            }
        }
    }

    /// Has an answer written where its turn is, or notes what waits for it.
    fn answer(&mut self, write: impl FnOnce(&D, &mut Vec<u8>) -> Option<D::Waiting>) {
        let Line { queue, out, .. } = &mut *self.line;
        if queue.is_empty() {
            let waiting = write(self.desk, borrowed(out));
            waiting.into_iter().for_each(|waiting| queue.push(Slot::Waiting(waiting)));
        } else {
            let mut answer = Vec::new();
            let waiting = write(self.desk, &mut answer);
            queue.push(waiting.map_or(Slot::Answered(answer), Slot::Waiting));
        }
    }

    /// Notes what a part of a request is, once: a client gets no more time by sending little at a time.
    fn note(&self, phase: Phase) {
        if self.line.queue.is_empty() && self.watch.phase() != phase {
            self.watch.enter(phase);
        }
    }

    /// Writes every answer that is there; ready when none is left to come.
    fn poll_answers(&mut self, cx: &mut Context<'_>, waiting: &mut Context<'_>) -> io::Result<Poll<()>> {
        let Line { queue, out, .. } = &mut *self.line;
        if queue.is_empty() && out.is_empty() {
            return Ok(Poll::Ready(()));
        }
        while let Some(slot) = &mut queue.first {
            match slot {
                Slot::Answered(answer) => out.append(answer),
                Slot::Waiting(asked) => match self.desk.poll(asked, waiting, borrowed(out)) {
                    Poll::Ready(()) => {}
                    Poll::Pending => break,
                },
            }
            queue.pop();
        }
        if self.poll_write(cx)?.is_pending() {
            return Ok(Poll::Pending);
        }
        let Line { queue, out, written, next, rest, .. } = &mut *self.line;
        give_back(out);
        *written = 0;
        if !queue.is_empty() {
            return Ok(Poll::Pending);
        }
        self.watch.enter(match next {
            Next::Head if !rest.is_empty() => Phase::Head,
            Next::Body => Phase::Busy,
            _ => Phase::Idle,
        });
        Ok(Poll::Ready(()))
    }

    /// Writes all of `out`.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> io::Result<Poll<()>> {
        let Line { stream, out, written, queue, .. } = &mut *self.line;
        let stream = stream.as_mut().expect("the lane is not over");
        while *written < out.len() {
            match Pin::new(&mut *stream).poll_write(cx, &out[*written..]) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => *written += count,
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => {
                    if queue.is_empty() && self.watch.phase() != Phase::Writing {
                        self.watch.enter(Phase::Writing);
                    }
                    return Ok(Poll::Pending);
                }
            }
        }
        Ok(Poll::Ready(()))
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
