//! The view that is an engine: a state fed from the journal, behind the writer but never ahead of the disk.
//!
//! It recovers a shard, takes its snapshots, answers listings and counts the invariants again, so that the
//! writer need not. It has no thread: whoever owns it calls [`Follower::poll`].

use codec::DecodeError;
use domain::{Seq, ShardId};
use engine::State;
use engine::invariants::{self, Broken};
use journal::{Cursor, Disk, ReadError, Record};

use crate::snapshot_store::{Position, SnapshotStore, WriteError, Written};

/// A state that follows a journal.
pub struct Follower<C> {
    cursor: C,
    state: State,
    position: Position,
    /// A fact that could not be read; nothing behind it may be applied.
    stopped: Option<Undecodable>,
}

/// Why the follower cannot go on.
#[derive(thiserror::Error, Debug)]
pub enum FollowError {
    /// The journal cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The journal holds a fact that this program does not understand.
    #[error(transparent)]
    Undecodable(#[from] Undecodable),
}

/// A sound record that is no fact of this program's: written by a later version, or by another program.
#[derive(thiserror::Error, Clone, Copy, PartialEq, Eq, Debug)]
#[error("fact {} cannot be decoded: {source}", seq.0)]
pub struct Undecodable {
    /// Which fact.
    pub seq: Seq,
    /// Why.
    pub source: DecodeError,
}

impl<C: Cursor> Follower<C> {
    /// Follows from the start of a shard's journal.
    pub fn from_start(shard: ShardId, hash_seed: u64, cursor: C) -> Follower<C> {
        Follower::new((Position::start(shard), State::new(shard, hash_seed)), cursor)
    }

    /// Follows from a state, usually a snapshot's.
    ///
    /// # Panics
    /// When the cursor does not stand right behind the state, or `position` is not the state's.
    pub fn new((position, state): (Position, State), cursor: C) -> Follower<C> {
        assert_eq!((position.shard, position.seq), (state.shard(), state.seq()), "a position is its state's");
        assert_eq!(cursor.next_seq(), state.seq().next(), "the cursor stands right behind the state");
        Follower { cursor, state, position, stopped: None }
    }

    /// Applies the next durable facts, at most `count_max` of them; returns how many there were. 0 says that the
    /// follower has caught up.
    ///
    /// # Errors
    /// When the journal cannot be read or understood. The state is as good as before and stays where it is.
    ///
    /// # Panics
    /// When a fact does not fit the state: a bug, or a journal of another shard.
    pub fn poll(&mut self, count_max: usize) -> Result<usize, FollowError> {
        if let Some(stopped) = self.stopped {
            return Err(stopped.into());
        }
        let Follower { cursor, state, position, stopped } = self;
        let count = cursor.read(count_max, &mut |record| {
            if stopped.is_none() {
                *stopped = follow(state, position, &record).err();
            }
        })?;
        match *stopped {
            None => Ok(count),
            Some(stopped) => Err(stopped.into()),
        }
    }

    /// Where the state stands.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The state, in which everything is durable.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Counts every invariant again. Cost: all orders are gone through.
    ///
    /// # Errors
    /// The first one that does not hold: a bug, and the sale must stop.
    pub fn check(&self) -> Result<(), Broken> {
        invariants::check(&self.state)
    }

    /// Takes a snapshot of the state as it stands.
    ///
    /// # Errors
    /// See [`WriteError`]; the follower goes on as before.
    pub fn snapshot<D: Disk>(&self, store: &SnapshotStore<D>) -> Result<Written, WriteError> {
        store.write(self.position, &self.state)
    }

    /// The state and where it stands, for the writer that takes over after recovery.
    pub fn into_state(self) -> (Position, State) {
        (self.position, self.state)
    }
}

fn follow(state: &mut State, position: &mut Position, record: &Record<'_>) -> Result<(), Undecodable> {
    assert_eq!(record.seq, state.seq().next(), "a journal has no gap");
    let decoded = codec::decode(record.kind, record.payload);
    let fact = decoded.map_err(|source| Undecodable { seq: record.seq, source })?;
    engine::apply(state, &fact);
    *position = Position { shard: position.shard, seq: record.seq, term: record.term, time: record.time };
    Ok(())
}

#[cfg(test)]
mod tests;
