//! The scrub: checks behind a start the segments that the start did not read, since a snapshot stands for them.
//! Nothing that is served depends on them; but an older snapshot might some day, and people who verify the journal do.

use std::time::Instant;

use domain::{Seq, ShardId};
use journal::{Disk, scan_before};

use super::background::give_way;
use super::metrics::ScrubMetrics;

/// Checks the segments before the one that begins with `before`, and says what came of it.
pub(super) fn scrub<D: Disk>(shard: ShardId, disk: &D, before: Seq, metrics: &ScrubMetrics) {
    give_way();
    let begun = Instant::now();
    let shard = shard.get();
    match scan_before(disk, before) {
        Ok(Ok(segment_count)) => {
            metrics.sound();
            let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::info!(shard, segment_count, took_ms, "older segments of the journal are sound");
        }
        Ok(Err(damage)) => {
            metrics.damaged();
            tracing::error!(
                shard,
                %damage,
                "an old segment of the journal is damaged; newer snapshots stand for it, but save a copy of the data now"
            );
        }
        Err(error) => tracing::warn!(shard, %error, "older segments of the journal cannot be checked"),
    }
}
