//! The one place where this process reads the clock for the engine.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::UnixMs;

/// The time now. A clock before 1970 counts as 1970, and is refused at start.
pub fn now() -> UnixMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMs(u64::try_from(since.as_millis()).expect("2^64 milliseconds are 584 million years"))
}
