//! The system under test: one process with its shards, their upkeep included, driven step by step.
//!
//! Nothing of it is simulated but the disks and the clock. What the binary does on several threads (the writers, the
//! followers that take snapshots, the makers of segments) happens here one after the other.

use std::num::NonZeroU16;

use domain::{Answer, Cause, Fact, Refusal, Request, SaleStatus, Seq, ShardId, UnixMs};
use engine::State;
use engine::snapshot::{Restore, RestoreError, export};
use engine::twin::Twin;
use journal::{Cursor, Journal, Local, LocalCursor, Options, Preparer};
use shard::{Recovered, Settings, Shard};
use views::{Catalog, Follower, SnapshotStore, Written};

use crate::disk::SimDisk;
use crate::machine::Machine;

const HASH_SEED: u64 = 0xA5EED;
const KEY_FILTER_BITS_LOG2: u32 = 16;
const FACTS_AT_ONCE: usize = 4_096;

/// What a request comes to.
pub type Outcome = Result<Answer, Refusal>;

/// A request with the place of its errand among those of the step.
pub type Ticket = usize;

/// A process.
pub struct System {
    catalog: Catalog,
    shards: Vec<Member>,
}

/// A shard with what stands around it.
pub struct Member {
    shard: Shard<Local<SimDisk>, Ticket>,
    id: ShardId,
    follower: Follower<LocalCursor<SimDisk>>,
    snapshots: SnapshotStore<SimDisk>,
    preparer: Preparer<SimDisk>,
    /// Where the clock moved sales since this was asked last.
    clock_moves: Vec<SaleStatus>,
}

impl System {
    /// Starts a process on what the disks hold, one of them for each shard.
    ///
    /// # Errors
    /// What the first shard said that did not come up.
    pub fn recover(
        machine: &Machine,
        options: Options,
        now: UnixMs,
    ) -> anyhow::Result<(System, Vec<Recovered>)> {
        let count = u16::try_from(machine.disks().len()).ok().and_then(NonZeroU16::new);
        let count = count.expect("a machine has few disks, and one at least");
        let catalog = Catalog::new(count, KEY_FILTER_BITS_LOG2);
        let (mut shards, mut found) = (Vec::new(), Vec::new());
        for (number, disk) in (0..).zip(machine.disks()) {
            let id = ShardId::new(number).expect("few shards");
            let settings = Settings { shard: id, hash_seed: HASH_SEED, journal: options };
            let (member, recovered) = Member::recover(disk, settings, &catalog, now)?;
            shards.push(member);
            found.push(recovered);
        }
        Ok((System { catalog, shards }, found))
    }

    /// What the edges read.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Its shards, by number.
    pub fn shards(&self) -> &[Member] {
        &self.shards
    }

    /// A shard.
    pub fn shard(&self, shard: ShardId) -> &Member {
        &self.shards[usize::from(shard.get())]
    }

    /// A shard, to work with it.
    pub fn shard_mut(&mut self, index: usize) -> &mut Member {
        &mut self.shards[index]
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
}

impl Member {
    fn recover(
        disk: &SimDisk,
        settings: Settings,
        catalog: &Catalog,
        now: UnixMs,
    ) -> anyhow::Result<(Member, Recovered)> {
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
        let id = settings.shard;
        Ok((Member { shard, id, follower, snapshots, preparer, clock_moves: Vec::new() }, recovered))
    }

    /// Its number.
    pub fn id(&self) -> ShardId {
        self.id
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
            self.clock_moves.extend(self.shard.facts().iter().filter_map(|fact| match fact {
                Fact::SaleMoved { to, cause: Cause::Clock, .. } => Some(*to),
                _ => None,
            }));
            outcomes.extend(self.shard.release());
            if self.shard.waiting_count() == 0 && inbox.len() == 0 {
                return Ok(outcomes);
            }
        }
    }

    /// Where the clock moved sales since this was asked last.
    pub fn take_clock_moves(&mut self) -> Vec<SaleStatus> {
        std::mem::take(&mut self.clock_moves)
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

    /// The follower's state, brought up to date.
    ///
    /// # Errors
    /// When the journal cannot be read, or brought two orders of one key.
    pub fn followed(&mut self) -> anyhow::Result<&State> {
        while self.follower.poll(FACTS_AT_ONCE)? > 0 {}
        Ok(self.follower.state()?)
    }

    /// The naive twin, fed with the whole journal; `None` when its beginning was dropped.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn twin(&self) -> anyhow::Result<Option<Twin>> {
        let Ok(mut cursor) = self.shard.journal().cursor(Seq(1)) else { return Ok(None) };
        let mut twin = Twin::new(self.id);
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
