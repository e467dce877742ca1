//! A state that is brought up to date from stored facts or entries, and decides nothing meanwhile.

use domain::Fact;

use crate::apply;
use crate::state::State;

/// A state on its way through stored facts.
///
/// What only deciding reads, the indexes of keys and of buyers' units, is written down and put in order at the end: part
/// by part, each within the processor's cache, where one by one every order would wait for memory twice. Since
/// nobody can see the state before [`Loading::finish`], nobody can decide on half an index.
pub struct Loading(State);

/// Two orders of one buyer have the same key: these facts are no shard's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyTwice;

impl Loading {
    /// Goes on from a state.
    pub fn new(mut state: State) -> Loading {
        state.orders.defer();
        state.allowances.defer();
        Loading(state)
    }

    /// As [`crate::apply()`].
    ///
    /// # Panics
    /// When the fact does not fit the state.
    pub fn apply(&mut self, fact: &Fact) {
        apply(&mut self.0, fact);
    }

    /// The last fact that was applied.
    pub fn seq(&self) -> domain::Seq {
        self.0.seq()
    }

    /// The state.
    ///
    /// # Errors
    /// When two orders have one key (invariant I3).
    ///
    /// # Panics
    /// When a buyer gave back more units than were counted (invariant I2).
    pub fn finish(mut self) -> Result<State, KeyTwice> {
        self.0.allowances.settle();
        if self.0.orders.settle() { Ok(self.0) } else { Err(KeyTwice) }
    }

    pub(crate) fn state_mut(&mut self) -> &mut State {
        &mut self.0
    }
}
