//! "No" to somebody who wants to order: in a rush the usual answer, and the same one over and over.
//!
//! What the gate and the catalogue say is kept as bytes, on each I/O thread, and made anew when it changes. Everything else is a
//! [`Problem`], made for its occasion.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use arc_swap::Guard;
use domain::Refusal;
use gate::Refused;
use http::StatusCode;
use views::{Front, SaleEntry};

use crate::conn::wire::Ending;
use crate::problem::Problem;

/// Answers that are kept on a thread: a sale's items that are sold out at one time.
const READY_LEN_MAX: usize = 16;

/// Why somebody may not order.
pub(crate) enum No {
    /// The gate turned them away.
    Shed(Refused),
    /// The catalogue knows what the writer would say.
    Foreseen { refusal: Refusal, sale: Arc<SaleEntry>, front: Guard<Arc<Front>> },
    /// Anything else.
    Problem(Problem),
}

impl No {
    /// For the router.
    pub(crate) fn into_problem(self) -> Problem {
        match self {
            No::Shed(refused) => Problem::shed(refused),
            No::Foreseen { refusal, sale, .. } => Problem::refusal(&refusal, Some(&sale)),
            No::Problem(problem) => problem,
        }
    }

    /// For a lane: writes the answer, and says its status and its code.
    pub(crate) fn push(&self, out: &mut Vec<u8>, ending: Ending) -> (StatusCode, &'static str) {
        READY.with_borrow_mut(|ready| match self {
            No::Shed(refused) => ready.shed(*refused).push(out, ending),
            No::Foreseen { refusal, sale, front } => ready.foreseen(*refusal, sale, front).push(out, ending),
            No::Problem(problem) => {
                problem.push_answer(out, ending);
                problem.names()
            }
        })
    }
}

impl From<Problem> for No {
    fn from(problem: Problem) -> No {
        No::Problem(problem)
    }
}

thread_local! {
    static READY: RefCell<ReadyMade> = const { RefCell::new(ReadyMade { shed: None, foreseen: VecDeque::new() }) };
}

/// The answers that are kept.
struct ReadyMade {
    shed: Option<(Refused, Ready)>,
    /// The newest first.
    foreseen: VecDeque<Foreseen>,
}

struct Foreseen {
    /// The very terms that were answered with: as long as they are kept, no others stand at their address.
    front: Arc<Front>,
    refusal: Refusal,
    ready: Ready,
}

impl ReadyMade {
    fn shed(&mut self, refused: Refused) -> &Ready {
        let kept = self.shed.take().filter(|(about, _)| *about == refused);
        let make = || (refused, Ready::of(&Problem::shed(refused)));
        &self.shed.insert(kept.unwrap_or_else(make)).1
    }

    fn foreseen(&mut self, refusal: Refusal, sale: &SaleEntry, front: &Arc<Front>) -> &Ready {
        let is_it = |kept: &Foreseen| kept.refusal == refusal && Arc::ptr_eq(&kept.front, front);
        let found = self.foreseen.iter().position(is_it).unwrap_or_else(|| {
            let ready = Ready::of(&Problem::refusal(&refusal, Some(sale)));
            self.foreseen.truncate(READY_LEN_MAX - 1);
            self.foreseen.push_front(Foreseen { front: Arc::clone(front), refusal, ready });
            0
        });
        &self.foreseen[found].ready
    }
}

/// An answer but for its ending, which differs from second to second.
struct Ready {
    status: StatusCode,
    code: &'static str,
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Ready {
    fn of(problem: &Problem) -> Ready {
        let (mut head, mut body) = (Vec::new(), Vec::new());
        problem.push_head(&mut head);
        problem.push(&mut body);
        let (status, code) = problem.names();
        Ready { status, code, head, body }
    }

    fn push(&self, out: &mut Vec<u8>, ending: Ending) -> (StatusCode, &'static str) {
        out.reserve(self.head.len() + self.body.len() + Ending::SIZE_BYTES_MAX);
        out.extend_from_slice(&self.head);
        ending.push(out, Some(self.body.len()));
        out.extend_from_slice(&self.body);
        (self.status, self.code)
    }
}
