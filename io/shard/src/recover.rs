//! From what the disk holds to a shard that goes on: snapshot, then the tail of the journal.

use std::thread;

use domain::{Seq, ShardId, Term, UnixMs};
use engine::State;
use journal::{Disk, DiskError, Journal, Local, OpenError, Options, ReadError, Recovery};
use views::snapshot_store::Damaged;
use views::{Catalog, KeyNotes, KeyWriter, Position, SnapshotStore, Undecodable};

use crate::round::Shard;
use crate::tail::{Followed, follow};

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
    /// The journal holds a fact that this program does not understand.
    #[error(transparent)]
    Undecodable(#[from] Undecodable),
}

/// Recovers a shard: the newest sound snapshot, the facts after it, a new term. `progress` hears now and then how
/// many facts were read. The catalogue gets every sale and key. `now` names the copy of a torn tail.
///
/// # Errors
/// When what was acknowledged cannot be had back whole; somebody must act.
pub fn recover<D: Disk, T>(
    disk: D,
    settings: Settings,
    catalog: Catalog,
    now: UnixMs,
    progress: impl FnMut(u64),
) -> Result<(Shard<Local<D>, T>, Recovered), RecoverError> {
    let store = SnapshotStore::new(disk.clone());
    let loaded = store.load(settings.shard, settings.hash_seed)?;
    let snapshot = loaded.newest.as_ref().map(|(position, _)| position.seq);
    let nothing = || (Position::start(settings.shard), State::new(settings.shard, settings.hash_seed));
    let newest = loaded.newest.unwrap_or_else(nothing);
    let mut keys = catalog.key_writer(settings.shard);
    add_keys(&newest.1, &mut keys);
    let mut of_tail = keys.notes();
    let Followed { journal, recovery, position, state, tail_fact_count } =
        follow(disk, (settings.journal, now), newest, &mut of_tail, progress)?;
    keys.merge(of_tail);
    drop(keys);
    let term = journal.term();
    let recovered =
        Recovered { snapshot, snapshots_damaged: loaded.damaged, journal: recovery, tail_fact_count, term };
    Ok((Shard::new(journal, state, position.time, catalog), recovered))
}

/// Tells the catalogue the keys of all orders: most of the time goes by waiting for memory, so several threads share it.
fn add_keys(state: &State, keys: &mut KeyWriter) {
    let step = state.order_count().div_ceil(views::thread_count(state.order_count())).max(1);
    let note = |from: usize| {
        let mut notes = keys.notes();
        state.keys(from..from.saturating_add(step)).for_each(|(buyer, key)| notes.note(buyer, key));
        notes
    };
    let noted: Vec<KeyNotes> = thread::scope(|scope| {
        let note = &note;
        let froms = (0..state.order_count()).step_by(step);
        let threads: Vec<_> = froms.map(|from| scope.spawn(move || note(from))).collect();
        threads.into_iter().map(|thread| thread.join().expect("noting does not panic")).collect()
    });
    noted.into_iter().for_each(|notes| keys.merge(notes));
}
