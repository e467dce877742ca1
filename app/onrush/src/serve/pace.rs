//! How the writer's rounds go, told to the gate: two numbers that the writer sets once a round and everybody may read.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gate::Round;

use super::sync::{AtomicU64, Ordering};

/// No round is under way.
const RESTING: u64 = 0;

/// The pace of one writer. A round is one turn of the writer's loop: deciding and writing, and whatever else keeps it from
/// the next batch.
///
/// The two numbers are not read as one: who reads between the two stores takes the last round but one for the last,
/// and nothing worse comes of it.
pub(crate) struct Pace {
    origin: Instant,
    /// When the round under way began, in microseconds since a microsecond before the origin; or [`RESTING`].
    begun_us: AtomicU64,
    /// How long the round before it took; 0 when there was none since the writer slept.
    last_us: AtomicU64,
}

impl Pace {
    /// The pace of a writer that has not begun. Nothing is told of what was before `origin`.
    pub(crate) fn new(origin: Instant) -> Arc<Pace> {
        Arc::new(Pace { origin, begun_us: AtomicU64::new(RESTING), last_us: AtomicU64::new(0) })
    }

    /// A round begins, and the one before it is over. For the writer.
    pub(crate) fn begin(&self, now: Instant) {
        let now_us = self.since_origin_us(now);
        let last_us = match self.begun_us.load(Ordering::Relaxed) {
            RESTING => 0,
            begun_us => now_us.saturating_sub(begun_us),
        };
        self.last_us.store(last_us, Ordering::Relaxed);
        self.begun_us.store(now_us, Ordering::Relaxed);
    }

    /// Nothing is left to do. For the writer, before it sleeps.
    pub(crate) fn rest(&self) {
        self.begun_us.store(RESTING, Ordering::Relaxed);
    }

    /// The round under way, and the one before it.
    pub(crate) fn round(&self, now: Instant) -> Option<Round> {
        match self.begun_us.load(Ordering::Relaxed) {
            RESTING => None,
            begun_us => Some(Round {
                age_us: self.since_origin_us(now).saturating_sub(begun_us),
                last_us: self.last_us.load(Ordering::Relaxed),
            }),
        }
    }

    fn since_origin_us(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.origin) + Duration::from_micros(1);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }
}
