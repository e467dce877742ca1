//! A state that is brought up to date from stored facts or entries, and decides nothing meanwhile.

use domain::Fact;

use crate::apply;
use crate::state::{Allowances, State, orders};

/// A state on its way through stored facts.
///
/// What only deciding reads, the indexes of keys and of buyers' units, is written down and put in order at the end: part
/// by part, each within the processor's cache, where one by one every order would wait for memory twice. Since
/// nobody can see the state before [`Loading::finish`], nobody can decide on half an index.
pub struct Loading(State);

/// A part of what is to be put in order.
pub struct Unsettled<'a>(Piece<'a>);

enum Piece<'a> {
    Allowances(&'a mut Allowances),
    Orders(orders::Unsettled<'a>),
}

impl Unsettled<'_> {
    /// Puts it in order. What is wrong with it [`Loading::finish`] will say.
    ///
    /// # Panics
    /// As [`Loading::finish`].
    pub fn settle(self) {
        match self.0 {
            Piece::Allowances(allowances) => allowances.settle(),
            Piece::Orders(piece) => _ = piece.settle(),
        }
    }
}

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

    /// How much was written down and is not in order yet.
    pub fn note_count(&self) -> usize {
        self.0.orders.note_count() + self.0.allowances.note_count()
    }

    /// What is left to be put in order, in pieces that have nothing in common: several threads may share them. Whatever
    /// none of them does, [`Loading::finish`] does.
    pub fn unsettled(&mut self) -> impl Iterator<Item = Unsettled<'_>> + Send {
        unsettled(&mut self.0)
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
}

/// See [`Loading::unsettled`].
pub(crate) fn unsettled(state: &mut State) -> impl Iterator<Item = Unsettled<'_>> + Send {
    let State { orders, allowances, .. } = state;
    // The longest piece first.
    let allowances = core::iter::once(Unsettled(Piece::Allowances(allowances)));
    allowances.chain(orders.unsettled().map(|piece| Unsettled(Piece::Orders(piece))))
}
