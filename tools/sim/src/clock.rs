//! The clock of the simulated machine: it goes on, and now and then it jumps, either way.

use domain::UnixMs;

use crate::dice::Dice;

/// Noon of 2026-12-01, UTC.
const START: UnixMs = UnixMs(UnixMs::EPOCH.0 + 334 * UnixMs::DAY_MS + UnixMs::DAY_MS / 2);

/// What a clock did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Went {
    /// Went on as clocks do.
    On,
    /// Jumped ahead.
    Ahead,
    /// Jumped back.
    Back,
}

/// The clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    now: UnixMs,
    /// The latest instant that it ever showed.
    latest: UnixMs,
}

impl Clock {
    /// A clock that starts at noon.
    pub fn new() -> Clock {
        Clock { now: START, latest: START }
    }

    /// What it shows.
    pub fn now(&self) -> UnixMs {
        self.now
    }

    /// The latest instant that it ever showed.
    pub fn latest(&self) -> UnixMs {
        self.latest
    }

    /// A little time passes, or the clock jumps, so many times in a thousand.
    pub fn advance(&mut self, dice: &mut Dice, jumps_per_mille: u64) -> Went {
        let (went, now_ms) = if dice.per_mille(jumps_per_mille) {
            match dice.below(2) {
                0 => (Went::Ahead, self.now.0 + dice.between(1_000, 60_000)),
                _ => (Went::Back, self.now.0 - dice.between(1, 30_000)),
            }
        } else {
            (Went::On, self.now.0 + dice.below(120))
        };
        self.set(UnixMs(now_ms));
        went
    }

    /// So much time passes behind the latest instant that was ever shown.
    pub fn pass_s(&mut self, seconds: u16) {
        self.set(self.latest.plus_s(seconds));
    }

    fn set(&mut self, now: UnixMs) {
        self.now = now;
        self.latest = self.latest.max(now);
    }
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::new()
    }
}
