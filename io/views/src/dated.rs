//! Facts as they stand in a journal.

use codec::DecodeError;
use domain::{Fact, Seq, ShardId, Term, UnixMs};
use journal::Record;

use crate::snapshot_store::Position;

/// A sound record that is no fact of this program's: written by a later version, or by another program.
#[derive(thiserror::Error, Clone, Copy, PartialEq, Eq, Debug)]
#[error("fact {} cannot be decoded: {source}", seq.0)]
pub struct Undecodable {
    /// Which fact.
    pub seq: Seq,
    /// Why.
    pub source: DecodeError,
}

/// A fact with its place in a journal.
pub struct Dated {
    /// Its number.
    pub seq: Seq,
    /// The term of the leader who wrote it.
    pub term: Term,
    /// The time of its batch.
    pub time: UnixMs,
    /// What happened.
    pub fact: Fact,
}

impl Dated {
    /// The fact that a record stores.
    ///
    /// # Errors
    /// When it stores none that this program knows.
    pub fn decode(record: &Record<'_>) -> Result<Dated, Undecodable> {
        let Record { seq, term, time, kind, payload } = *record;
        let fact = codec::decode(kind, payload).map_err(|source| Undecodable { seq, source })?;
        Ok(Dated { seq, term, time, fact })
    }

    /// Where a state of `shard` stands after this fact.
    pub fn position(&self, shard: ShardId) -> Position {
        Position { shard, seq: self.seq, term: self.term, time: self.time }
    }
}
