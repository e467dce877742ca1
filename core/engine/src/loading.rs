//! A state that is brought up to date from stored facts, and decides nothing meanwhile: on a start, and behind the writer.

use core::fmt;

use domain::Fact;

use crate::apply;
use crate::state::{Allowances, State, orders};

/// A state on its way through stored facts.
///
/// What only deciding and checking read, the indexes of keys and of buyers' units, is written down and put in order when somebody
/// wants to see the state: part by part, each within the processor's cache, where one by one every order would wait for memory
/// twice. Since nobody can see the state before [`Loading::settled`] or [`Loading::finish`], nobody can decide on half an index.
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

/// Two orders of one buyer have the same key (invariant I3): these facts are no shard's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyTwice;

impl fmt::Display for KeyTwice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("I3 is broken: two orders of one buyer have the same key")
    }
}

impl core::error::Error for KeyTwice {}

impl Loading {
    /// Goes on from a state.
    pub fn new(mut state: State) -> Loading {
        defer(&mut state);
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

    /// The state as it stands, in order; what is applied from now on is written down again.
    ///
    /// # Errors
    /// As [`Loading::finish`]; and so it stays.
    ///
    /// # Panics
    /// As [`Loading::finish`].
    pub fn settled(&mut self) -> Result<&State, KeyTwice> {
        if self.note_count() > 0 {
            settle(&mut self.0)?;
            defer(&mut self.0);
        }
        Ok(&self.0)
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
        settle(&mut self.0)?;
        Ok(self.0)
    }
}

fn defer(state: &mut State) {
    state.orders.defer();
    state.allowances.defer();
}

fn settle(state: &mut State) -> Result<(), KeyTwice> {
    state.allowances.settle();
    state.orders.settle().then_some(()).ok_or(KeyTwice)
}

/// See [`Loading::unsettled`].
pub(crate) fn unsettled(state: &mut State) -> impl Iterator<Item = Unsettled<'_>> + Send {
    let State { orders, allowances, .. } = state;
    // The longest piece first.
    let allowances = core::iter::once(Unsettled(Piece::Allowances(allowances)));
    allowances.chain(orders.unsettled().map(|piece| Unsettled(Piece::Orders(piece))))
}
