//! Time: how much of it has passed, and what the machine's clock makes of it. The clock goes on, and now and then it
//! jumps, by up to an hour, either way; now and then somebody sets it right.

use domain::UnixMs;

use crate::dice::Dice;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
/// Time between two steps, at most.
const STEP_MS_MAX: u64 = 120;

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

/// Time and the clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: UnixMs,
    /// What really passed. Networks and people's patience go by it.
    elapsed_ms: u64,
    /// What the clock shows.
    now: UnixMs,
    /// The latest instant that it ever showed.
    latest: UnixMs,
}

impl Clock {
    /// A clock that starts right.
    pub fn new(start: UnixMs) -> Clock {
        Clock { start, elapsed_ms: 0, now: start, latest: start }
    }

    /// What it shows.
    pub fn now(&self) -> UnixMs {
        self.now
    }

    /// The latest instant that it ever showed.
    pub fn latest(&self) -> UnixMs {
        self.latest
    }

    /// How much time has really passed.
    pub fn elapsed_ms(&self) -> u64 {
        self.elapsed_ms
    }

    /// A little time passes; so many times in a thousand the clock jumps besides.
    pub fn advance(&mut self, dice: &mut Dice, jumps_per_mille: u64) -> Went {
        self.spend_ms(dice.below(STEP_MS_MAX));
        if !dice.per_mille(jumps_per_mille) {
            return Went::On;
        }
        let far = if dice.below(2) == 0 { MINUTE_MS } else { HOUR_MS };
        let before = self.now;
        self.show(match dice.below(5) {
            0 | 1 => UnixMs(self.now.0 + dice.between(1_000, far)),
            2 | 3 => UnixMs(self.now.0 - dice.between(1, far)),
            _ => UnixMs(self.start.0 + self.elapsed_ms),
        });
        if self.now < before { Went::Back } else { Went::Ahead }
    }

    /// So much time passes.
    pub fn spend_ms(&mut self, ms: u64) {
        self.elapsed_ms += ms;
        self.show(UnixMs(self.now.0 + ms));
    }

    /// So much time passes, and the clock goes on behind the latest instant that it ever showed.
    pub fn pass_s(&mut self, seconds: u16) {
        self.elapsed_ms += u64::from(seconds) * 1_000;
        self.show(self.latest.plus_s(seconds));
    }

    fn show(&mut self, now: UnixMs) {
        self.now = now;
        self.latest = self.latest.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_jumps_up_to_an_hour_while_time_goes_on() {
        let (mut clock, mut dice) = (Clock::new(UnixMs(1 << 41)), Dice::new(1));
        let (mut ahead, mut back) = (0, 0);
        for _ in 0..1_000 {
            let (now, elapsed_ms) = (clock.now().0, clock.elapsed_ms());
            let went = clock.advance(&mut dice, 1_000);
            assert!(clock.elapsed_ms() - elapsed_ms < STEP_MS_MAX);
            match went {
                Went::On => panic!("it jumps every time"),
                Went::Ahead => ahead = ahead.max(clock.now().0 - now),
                Went::Back => back = back.max(now - clock.now().0),
            }
        }
        assert!(ahead > HOUR_MS * 9 / 10 && back > HOUR_MS * 9 / 10, "{ahead} ms ahead, {back} ms back");
    }
}
