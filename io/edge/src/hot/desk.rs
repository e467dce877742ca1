//! The edge at the end of a fast lane: which request is answered how, and a net under all of them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::StatusCode;

use super::no::No;
use super::order::{self, Came, Placing};
use crate::backend::Backend;
use crate::body::Reply;
use crate::conn::head::{Request, SizeLimits};
use crate::conn::lane::Desk;
use crate::conn::wire::{self, Ending};
use crate::edge::Edge;
use crate::problem::Problem;
use crate::route::Route;

/// An order that waits for the writer.
pub(crate) struct Waiting<A> {
    asked: A,
    /// Taken when the writer has answered.
    placing: Option<Placing>,
    counted: Counted,
}

/// What is counted of a request, and whether it is the connection's last.
#[derive(Clone, Copy)]
struct Counted {
    route: Route,
    came: Came,
    keep_alive: bool,
}

enum Begun<A> {
    Answered(Reply),
    Asked(A, Placing),
}

impl<B: Backend> Desk for Edge<B> {
    type Waiting = Waiting<B::Asked>;

    fn begin(&self, request: &Request<'_>, out: &mut Vec<u8>) -> Option<Waiting<B::Asked>> {
        let counted = self.counted(request.hot.route, request.keep_alive);
        let before = out.len();
        match isolated(|| self.begin_hot(request, counted.came)) {
            Ok(Ok(Begun::Asked(asked, placing))) => {
                return Some(Waiting { asked, placing: Some(placing), counted });
            }
            Ok(Ok(Begun::Answered(reply))) => self.push_reply(out, reply, counted),
            Ok(Err(no)) => self.push_no(out, &no, counted),
            Err(Panicked) => self.push_panic(out, before, counted),
        }
        None
    }

    fn poll(&self, waiting: &mut Waiting<B::Asked>, cx: &mut Context<'_>, out: &mut Vec<u8>) -> Poll<()> {
        let (counted, before) = (waiting.counted, out.len());
        let finished = isolated(|| {
            let decided = match Pin::new(&mut waiting.asked).poll(cx) {
                Poll::Ready(decided) => decided,
                Poll::Pending => return Poll::Pending,
            };
            let placing = waiting.placing.take().expect("nobody polls for an answer that was written");
            Poll::Ready(order::finish(self, placing, decided, |created| created.push(out, counted.ending())))
        });
        match finished {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(Ok(()))) => {
                self.metrics.answered(counted.route, StatusCode::CREATED, counted.took());
            }
            Ok(Poll::Ready(Err(problem))) => self.push_problem(out, &problem, counted),
            Err(Panicked) => self.push_panic(out, before, counted),
        }
        Poll::Ready(())
    }

    fn too_slow(&self, out: &mut Vec<u8>) {
        let counted = self.counted(Route::OrderPlace, false);
        self.push_problem(out, &Problem::body_too_slow(), counted);
    }

    fn size_limits(&self) -> SizeLimits {
        let (head, body) = (self.config.head_size_bytes_max, self.config.body_size_bytes_max);
        SizeLimits { head_size_bytes_max: head, body_size_bytes_max: body }
    }

    fn body_deadline(&self) -> Duration {
        self.config.body_deadline
    }
}

impl<B: Backend> Edge<B> {
    fn begin_hot(&self, request: &Request<'_>, came: Came) -> Result<Begun<B::Asked>, No> {
        let Request { hot, headers, body, .. } = request;
        match hot.route {
            Route::OrderPlace => {
                let let_in = order::let_in(self, hot.sale, headers, came)?;
                order::begin(self, let_in, body).map(|(asked, placing)| Begun::Asked(asked, placing))
            }
            Route::StockShow => Ok(Begun::Answered(self.stock(hot.sale, headers)?)),
            _ => Ok(Begun::Answered(self.page(hot.sale, headers)?)),
        }
    }

    fn push_reply(&self, out: &mut Vec<u8>, reply: Reply, counted: Counted) {
        self.metrics.answered(counted.route, reply.status(), counted.took());
        wire::push_reply(out, reply, counted.ending());
    }

    fn push_no(&self, out: &mut Vec<u8>, no: &No, counted: Counted) {
        let (status, code) = no.push(out, counted.ending());
        self.metrics.problem(code);
        self.metrics.answered(counted.route, status, counted.took());
    }

    fn push_problem(&self, out: &mut Vec<u8>, problem: &Problem, counted: Counted) {
        let (status, code) = problem.names();
        self.metrics.problem(code);
        self.metrics.answered(counted.route, status, counted.took());
        problem.push_answer(out, counted.ending());
    }

    /// A panic is a bug: it is counted and answered with 500, and the next request is served as if nothing had been. What it left
    /// behind the first `before` bytes is no answer.
    fn push_panic(&self, out: &mut Vec<u8>, before: usize, counted: Counted) {
        out.truncate(before);
        self.metrics.panics.inc();
        tracing::error!("a handler panicked: a bug; the request was answered 500");
        self.push_problem(out, &Problem::internal(), Counted { route: Route::Unmatched, ..counted });
    }

    fn counted(&self, route: Route, keep_alive: bool) -> Counted {
        Counted { route, came: Came::now(&self.backend), keep_alive }
    }
}

impl Counted {
    fn ending(self) -> Ending {
        Ending { keep_alive: self.keep_alive, now: self.came.now }
    }

    fn took(self) -> Option<Duration> {
        self.came.is_measured.then(|| self.came.since.elapsed())
    }
}

struct Panicked;

fn isolated<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_panic| Panicked)
}
