//! The system under test: one process with one shard, its upkeep included, driven step by step.
//!
//! Nothing of it is simulated but the disk and the clock. What the binary does on several threads (the writer, the
//! follower that takes snapshots, the maker of segments) happens here one after the other.

use std::num::NonZeroU16;

use domain::{Answer, Refusal, Request, Seq, ShardId, UnixMs};
use engine::State;
use engine::snapshot::{Restore, RestoreError, export};
use engine::twin::Twin;
use journal::{Cursor, Journal, Local, LocalCursor, Options, Preparer};
use shard::{Recovered, Settings, Shard};
use views::{Catalog, Follower, KeyFilter, SnapshotStore, Written};

use crate::disk::SimDisk;

const HASH_SEED: u64 = 0xA5EED;
const KEY_FILTER_BITS_LOG2: u32 = 16;
const FACTS_AT_ONCE: usize = 4_096;

/// What a request comes to.
pub type Outcome = Result<Answer, Refusal>;

/// A request with the place of its errand among those of the step.
pub type Ticket = usize;

/// A process.
pub struct System {
    shard: Shard<Local<SimDisk>, Ticket>,
    catalog: Catalog,
    follower: Follower<LocalCursor<SimDisk>>,
    snapshots: SnapshotStore<SimDisk>,
    preparer: Preparer<SimDisk>,
}

impl System {
    /// Starts a process on what the disk holds.
    ///
    /// # Errors
    /// What the shard said.
    pub fn recover(disk: &SimDisk, options: Options, now: UnixMs) -> anyhow::Result<(System, Recovered)> {
        let settings = Settings { shard: ShardId::FIRST, hash_seed: HASH_SEED, journal: options };
        let catalog = Catalog::new(NonZeroU16::MIN, KeyFilter::new(KEY_FILTER_BITS_LOG2));
        let (shard, recovered) = shard::recover(disk.clone(), settings, catalog.clone(), now, |_| {})?;
        let snapshots = SnapshotStore::new(disk.clone());
        let loaded = snapshots.load(settings.shard, settings.hash_seed)?;
        let follower = match loaded.newest {
            Some(newest) => {
                let cursor = shard.journal().cursor(newest.0.seq.next())?;
                Follower::new(newest, cursor)
            }
            None => Follower::from_start(settings.shard, HASH_SEED, shard.journal().cursor(Seq(1))?),
        };
        let preparer = shard.journal().preparer();
        Ok((System { shard, catalog, follower, snapshots, preparer }, recovered))
    }

    /// One round: decides all requests, makes the facts durable, hands out the outcomes.
    ///
    /// # Errors
    /// When the facts did not become durable. Then there are no outcomes, and the process is of no use any more.
    pub fn step(
        &mut self,
        now: UnixMs,
        requests: Vec<(Ticket, Request)>,
    ) -> anyhow::Result<Vec<(Ticket, Outcome)>> {
        let mut inbox = requests.into_iter();
        let mut outcomes = Vec::new();
        loop {
            self.shard.decide(now, &mut inbox);
            self.shard.commit()?;
            outcomes.extend(self.shard.release());
            if self.shard.waiting_count() == 0 && inbox.len() == 0 {
                return Ok(outcomes);
            }
        }
    }

    /// Makes the next segment if it will be needed soon.
    ///
    /// # Errors
    /// When the disk said no. The process goes on.
    pub fn prepare_segment(&self) -> anyhow::Result<bool> {
        Ok(self.preparer.prepare()?)
    }

    /// Takes a snapshot of all that is durable.
    ///
    /// # Errors
    /// When the disk said no. The process goes on.
    pub fn take_snapshot(&mut self) -> anyhow::Result<Written> {
        while self.follower.poll(FACTS_AT_ONCE)? > 0 {}
        Ok(self.follower.snapshot(&self.snapshots)?)
    }

    /// Drops what snapshots stand for; how many segments.
    ///
    /// # Errors
    /// When the disk said no. The process is of no use any more.
    pub fn truncate_before(&mut self, seq: Seq) -> anyhow::Result<u64> {
        Ok(self.shard.truncate_before(seq)?)
    }

    /// The writer's state, durable between two steps.
    pub fn state(&self) -> &State {
        self.shard.state()
    }

    /// A state of its own, by way of a snapshot.
    ///
    /// # Errors
    /// When what was exported cannot be restored.
    pub fn copy(state: &State) -> Result<State, RestoreError> {
        let mut restore = Restore::new(HASH_SEED);
        export(state).try_for_each(|entry| restore.push(entry))?;
        restore.finish()
    }

    /// What the edges read.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The follower's state, brought up to date.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn followed(&mut self) -> anyhow::Result<&State> {
        while self.follower.poll(FACTS_AT_ONCE)? > 0 {}
        Ok(self.follower.state())
    }

    /// The naive twin, fed with the whole journal; `None` when its beginning was dropped.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn twin(&self) -> anyhow::Result<Option<Twin>> {
        let Ok(mut cursor) = self.shard.journal().cursor(Seq(1)) else { return Ok(None) };
        let mut twin = Twin::new(ShardId::FIRST);
        let mut undecodable = None;
        let mut feed = |record: journal::Record<'_>| match codec::decode(record.kind, record.payload) {
            Ok(fact) => twin.apply(&fact),
            Err(error) => undecodable = Some(error),
        };
        while cursor.read(FACTS_AT_ONCE, &mut feed)? > 0 {}
        match undecodable {
            None => Ok(Some(twin)),
            Some(error) => anyhow::bail!("a fact of the journal cannot be decoded: {error}"),
        }
    }
}
