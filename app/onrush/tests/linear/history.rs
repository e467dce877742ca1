//! What clients did to one item, when, and whether one order of it all explains what they were told.
//!
//! The judge is `todc-utils`' checker: Wing and Gong's search with Lowe's memory, the algorithm of porcupine and
//! knossos. Whether a history is linearizable is NP-complete in general, so the search has a bound, [`STEP_COUNT_MAX`].
//! That is enough for the items that a handful of clients ask about at a time. What needs more gets a second try with
//! the row that `guide.rs` finds: a row that agrees with all instants and that the checker accepts explains the
//! history, wherever it came from. What neither explains is [`Verdict::Undecided`], and never taken for good.
//!
//! Items are judged one by one, for a system is linearizable exactly when each of its objects is (Herlihy and Wing
//! 1990, theorem 1).

use std::fmt::{self, Display};

use todc_utils::linearizability::history::History as Entries;
use todc_utils::{Action, WGLChecker};

use crate::guide;
use crate::model::{self, Answer, Call, Item, Operation};

/// Operations that one search may linearize, those taken back included. Each costs about 2 kB of memory.
const STEP_COUNT_MAX: u64 = 20_000;

/// One operation. Instants are numbers of a counter that all clients share: whatever ended before another thing began
/// has the smaller one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recorded {
    pub(crate) operation: Operation,
    pub(crate) called_at: u64,
    /// `u64::MAX` when no answer came.
    pub(crate) answered_at: u64,
    /// Where the server says that the change is in its journal; [`NOWHERE`] when it said nothing. Only a hint.
    pub(crate) position: u64,
}

pub(crate) const NOWHERE: u64 = u64::MAX;

/// Everything that happened to one item.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) operations: Vec<Recorded>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// The search found an order after so many steps.
    Linearizable { step_count: u64 },
    /// The search was cut short, but the server's own order is one.
    LinearizableAsTold,
    /// No order explains it.
    Impossible,
    /// Too long a search.
    Undecided,
}

impl History {
    /// Judges it.
    pub(crate) fn judge(&self) -> Verdict {
        match search(self.actions()) {
            (true, step_count) => Verdict::Linearizable { step_count },
            (false, STEP_COUNT_MAX) if self.is_as_told() => Verdict::LinearizableAsTold,
            (false, STEP_COUNT_MAX) => Verdict::Undecided,
            (false, _) => Verdict::Impossible,
        }
    }

    /// Whether the server's positions lead to a row in which nothing stands after what began when it had ended, and
    /// which the checker accepts.
    pub(crate) fn is_as_told(&self) -> bool {
        let Some(row) = guide::row(&self.operations) else { return false };
        let in_row: Vec<&Recorded> = row.iter().map(|place| &self.operations[*place]).collect();
        let mut begun_at = 0;
        let is_in_time = in_row.iter().all(|recorded| {
            begun_at = recorded.called_at.max(begun_at);
            recorded.answered_at >= begun_at
        });
        let actions = in_row.iter().flat_map(|recorded| {
            let operation = recorded.operation;
            [(0, Action::Call(operation)), (0, Action::Response(operation))]
        });
        row.len() == self.operations.len() && is_in_time && search(actions.collect()).0
    }

    /// Calls and answers as they came. Each operation is a process of its own, for a client's operations follow one
    /// another by their instants already.
    fn actions(&self) -> Vec<(usize, Action<Operation>)> {
        let ends = |(process, recorded): (usize, &Recorded)| {
            let Recorded { operation, called_at, answered_at, .. } = *recorded;
            [
                (called_at, (process, Action::Call(operation))),
                (answered_at, (process, Action::Response(operation))),
            ]
        };
        let mut actions: Vec<_> = self.operations.iter().enumerate().flat_map(ends).collect();
        actions.sort_by_key(|(at, _)| *at);
        actions.into_iter().map(|(_, action)| action).collect()
    }

    /// The shortest beginning that nothing explains. What was called in it and answered after it may have happened
    /// or not; so a beginning of a good history is good.
    pub(crate) fn shortest_unexplained(&self) -> History {
        let mut ends: Vec<u64> = self.operations.iter().map(|recorded| recorded.answered_at).collect();
        ends.sort_unstable();
        let first = ends.partition_point(|end| self.until(*end).judge().is_good());
        ends.get(first).map_or_else(|| self.clone(), |end| self.until(*end))
    }

    fn until(&self, end: u64) -> History {
        let cut = |recorded: &Recorded| {
            let operation = Operation { call: recorded.operation.call, answer: None };
            match recorded.answered_at <= end {
                true => *recorded,
                false => Recorded { operation, answered_at: u64::MAX, ..*recorded },
            }
        };
        let begun = self.operations.iter().filter(|recorded| recorded.called_at <= end);
        History { operations: begun.map(cut).collect() }
    }
}

impl Verdict {
    pub(crate) fn is_good(self) -> bool {
        matches!(self, Verdict::Linearizable { .. } | Verdict::LinearizableAsTold)
    }
}

/// Whether the checker finds an order, and after how many steps.
fn search(actions: Vec<(usize, Action<Operation>)>) -> (bool, u64) {
    let entries = Entries::from_actions(actions);
    model::with_steps(STEP_COUNT_MAX, || WGLChecker::<Item>::is_linearizable(entries))
}

impl Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut operations: Vec<&Recorded> = self.operations.iter().collect();
        operations.sort_by_key(|recorded| recorded.called_at);
        for Recorded { operation: Operation { call, answer }, called_at, answered_at, .. } in operations {
            match answer {
                Some(answer) => writeln!(f, "{called_at:>7} … {answered_at:>7}  {call:?} → {answer:?}")?,
                None => writeln!(f, "{called_at:>7} …     ???  {call:?}")?,
            }
        }
        Ok(())
    }
}

impl Recorded {
    /// The making of an item, before everything else.
    pub(crate) fn announcement(stock: u32, per_buyer_max: u32) -> Recorded {
        let call = Call::Announce { stock, per_buyer_max };
        let operation = Operation { call, answer: Some(Answer::Done) };
        Recorded { operation, called_at: 0, answered_at: 0, position: NOWHERE }
    }
}
