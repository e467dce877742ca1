//! Snapshots in a shard's directory: `snapshot-<seq>.snap`, drawn in `docs/formats/snapshot.md`.
//!
//! Writing disturbs nobody: a temporary file, filled in bounded pieces, synced, renamed, the directory synced,
//! then read back from its first byte to its last. Only after that does [`Written::droppable_before`] say how much of
//! the journal is not needed any more, and it counts from the *older* of the two snapshots that are kept, so that
//! one damaged file costs nothing but time. Loading takes the newest that verifies and reports the others.
//!
//! Start with [`SnapshotStore`]. One process writes; reading needs no lock.

mod fault;
mod format;
mod read;
mod write;

#[cfg(test)]
mod tests;

use domain::{Seq, ShardId, Term, UnixMs};
use engine::State;
use engine::snapshot::Restore;
use journal::disk::failed;
use journal::{Disk, DiskError};

use crate::settle::settle_if_many;

pub use fault::{Damaged, Fault, WriteError};

/// Where in a shard's journal a state stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// Which shard.
    pub shard: ShardId,
    /// The last fact that is in the state; 0 for none.
    pub seq: Seq,
    /// The term of that fact.
    pub term: Term,
    /// The time of that fact's batch.
    pub time: UnixMs,
}

impl Position {
    /// Before everything.
    pub fn start(shard: ShardId) -> Position {
        Position { shard, seq: Seq(0), term: Term(0), time: UnixMs(0) }
    }
}

/// The snapshots of one shard.
pub struct SnapshotStore<D> {
    disk: D,
}

/// A snapshot that was taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written {
    /// Its file.
    pub file: String,
    /// The file's size.
    pub size_bytes: u64,
    /// What it is made of.
    pub entry_count: u64,
    /// Facts before this one are not needed any more: two verified snapshots stand for them. `None` while
    /// there is only one.
    pub droppable_before: Option<Seq>,
}

/// What was found at start.
#[derive(Debug)]
pub struct Loaded {
    /// The newest snapshot that verified, as a state whose invariants hold.
    pub newest: Option<(Position, State)>,
    /// Newer ones that did not; someone should know.
    pub damaged: Vec<Damaged>,
}

impl<D: Disk> SnapshotStore<D> {
    /// The snapshots in this directory, which is the shard's.
    pub fn new(disk: D) -> SnapshotStore<D> {
        SnapshotStore { disk }
    }

    /// The positions of all snapshots there are, newest first; nothing is verified.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn list(&self) -> Result<Vec<Seq>, DiskError> {
        let names = self.disk.list().map_err(failed("list", "the directory"))?;
        let mut seqs: Vec<Seq> = names.iter().filter_map(|name| seq_of(name)).collect();
        seqs.sort_unstable_by(|left, right| right.cmp(left));
        Ok(seqs)
    }

    /// Takes a snapshot of the state, keeps it and the newest older one that verifies, and removes the others.
    ///
    /// Cost: the state is gone through twice and the file read once; memory for one chunk of 256 KiB.
    ///
    /// # Errors
    /// Nothing is lost then; see [`WriteError`].
    ///
    /// # Panics
    /// When `position` is not the state's.
    pub fn write(&self, position: Position, state: &State) -> Result<Written, WriteError> {
        let told = (position.shard, position.seq);
        assert_eq!(told, (state.shard(), state.seq()), "a snapshot is of the state that it is told");
        write::write(self, position, state)
    }

    /// The newest snapshot of `shard` that verifies, as a state. Writes nothing. `hash_seed` as in
    /// [`State::new`].
    ///
    /// # Errors
    /// When the directory cannot be read. A file that cannot be read counts as damaged.
    pub fn load(&self, shard: ShardId, hash_seed: u64) -> Result<Loaded, DiskError> {
        let mut damaged = Vec::new();
        for seq in self.list()? {
            match self.load_at(shard, seq, hash_seed) {
                Ok(newest) => return Ok(Loaded { newest: Some(newest), damaged }),
                Err(fault) => damaged.push(fault),
            }
        }
        Ok(Loaded { newest: None, damaged })
    }

    /// The snapshot of `shard` at `seq` and no other, as a state. Writes nothing. `hash_seed` as in [`State::new`].
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn load_at(&self, shard: ShardId, seq: Seq, hash_seed: u64) -> Result<(Position, State), Damaged> {
        self.restore((shard, seq), hash_seed).map_err(|fault| Damaged { file: name_of(seq), fault })
    }

    /// Reads the snapshot at `seq` from its first byte to its last, without making a state of it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn verify(&self, seq: Seq) -> Result<Position, Damaged> {
        read::read(&self.disk, seq, &mut |_| Ok(())).map_err(|fault| Damaged { file: name_of(seq), fault })
    }

    fn restore(&self, (shard, seq): (ShardId, Seq), hash_seed: u64) -> Result<(Position, State), Fault> {
        let mut restore = Restore::new(hash_seed);
        let position = read::read_ahead(&self.disk, seq, &mut |entries| {
            Ok(entries.into_iter().try_for_each(|entry| restore.push(entry))?)
        })?;
        if position.shard != shard {
            return Err(Fault::Shard(position.shard));
        }
        settle_if_many(&mut restore);
        let state = restore.finish()?;
        // The head entry says once more what the header says.
        let same = (state.shard(), state.seq()) == (position.shard, position.seq);
        if same { Ok((position, state)) } else { Err(Fault::HeaderShape) }
    }
}

const PREFIX: &str = "snapshot-";
const SUFFIX: &str = ".snap";
/// Behind a whole name, while the file is being written.
const SUFFIX_TEMPORARY: &str = "-tmp";

fn name_of(seq: Seq) -> String {
    format!("{PREFIX}{:020}{SUFFIX}", seq.0)
}

fn seq_of(name: &str) -> Option<Seq> {
    let digits = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let plain = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok().map(Seq) } else { None }
}
