//! From the data folder to shards at work.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use anyhow::Context;
use domain::ShardId;
use journal::{Journal, Local, Options, OsDisk, Verdict};
use shard::{Recovered, Settings, Shard, recover};
use tokio::sync::mpsc;
use views::Catalog;

use super::bulk::{Bulks, Way};
use super::bustle::Bustle;
use super::follower::{Due, Follow, FollowerThread};
use super::inbox::Inbox;
use super::metrics::Families;
use super::outbox::Outbox;
use super::pace::Pace;
use super::room::Room;
use super::scrub::scrub;
use super::writer::Writer;
use super::{Failure, ShardThreads, clock};
use crate::config::Config;
use crate::installation::Installation;

/// What every shard is started with.
pub(super) struct Common<'a> {
    pub(super) config: &'a Config,
    pub(super) installation: &'a Installation,
    pub(super) catalog: &'a Catalog,
    pub(super) outboxes: &'a Arc<[Arc<Outbox>]>,
    pub(super) families: &'a Families,
    pub(super) failures: &'a mpsc::UnboundedSender<Failure>,
    pub(super) bustle: &'a Arc<Bustle>,
    pub(super) room: &'a Room,
}

/// Recovers a shard and starts its threads.
pub(super) fn start_shard(shard: ShardId, common: &Common<'_>) -> anyhow::Result<ShardThreads> {
    let dir = common.installation.shard_dir(shard);
    let disk = OsDisk::open_or_create(&dir).with_context(|| format!("cannot use {}", dir.display()))?;
    let options = Options {
        segment_size_bytes: common.config.journal.segment_size_bytes,
        block_size_bytes_max: common.config.journal.block_size_bytes_max,
    };
    let hash_seed =
        getrandom::u64().map_err(|error| anyhow::anyhow!("the system gives no random bytes: {error}"))?;
    let settings = Settings { shard, hash_seed, journal: options };
    let (recovered, report) =
        recover(disk.clone(), settings, common.catalog.clone(), clock::now(), |fact_count| {
            tracing::info!(shard = shard.get(), fact_count, "reading the journal");
        })
        .with_context(|| cannot_recover(shard, &dir, common.installation.dir()))?;
    log_recovery(shard, &report);
    if let Some(before) = report.journal.unread_before {
        let (disk, metrics) = (disk.clone(), common.families.scrub(shard));
        // Nobody waits for it: it writes nothing, and the process may end under it.
        drop(spawn(format!("scrub-{}", shard.get()), common.failures.clone(), move || {
            scrub(shard, &disk, before, &metrics);
            Ok(())
        })?);
    }
    start_threads(recovered, (shard, hash_seed, disk), &report, common)
}

fn start_threads(
    recovered: Shard<Local<OsDisk>, Way>,
    (shard, hash_seed, disk): (ShardId, u64, OsDisk),
    report: &Recovered,
    common: &Common<'_>,
) -> anyhow::Result<ShardThreads> {
    let inbox = Inbox::new(common.config.inbox_len_max, Arc::clone(common.bustle));
    let pace = Pace::new(Instant::now());
    let (follow, jobs) = Follow::new(recovered.state().seq());
    let cursor = recovered.journal().cursor(report.snapshot.unwrap_or_default().next())?;
    let preparer = recovered.journal().preparer();
    let follower = FollowerThread {
        shard,
        hash_seed,
        disk,
        snapshot: report.snapshot,
        cursor,
        preparer,
        follow: Arc::clone(&follow),
        jobs,
        due: Due {
            every_facts: common.config.snapshot.every_facts,
            every_bytes: common.config.snapshot.every_journal_bytes,
        },
        metrics: common.families.follower(shard),
    };
    let writer = Writer {
        shard: recovered,
        inbox: Arc::clone(&inbox),
        pace: Arc::clone(&pace),
        bulks: Bulks::default(),
        outboxes: Arc::clone(common.outboxes),
        metrics: common.families.writer(shard),
        follow: Arc::clone(&follow),
        room: common.room.clone(),
    };
    let number = shard.get();
    let (closing, resting) = (Arc::clone(&inbox), Arc::clone(&pace));
    let writer = spawn(format!("writer-{number}"), common.failures.clone(), move || {
        let ended = catch_unwind(AssertUnwindSafe(|| writer.run()));
        // Whoever still waits is told at once that nobody will answer.
        closing.close();
        resting.rest();
        closing.drain().for_each(drop);
        std::iter::from_fn(|| closing.pop_bulk()).for_each(drop);
        match ended {
            Ok(result) => result.map_err(|error| anyhow::anyhow!("{error}")),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })?;
    let follower = spawn(format!("follower-{number}"), common.failures.clone(), move || follower.run())?;
    Ok(ShardThreads { inbox, pace, follow, writer, follower })
}

fn cannot_recover(shard: ShardId, dir: &Path, data: &Path) -> String {
    let (shard, dir, data) = (shard.get(), dir.display(), data.display());
    format!(
        "shard {shard} in {dir} cannot be recovered; `onrush journal repair {data}` shows what can be done"
    )
}

/// Starts a thread whose failure, or panic, is reported.
fn spawn(
    name: String,
    failures: mpsc::UnboundedSender<Failure>,
    run: impl FnOnce() -> anyhow::Result<()> + Send + 'static,
) -> anyhow::Result<JoinHandle<()>> {
    let thread = name.clone();
    let run = move || {
        let reason = match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(())) => return,
            Ok(Err(error)) => format!("{error:#}"),
            Err(_panic) => "a bug: see the panic above".to_owned(),
        };
        // Nobody listens any more when the server stops already.
        let _ = failures.send(Failure { thread, reason });
    };
    thread::Builder::new()
        .name(name.clone())
        .spawn(run)
        .with_context(|| format!("cannot start the thread {name}"))
}

fn log_recovery(shard: ShardId, report: &Recovered) {
    let shard = shard.get();
    for damaged in &report.snapshots_damaged {
        tracing::error!(shard, %damaged, "a snapshot is damaged; an older one or the journal was used");
    }
    if let Verdict::TornTail(tail) = &report.journal.verdict {
        tracing::warn!(
            shard,
            ?tail,
            "the last write was torn by a crash; it was never confirmed, and is cut"
        );
    }
    let snapshot_seq = report.snapshot.unwrap_or_default().0;
    let (tail_fact_count, term) = (report.tail_fact_count, report.term.0);
    tracing::info!(shard, snapshot_seq, tail_fact_count, term, "shard is ready");
}
