//! What writers and followers count, once per batch.

use std::time::Duration;

use domain::{Seq, ShardId};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Seconds, from ten microseconds to a second.
const STAGE_BUCKETS: [f64; 14] =
    [1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.2, 1.0];
/// Facts in a batch.
const BATCH_BUCKETS: [f64; 14] =
    [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0];

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ShardLabel {
    shard: u16,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct StageLabels {
    shard: u16,
    stage: &'static str,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// The families; a writer or follower takes the handles of its shard from them.
pub(crate) struct Families {
    facts: Family<ShardLabel, Counter>,
    bytes: Family<ShardLabel, Counter>,
    batch: Histograms<ShardLabel>,
    stages: Histograms<StageLabels>,
    inbox: Family<ShardLabel, Gauge>,
    lag: Family<ShardLabel, Gauge>,
    snapshot_seq: Family<ShardLabel, Gauge>,
    snapshot_bytes: Family<ShardLabel, Gauge>,
    checks: Family<ShardLabel, Counter>,
    broken: Family<ShardLabel, Gauge>,
    damaged: Family<ShardLabel, Gauge>,
}

impl Families {
    pub(crate) fn new(registry: &mut Registry) -> Families {
        let families = Families {
            facts: Family::default(),
            bytes: Family::default(),
            batch: Family::new_with_constructor(|| Histogram::new(BATCH_BUCKETS)),
            stages: Family::new_with_constructor(|| Histogram::new(STAGE_BUCKETS)),
            inbox: Family::default(),
            lag: Family::default(),
            snapshot_seq: Family::default(),
            snapshot_bytes: Family::default(),
            checks: Family::default(),
            broken: Family::default(),
            damaged: Family::default(),
        };
        registry.register("journal_facts", "Facts made durable", families.facts.clone());
        registry.register(
            "journal_record_bytes",
            "Bytes of the records made durable",
            families.bytes.clone(),
        );
        registry.register("journal_batch_facts", "Facts made durable by one write", families.batch.clone());
        let stages = "Stages of a batch: wait (of its first request in the inbox), decide, commit";
        registry.register("batch_stage_duration_seconds", stages, families.stages.clone());
        registry.register("inbox_requests", "Requests that wait for the writer", families.inbox.clone());
        registry.register(
            "follower_lag_facts",
            "Durable facts the follower has not read",
            families.lag.clone(),
        );
        registry.register("snapshot_seq", "Position of the newest snapshot", families.snapshot_seq.clone());
        registry.register("snapshot_bytes", "Size of the newest snapshot", families.snapshot_bytes.clone());
        registry.register(
            "invariant_checks",
            "Times that all invariants were counted again",
            families.checks.clone(),
        );
        registry.register(
            "invariants_broken",
            "1 when an invariant is broken: stop selling",
            families.broken.clone(),
        );
        registry.register(
            "journal_damaged",
            "1 when the scrub found an old segment damaged: save a copy of the data",
            families.damaged.clone(),
        );
        families
    }

    pub(crate) fn writer(&self, shard: ShardId) -> WriterMetrics {
        let shard = shard.get();
        let label = ShardLabel { shard };
        let stage = |stage| self.stages.get_or_create_owned(&StageLabels { shard, stage });
        WriterMetrics {
            facts: self.facts.get_or_create_owned(&label),
            bytes: self.bytes.get_or_create_owned(&label),
            batch: self.batch.get_or_create_owned(&label),
            wait: stage("wait"),
            decide: stage("decide"),
            commit: stage("commit"),
            inbox: self.inbox.get_or_create_owned(&label),
        }
    }

    pub(crate) fn scrub(&self, shard: ShardId) -> ScrubMetrics {
        ScrubMetrics { damaged: self.damaged.get_or_create_owned(&ShardLabel { shard: shard.get() }) }
    }

    pub(crate) fn follower(&self, shard: ShardId) -> FollowerMetrics {
        let label = ShardLabel { shard: shard.get() };
        FollowerMetrics {
            lag: self.lag.get_or_create_owned(&label),
            snapshot_seq: self.snapshot_seq.get_or_create_owned(&label),
            snapshot_bytes: self.snapshot_bytes.get_or_create_owned(&label),
            checks: self.checks.get_or_create_owned(&label),
            broken: self.broken.get_or_create_owned(&label),
        }
    }
}

/// What one writer counts.
pub(crate) struct WriterMetrics {
    facts: Counter,
    bytes: Counter,
    batch: Histogram,
    wait: Histogram,
    decide: Histogram,
    commit: Histogram,
    inbox: Gauge,
}

impl WriterMetrics {
    pub(crate) fn batch(&self, fact_count: usize, size_bytes: usize) {
        self.facts.inc_by(fact_count as u64);
        self.bytes.inc_by(size_bytes as u64);
        #[expect(clippy::cast_precision_loss, reason = "a histogram takes floats, and a batch is small")]
        self.batch.observe(fact_count as f64);
    }

    pub(crate) fn waited(&self, took: Duration) {
        self.wait.observe(took.as_secs_f64());
    }

    pub(crate) fn decided(&self, took: Duration) {
        self.decide.observe(took.as_secs_f64());
    }

    pub(crate) fn committed(&self, took: Duration) {
        self.commit.observe(took.as_secs_f64());
    }

    pub(crate) fn inbox_len(&self, len: usize) {
        self.inbox.set(i64::try_from(len).unwrap_or(i64::MAX));
    }
}

/// What one follower counts.
pub(crate) struct FollowerMetrics {
    lag: Gauge,
    snapshot_seq: Gauge,
    snapshot_bytes: Gauge,
    checks: Counter,
    broken: Gauge,
}

impl FollowerMetrics {
    pub(crate) fn lag(&self, fact_count: u64) {
        self.lag.set(i64::try_from(fact_count).unwrap_or(i64::MAX));
    }

    pub(crate) fn checked(&self, all_hold: bool) {
        self.checks.inc();
        self.broken.set(i64::from(!all_hold));
    }

    pub(crate) fn snapshot(&self, seq: Seq, size_bytes: u64) {
        self.snapshot_seq.set(i64::try_from(seq.0).unwrap_or(i64::MAX));
        self.snapshot_bytes.set(i64::try_from(size_bytes).unwrap_or(i64::MAX));
    }
}

/// What the scrub says.
pub(crate) struct ScrubMetrics {
    damaged: Gauge,
}

impl ScrubMetrics {
    pub(crate) fn sound(&self) {
        self.damaged.set(0);
    }

    pub(crate) fn damaged(&self) {
        self.damaged.set(1);
    }
}
