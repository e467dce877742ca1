//! The view that is an engine: a state fed from the journal, behind the writer but never ahead of the disk.
//!
//! What it holds is for snapshots, listings and counting the invariants again, so that the
//! writer need not. It has no thread: whoever owns it calls [`Follower::poll`].

use domain::ShardId;
use engine::State;
use journal::{Cursor, Disk, ReadError};

use crate::dated::{Dated, Undecodable};
use crate::snapshot_store::{Position, SnapshotStore, WriteError, Written};

/// Facts whose memory is asked for before the first of them is applied: while one's is fetched, so is the others'. With
/// millions of orders that halves the time of a fact; beyond a few dozen nothing is gained.
const FORESEEN_COUNT: usize = 48;

/// A state that follows a journal.
pub struct Follower<C> {
    cursor: C,
    state: State,
    position: Position,
    /// Facts on their way from the cursor to the state; kept for its memory.
    piece: Vec<Dated>,
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
        Follower { cursor, state, position, piece: Vec::new(), stopped: None }
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
        let Follower { cursor, state, position, piece, stopped } = self;
        let count = cursor.read(count_max, &mut |record| {
            if stopped.is_none() {
                match Dated::decode(&record) {
                    Ok(fact) => piece.push(fact),
                    Err(undecodable) => *stopped = Some(undecodable),
                }
            }
            if piece.len() == FORESEEN_COUNT {
                apply(state, position, piece);
            }
        });
        apply(state, position, piece);
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

    /// The state, in which everything is durable.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Takes a snapshot of the state as it stands.
    ///
    /// # Errors
    /// See [`WriteError`]; the follower goes on as before.
    pub fn snapshot<D: Disk>(&self, store: &SnapshotStore<D>) -> Result<Written, WriteError> {
        store.write(self.position, &self.state)
    }
}

/// Applies the facts, which are the next ones, and takes them out of the list.
fn apply(state: &mut State, position: &mut Position, facts: &mut Vec<Dated>) {
    facts.iter().for_each(|dated| engine::foresee_fact(state, &dated.fact));
    for dated in facts.drain(..) {
        assert_eq!(dated.seq, state.seq().next(), "a journal has no gap");
        engine::apply(state, &dated.fact);
        *position = dated.position(position.shard);
    }
}

#[cfg(test)]
mod tests;
