//! Time comes into the core as a value; nothing here reads a clock.

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct UnixMs(pub u64);

impl UnixMs {
    /// 2026-01-01T00:00:00Z, where order numbers begin. A clock before it is refused at start.
    pub const EPOCH: UnixMs = UnixMs(1_767_225_600_000);

    /// Milliseconds in a day, which begins at midnight UTC.
    pub const DAY_MS: u64 = 86_400_000;

    /// The point `seconds` later.
    #[must_use]
    pub fn plus_s(self, seconds: u16) -> UnixMs {
        UnixMs(self.0 + u64::from(seconds) * 1_000)
    }

    /// Number of the day in UTC, for limits per day. 16 bits last until the year 2149.
    pub fn day(self) -> u16 {
        u16::try_from(self.0 / Self::DAY_MS).unwrap_or(u16::MAX)
    }
}
