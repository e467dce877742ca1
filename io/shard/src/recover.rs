//! From what the disk holds to a shard that goes on: snapshot, then the tail of the journal.

use domain::{Seq, ShardId, Term, UnixMs};
use journal::{Disk, DiskError, Journal, Local, OpenError, Options, ReadError, Recovery};
use views::follower::{FollowError, Follower};
use views::snapshot_store::Damaged;
use views::{Catalog, Position, SnapshotStore};

use crate::round::Shard;

/// Facts read between two reports of progress.
const PIECE_FACT_COUNT: usize = 100_000;

/// What a shard is recovered with.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Which shard.
    pub shard: ShardId,
    /// Of the engine's indexes; secret, and different from start to start.
    pub hash_seed: u64,
    /// Of the journal.
    pub journal: Options,
}

/// What was found.
#[derive(Debug)]
pub struct Recovered {
    /// The snapshot that the state began with: its position. `None`: the journal alone.
    pub snapshot: Option<Seq>,
    /// Newer snapshots that were damaged; someone should know.
    pub snapshots_damaged: Vec<Damaged>,
    /// What the journal held, and how it ended.
    pub journal: Recovery,
    /// Facts applied on top of the snapshot.
    pub tail_fact_count: u64,
    /// This leader's term.
    pub term: Term,
}

/// Why a shard cannot go on. Nothing durable was changed.
#[derive(thiserror::Error, Debug)]
pub enum RecoverError {
    /// The journal cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The directory cannot be read.
    #[error("snapshots cannot be read: {0}")]
    Disk(#[from] DiskError),
    /// The journal's tail cannot be read: it is not there, or ends before the snapshot does.
    #[error("the journal does not go on where the snapshot ends: {0}")]
    Tail(#[from] ReadError),
    /// The tail cannot be followed.
    #[error(transparent)]
    Follow(#[from] FollowError),
}

/// Recovers a shard: the newest sound snapshot, the facts after it, a new term. `progress` hears now and then how
/// many facts were applied. The catalogue gets every sale and key. `now` names the copy of a torn tail.
///
/// # Errors
/// When what was acknowledged cannot be had back whole; somebody must act.
pub fn recover<D: Disk, T>(
    disk: D,
    settings: Settings,
    catalog: Catalog,
    now: UnixMs,
    mut progress: impl FnMut(u64),
) -> Result<(Shard<Local<D>, T>, Recovered), RecoverError> {
    let loaded = SnapshotStore::new(disk.clone()).load(settings.shard, settings.hash_seed)?;
    let (journal, recovery) = Local::open(disk, settings.journal, now)?;
    let snapshot = loaded.newest.as_ref().map(|(position, _)| position.seq);
    let cursor = journal.cursor(snapshot.unwrap_or_default().next())?;
    let mut follower = match loaded.newest {
        Some(newest) => Follower::new(newest, cursor),
        None => Follower::from_start(settings.shard, settings.hash_seed, cursor),
    };
    let mut tail_fact_count = 0;
    loop {
        match follower.poll(PIECE_FACT_COUNT)? {
            0 => break,
            count => tail_fact_count += count as u64,
        }
        progress(tail_fact_count);
    }
    let (Position { time, .. }, state) = follower.into_state();
    let term = journal.term();
    let recovered =
        Recovered { snapshot, snapshots_damaged: loaded.damaged, journal: recovery, tail_fact_count, term };
    Ok((Shard::new(journal, state, time, catalog), recovered))
}
