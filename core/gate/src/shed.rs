//! Shedding by inbox depth and by expected wait: what is cheapest to give up goes first, and nobody waits for an answer
//! that would come too late.
//!
//! A fuller inbox admits fewer kinds of work, and so does a longer wait: questions stop at half of the bound, new orders at
//! seven eighths, and what belongs to something already promised (a payment, a cancellation, an organiser's order) goes in
//! until the bound. So a crowd that is turned away cannot keep the payments of those inside from arriving.
//!
//! Depth alone bounds memory, and the wait only as long as the disk is well. A disk that stalls fills no inbox before
//! everybody in it has waited too long, so the wait is reckoned too, from what the writer says about its rounds: see
//! [`Round`].

/// Proof that the gate let this piece of work in. Only [`Shedder::admit`] makes one, and submitting uses it
/// up: work that was not checked cannot be submitted.
#[derive(Debug)]
#[must_use]
pub struct Permit(());

/// Kinds of work, the first to be given up first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Work {
    /// Showing an order: asking again costs the asker nothing.
    Question,
    /// A new order.
    Order,
    /// A step of something already promised: pay, extend, cancel, refund, and what the organiser wants.
    Promise,
}

impl Work {
    /// The share of a bound, in eighths, up to which this work is let in.
    fn share_eighths(self) -> u64 {
        match self {
            Work::Question => 4,
            Work::Order => 7,
            Work::Promise => 8,
        }
    }

    fn share_of(self, bound: u64) -> u64 {
        // A bound near 2⁶⁴ is no bound, and its share need not be exact.
        bound.saturating_mul(self.share_eighths()) / 8
    }
}

/// How hard a writer is pressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pressure {
    /// How many requests wait for it.
    pub inbox_len: u32,
    /// Its round; `None`: it sleeps, and takes up at once what comes.
    pub round: Option<Round>,
}

/// How a writer's rounds go. In each it takes what waits, up to a bound, decides it and writes it.
///
/// How long they take is the only measure: requests decided in a second would say how many came, not how many could have
/// been decided, since a write costs the same for one request and for thousands. An old figure cannot keep anybody out:
/// without a round under way none is looked at, and a round under way replaces it when it ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Round {
    /// How long ago the round under way began, in microseconds.
    pub age_us: u64,
    /// How long the round before it took, in microseconds; 0 when there was none since the writer slept.
    pub last_us: u64,
}

impl Round {
    /// When the round under way will be over: as the last one was. When it is overdue, it is taken to be overdue for as
    /// long again as it is by now, which is what a wait without any other knowledge tells (J. R. Gott, "Implications of
    /// the Copernican principle for our future prospects", 1993).
    fn left_us(self) -> u64 {
        self.age_us.abs_diff(self.last_us)
    }
}

/// Not now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused {
    /// What there is too much of.
    pub reason: Reason,
    /// When to ask again, in seconds: from 1 to [`RETRY_AFTER_S_MAX`].
    pub retry_after_s: u16,
}

/// Why work is turned away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// Too many requests wait.
    Depth,
    /// The answer would come too late.
    Latency,
}

/// The longest wait that is asked of anybody, in seconds. Longer promises are guesses.
pub const RETRY_AFTER_S_MAX: u16 = 30;

/// The rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shedder {
    /// How many requests an inbox holds.
    pub inbox_len_max: u32,
    /// How many of them a writer takes in one round.
    pub round_len_max: u32,
    /// How long a request may have to wait for its answer, in microseconds.
    pub wait_us_max: u64,
}

impl Shedder {
    /// Lets a piece of work in, or says when to come again.
    ///
    /// # Errors
    /// When the inbox is too full for this kind of work, or the wait too long.
    pub fn admit(&self, work: Work, pressure: Pressure) -> Result<Permit, Refused> {
        self.admit_many(work, pressure, 1)
    }

    /// The same for so many pieces of work that come together: all of them or none.
    ///
    /// # Errors
    /// When the inbox has not enough room for all of them, or the wait of the last would be too long.
    pub fn admit_many(&self, work: Work, pressure: Pressure, count: u32) -> Result<Permit, Refused> {
        let len = u64::from(pressure.inbox_len) + u64::from(count);
        let wait_us = self.wait_us(pressure.round, len);
        let reason = if len > self.room(work) {
            Reason::Depth
        } else if wait_us > work.share_of(self.wait_us_max) {
            Reason::Latency
        } else {
            return Ok(Permit(()));
        };
        let wait_s = u16::try_from(wait_us.div_ceil(1_000_000)).unwrap_or(RETRY_AFTER_S_MAX);
        Err(Refused { reason, retry_after_s: wait_s.clamp(1, RETRY_AFTER_S_MAX) })
    }

    /// How many pieces of such work an empty inbox takes: more can never come together.
    pub fn room(&self, work: Work) -> u64 {
        work.share_of(self.inbox_len_max.into())
    }

    /// How long it takes until the last of so many requests is answered: the rest of the round under way, and the
    /// rounds that they fill.
    fn wait_us(&self, round: Option<Round>, len: u64) -> u64 {
        let Some(round) = round else { return 0 };
        let round_count = len.div_ceil(self.round_len_max.max(1).into());
        round.left_us().saturating_add(round.last_us.saturating_mul(round_count))
    }
}

#[cfg(test)]
mod tests;
