//! The follower's thread: an engine behind the writer that takes snapshots, counts the invariants again,
//! answers listings, and prepares the journal's next segment. The writer never waits for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use anyhow::Context;
use domain::{Seq, ShardId};
use engine::KeyTwice;
use engine::invariants::{self, Broken};
use journal::{Disk, LocalCursor, Preparer};
use tokio::sync::oneshot;
use views::{Follower, OrdersPage, OrdersQuery, SnapshotStore, Written, orders};

use super::background::aside;
use super::metrics::FollowerMetrics;
use super::seq_cell::SeqCell;

/// Facts applied between two looks at the listings that wait.
const PIECE_FACT_COUNT: usize = 10_000;
/// How long the follower sleeps when nobody asks it for a listing: reading rarely, and much at once, is cheap.
const IDLE_MAX: Duration = Duration::from_millis(100);
const JOB_COUNT_MAX: usize = 256;

/// What a shard's writer, its follower and the edges share.
pub(crate) struct Follow {
    durable: SeqCell,
    droppable: SeqCell,
    jobs: SyncSender<Job>,
    thread: OnceLock<Thread>,
    stopping: AtomicBool,
}

/// A listing that somebody waits for.
pub(crate) struct Job {
    query: OrdersQuery,
    /// What the asker may have seen answered already.
    pub(super) seq_min: Seq,
    reply: oneshot::Sender<OrdersPage>,
}

impl Follow {
    pub(crate) fn new(seq: Seq) -> (Arc<Follow>, Receiver<Job>) {
        let (jobs, waiting) = sync_channel(JOB_COUNT_MAX);
        let follow = Follow {
            durable: SeqCell::default(),
            droppable: SeqCell::default(),
            jobs,
            thread: OnceLock::new(),
            stopping: AtomicBool::new(false),
        };
        follow.durable.set(seq);
        (Arc::new(follow), waiting)
    }

    /// The writer's word that everything up to `seq` is durable.
    pub(crate) fn durable(&self, seq: Seq) {
        self.durable.set(seq);
    }

    /// Before which position the journal may be dropped, once.
    pub(crate) fn take_droppable(&self) -> Option<Seq> {
        self.droppable.take()
    }

    /// Asks for a page that shows at least what is durable now. `None` when too many wait.
    pub(crate) fn list(&self, query: OrdersQuery) -> Option<oneshot::Receiver<OrdersPage>> {
        let (reply, page) = oneshot::channel();
        match self.jobs.try_send(Job { query, seq_min: self.durable.get(), reply }) {
            Ok(()) => {
                self.wake();
                Some(page)
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => None,
        }
    }

    /// Has the follower catch up, take a last snapshot, and end.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

/// What a follower works with.
pub(crate) struct FollowerThread<D: Disk> {
    pub(crate) shard: ShardId,
    pub(crate) hash_seed: u64,
    pub(crate) disk: D,
    /// The snapshot that recovery took; `None`: it began with the journal.
    pub(crate) snapshot: Option<Seq>,
    /// Stands right behind it.
    pub(crate) cursor: LocalCursor<D>,
    pub(crate) preparer: Preparer<D>,
    pub(crate) follow: Arc<Follow>,
    pub(crate) jobs: Receiver<Job>,
    pub(crate) due: Due,
    pub(crate) metrics: FollowerMetrics,
}

/// When a snapshot is due: how much of the journal a start would have to read behind the one before.
#[derive(Clone, Copy)]
pub(crate) struct Due {
    pub(crate) every_facts: u64,
    /// Of the journal; or twice the last snapshot, if that is more: then at most a third of what is written is snapshots.
    pub(crate) every_bytes: u64,
}

impl Due {
    /// A snapshot has the whole state: one after every so many facts would cost each order the more, the more orders there are. So
    /// the journal has to have grown by as much as the last one takes.
    fn is_due(self, facts: u64, size_bytes: u64, snapshot_size_bytes: u64) -> bool {
        let is_by_facts = facts >= self.every_facts && size_bytes >= snapshot_size_bytes;
        is_by_facts || size_bytes >= self.every_bytes.max(2 * snapshot_size_bytes)
    }
}

/// The last snapshot.
struct Taken {
    seq: Seq,
    /// Where the cursor stood, in bytes that it had passed.
    passed_size_bytes: u64,
    /// Of the file.
    size_bytes: u64,
}

impl<D: Disk> FollowerThread<D> {
    /// Runs until it is told to stop.
    ///
    /// # Errors
    /// When the journal cannot be followed, or an invariant is broken: the sale must stop.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        self.follow.thread.get_or_init(thread::current);
        let FollowerThread { cursor, shard, hash_seed, follow, jobs, preparer, metrics, .. } = self;
        let mut follower = match self.snapshot {
            // The very one that recovery took a moment ago is read once more, for a state of one's own: a newer one that could
            // not be read then may be readable now, and the cursor does not stand behind it.
            Some(seq) => {
                let loaded = SnapshotStore::new(self.disk.clone()).load_at(shard, seq, hash_seed);
                Follower::new(
                    loaded.context("the snapshot that the start took cannot be read again")?,
                    cursor,
                )
            }
            None => Follower::from_start(shard, hash_seed, cursor),
        };
        let mut taken = Taken { seq: follower.position().seq, passed_size_bytes: 0, size_bytes: 0 };
        let mut waiting = None;
        loop {
            let stopping = follow.stopping.load(Ordering::Acquire);
            let count = follower.poll(PIECE_FACT_COUNT)?;
            let seq = follower.position().seq;
            metrics.lag(follow.durable.get().0.saturating_sub(seq.0));
            answer_jobs(&jobs, &mut waiting, &mut follower)?;
            if let Err(error) = preparer.prepare() {
                tracing::warn!(%error, "the journal's next segment cannot be prepared; the disk may be full");
            }
            let passed_size_bytes = follower.cursor().passed_size_bytes();
            let (facts, journal) = (seq.0 - taken.seq.0, passed_size_bytes - taken.passed_size_bytes);
            let is_due = self.due.is_due(facts, journal, taken.size_bytes);
            let is_last = stopping && count == 0;
            if (is_due || is_last) && seq > taken.seq {
                let disk = self.disk.clone();
                let written = aside(|| take_snapshot(&mut follower, disk, (&follow, &metrics)))?;
                let size_bytes = written.map_or(taken.size_bytes, |written| written.size_bytes);
                taken = Taken { seq, passed_size_bytes, size_bytes };
            }
            if is_last {
                return Ok(());
            }
            if count == 0 {
                thread::park_timeout(IDLE_MAX);
            }
        }
    }
}

/// Answers the listings whose position is reached; keeps the first one that is ahead.
fn answer_jobs<D: Disk>(
    jobs: &Receiver<Job>,
    waiting: &mut Option<Job>,
    follower: &mut Follower<LocalCursor<D>>,
) -> Result<(), KeyTwice> {
    loop {
        let job = match waiting.take().map_or_else(|| jobs.try_recv(), Ok) {
            Ok(job) => job,
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => return Ok(()),
        };
        if job.seq_min > follower.position().seq {
            *waiting = Some(job);
            return Ok(());
        }
        // Whoever asked may have gone.
        let _ = job.reply.send(orders(follower.state()?, &job.query));
    }
}

/// Checks a state and takes its snapshot; `None` when it could not be taken, which is no reason to stop.
fn take_snapshot<D: Disk>(
    follower: &mut Follower<LocalCursor<D>>,
    disk: D,
    (follow, metrics): (&Follow, &FollowerMetrics),
) -> anyhow::Result<Option<Written>> {
    let position = follower.position();
    let state = follower.state().inspect_err(|_| metrics.checked(false))?;
    let checked = invariants::check(state);
    metrics.checked(checked.is_ok());
    if let Err(broken @ Broken { id, .. }) = checked {
        tracing::error!(invariant = id, %broken, "an invariant is broken; the server stops");
        anyhow::bail!("{broken}");
    }
    let begun = Instant::now();
    match SnapshotStore::new(disk).write(position, state) {
        Ok(written) => {
            metrics.snapshot(position.seq, written.size_bytes);
            if let Some(before) = written.droppable_before {
                follow.droppable.set(before);
            }
            let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            let (seq, size_bytes) = (position.seq.0, written.size_bytes);
            tracing::info!(seq, size_bytes, took_ms, "took a snapshot");
            Ok(Some(written))
        }
        // The journal has everything: a snapshot that failed costs time at the next start, no more.
        Err(error) => {
            tracing::warn!(%error, "a snapshot could not be taken");
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Snapshots of a sale in which every order takes 64 bytes of the journal and 71 of a snapshot.
    fn snapshots_at(order_count: u64) -> Vec<u64> {
        let due = Due { every_facts: 1_000_000, every_bytes: 1 << 30 };
        let mut taken = vec![0];
        for orders in (0..=order_count).step_by(10_000) {
            let facts = orders - taken[taken.len() - 1];
            if due.is_due(facts, 64 * facts, 71 * taken[taken.len() - 1]) {
                taken.push(orders);
            }
        }
        taken.split_off(1)
    }

    #[test]
    fn snapshots_come_more_seldom_as_they_grow() {
        let taken = snapshots_at(50_000_000);
        assert_eq!(taken[0], 1_000_000);
        let written: u64 = taken.iter().sum();
        assert!(written < 2 * taken[taken.len() - 1], "an order is in two snapshots, in the mean: {taken:?}");
        let ratio = |pair: &[u64]| pair[1] as f64 / pair[0] as f64;
        assert!(taken.windows(2).all(|pair| ratio(pair) < 3.0), "a start has a tail to read: {taken:?}");
    }

    #[test]
    fn small_batches_are_counted_by_what_they_take() {
        let due = Due { every_facts: 1_000_000, every_bytes: 1 << 20 };
        assert!(!due.is_due(1_000, (1 << 20) - 1, 0) && due.is_due(1_000, 1 << 20, 0));
        assert!(!due.is_due(1_000, 1 << 20, 1 << 20) && due.is_due(1_000, 2 << 20, 1 << 20));
    }
}
