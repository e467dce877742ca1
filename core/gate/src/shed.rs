//! Shedding by inbox depth: what is cheapest to give up goes first, and nobody waits for an answer that
//! would come too late.
//!
//! A fuller inbox admits fewer kinds of work: questions stop at half, new orders at seven eighths, and what
//! belongs to something already promised (a payment, a cancellation, an organiser's order) goes in until the
//! inbox is full. So a crowd that is turned away cannot keep the payments of those inside from arriving.

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
    /// The share of the inbox, in eighths, up to which this work is let in.
    fn share_eighths(self) -> u64 {
        match self {
            Work::Question => 4,
            Work::Order => 7,
            Work::Promise => 8,
        }
    }
}

/// Not now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused {
    /// When to ask again, in seconds: from 1 to [`RETRY_AFTER_S_MAX`].
    pub retry_after_s: u16,
}

/// The longest wait that is asked of anybody, in seconds. Longer promises are guesses.
pub const RETRY_AFTER_S_MAX: u16 = 30;

/// The rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shedder {
    /// How many requests an inbox holds.
    pub inbox_len_max: u32,
    /// How many requests a second a writer is taken to decide, for telling how long to stay away.
    pub drained_per_s: u32,
}

impl Shedder {
    /// Lets a piece of work in, or says when to come again.
    ///
    /// # Errors
    /// When the inbox is too full for this kind of work.
    pub fn admit(&self, work: Work, inbox_len: u32) -> Result<Permit, Refused> {
        self.admit_many(work, inbox_len, 1)
    }

    /// The same for so many pieces of work that come together: all of them or none.
    ///
    /// # Errors
    /// When the inbox has not enough room for all of them.
    pub fn admit_many(&self, work: Work, inbox_len: u32, count: u32) -> Result<Permit, Refused> {
        if u64::from(inbox_len) + u64::from(count) <= self.room(work) {
            return Ok(Permit(()));
        }
        let before_the_last = inbox_len.saturating_add(count.saturating_sub(1));
        let drained_in_s = before_the_last.div_ceil(self.drained_per_s.max(1));
        let retry_after_s = u16::try_from(drained_in_s).unwrap_or(RETRY_AFTER_S_MAX);
        Err(Refused { retry_after_s: retry_after_s.clamp(1, RETRY_AFTER_S_MAX) })
    }

    /// How many pieces of such work an empty inbox takes: more can never come together.
    pub fn room(&self, work: Work) -> u64 {
        u64::from(self.inbox_len_max) * work.share_eighths() / 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHEDDER: Shedder = Shedder { inbox_len_max: 800, drained_per_s: 100 };

    fn admitted(work: Work, inbox_len: u32) -> bool {
        SHEDDER.admit(work, inbox_len).is_ok()
    }

    #[test]
    fn questions_go_first_then_orders_then_promises() {
        for (work, len_max) in [(Work::Question, 400), (Work::Order, 700), (Work::Promise, 800)] {
            assert!(admitted(work, 0), "{work:?}");
            assert!(admitted(work, len_max - 1), "{work:?}");
            assert!(!admitted(work, len_max), "{work:?}");
            assert!(!admitted(work, u32::MAX), "{work:?}");
        }
    }

    #[test]
    fn many_come_in_together_or_not_at_all() {
        let admitted = |inbox_len, count| SHEDDER.admit_many(Work::Order, inbox_len, count).is_ok();
        assert_eq!(SHEDDER.room(Work::Order), 700);
        assert!(admitted(0, 700) && admitted(500, 200) && admitted(699, 1));
        assert!(!admitted(0, 701) && !admitted(500, 201) && !admitted(u32::MAX, u32::MAX));
        let wait =
            |inbox_len, count| SHEDDER.admit_many(Work::Order, inbox_len, count).unwrap_err().retry_after_s;
        assert_eq!((wait(0, 701), wait(500, 501)), (7, 10), "until the last of them could be decided");
    }

    #[test]
    fn an_inbox_of_length_zero_admits_nothing() {
        let shedder = Shedder { inbox_len_max: 0, drained_per_s: 0 };
        let refused = shedder.admit(Work::Promise, 0).unwrap_err();
        assert_eq!(refused.retry_after_s, 1);
    }

    #[test]
    fn the_wait_is_the_time_to_drain_and_bounded() {
        let wait = |inbox_len| SHEDDER.admit(Work::Promise, inbox_len).unwrap_err().retry_after_s;
        assert_eq!(wait(800), 8);
        assert_eq!(wait(801), 9);
        assert_eq!(wait(u32::MAX), RETRY_AFTER_S_MAX);
    }
}
