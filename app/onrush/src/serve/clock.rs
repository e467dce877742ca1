//! The one place where this process reads the clock for the engine.

use std::cell::Cell;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use domain::UnixMs;

/// For so long the time of day is reckoned from the last look at it: so late a clock that was set is noticed.
const RECKONED_MAX: Duration = Duration::from_millis(10);

thread_local! {
    /// The last look at the time of day by [`now_at`], since 1970, and when that was.
    static LOOK: Cell<Option<(Instant, Duration)>> = const { Cell::new(None) };
}

/// The time now. A clock before 1970 counts as 1970, and is refused at start.
pub fn now() -> UnixMs {
    millis(since_1970())
}

/// The time at an instant of just now, without a look at the clock for each of many requests.
pub fn now_at(instant: Instant) -> UnixMs {
    let reckoned = LOOK.get().and_then(|(at, since)| {
        let passed = instant.checked_duration_since(at)?;
        (passed < RECKONED_MAX).then(|| since + passed)
    });
    millis(reckoned.unwrap_or_else(|| {
        let since = since_1970();
        LOOK.set(Some((instant, since)));
        since
    }))
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn millis(since: Duration) -> UnixMs {
    UnixMs(u64::try_from(since.as_millis()).expect("2^64 milliseconds are 584 million years"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reckoned_time_goes_on_from_the_last_look_and_is_looked_at_again_in_time() {
        let start = Instant::now();
        let first = now_at(start);
        assert_eq!(now_at(start + Duration::from_millis(7)).0, first.0 + 7);
        // Beyond the span the clock itself is asked, which has gone on by next to nothing.
        assert!(now_at(start + Duration::from_secs(3_600)).0 < first.0 + 3_600_000);
        // An instant before the last look is none to reckon from.
        assert!(now_at(start) >= first);
    }
}
