//! The view that is an engine: a state fed from the journal, behind the writer but never ahead of the disk.
//!
//! What it holds is for snapshots, listings and counting the invariants again, so that the
//! writer need not. It has no thread: whoever owns it calls [`Follower::poll`].

use domain::ShardId;
use engine::{KeyTwice, Loading, State};
use journal::{Cursor, Disk, ReadError};

use crate::dated::{Dated, Undecodable};
use crate::snapshot_store::{Position, SnapshotStore, WriteError, Written};

/// A state that follows a journal. It decides nothing, and is put in order only when somebody looks at it.
pub struct Follower<C> {
    cursor: C,
    state: Loading,
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

/// Why there is no snapshot.
#[derive(thiserror::Error, Debug)]
pub enum SnapshotError {
    /// The facts are wrong.
    #[error(transparent)]
    KeyTwice(#[from] KeyTwice),
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
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
        assert_eq!(cursor.next_seq(), position.seq.next(), "the cursor stands right behind the state");
        Follower { cursor, state: Loading::new(state), position, stopped: None }
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
            if stopped.is_some() {
                return;
            }
            match Dated::decode(&record) {
                Ok(dated) => {
                    assert_eq!(dated.seq, state.seq().next(), "a journal has no gap");
                    state.apply(&dated.fact);
                    *position = dated.position(position.shard);
                }
                Err(undecodable) => *stopped = Some(undecodable),
            }
        });
        match *stopped {
            None => Ok(count?),
            Some(stopped) => Err(stopped.into()),
        }
    }

    /// What it reads.
    pub fn cursor(&self) -> &C {
        &self.cursor
    }

    /// Where the state stands.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The state, in which everything is durable. What came since it was asked for last is put in order first.
    ///
    /// # Errors
    /// When two orders have one key: the facts are wrong, and the sale must stop.
    pub fn state(&mut self) -> Result<&State, KeyTwice> {
        self.state.settled()
    }

    /// Takes a snapshot of the state as it stands.
    ///
    /// # Errors
    /// See [`SnapshotError`]; when it could not be written, the follower goes on as before.
    pub fn snapshot<D: Disk>(&mut self, store: &SnapshotStore<D>) -> Result<Written, SnapshotError> {
        let position = self.position;
        Ok(store.write(position, self.state()?)?)
    }
}

#[cfg(test)]
mod tests;
