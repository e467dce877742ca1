//! The figures of all cycles. Nothing lost, oversold or doubled is counted here: the first would have ended the run.

use std::fmt::{self, Display, Formatter};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// What a ledger comes to.
pub(crate) struct Tally {
    pub(crate) attempts: usize,
    pub(crate) orders: usize,
    /// Orders that were acknowledged before a kill.
    pub(crate) acknowledged: usize,
    /// Requests that a kill left without an answer.
    pub(crate) unanswered: usize,
}

pub(crate) struct Figures {
    begun: Instant,
    cycle_count: u64,
    sum: Tally,
    /// From spawn to ready, in microseconds.
    restarts: Histogram<u64>,
}

impl Figures {
    pub(crate) fn new(cycle_count: u64) -> Figures {
        let sum = Tally { attempts: 0, orders: 0, acknowledged: 0, unanswered: 0 };
        let restarts = Histogram::new_with_max(60_000_000, 3).expect("three digits are possible");
        Figures { begun: Instant::now(), cycle_count, sum, restarts }
    }

    /// A server was killed and is ready again.
    pub(crate) fn restarted(&mut self, took: Duration) {
        self.restarts.saturating_record(u64::try_from(took.as_micros()).expect("it is short"));
        eprint!("\rcycle {} of {}, {:.0?} ", self.restarts.len(), self.cycle_count, self.begun.elapsed());
    }

    /// A life has ended, and all of it was as it was told.
    pub(crate) fn lived(&mut self, tally: Tally) {
        self.sum.attempts += tally.attempts;
        self.sum.orders += tally.orders;
        self.sum.acknowledged += tally.acknowledged;
        self.sum.unanswered += tally.unanswered;
    }
}

impl Display for Figures {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Tally { attempts, orders, acknowledged, unanswered } = self.sum;
        let restart = |quantile| Duration::from_micros(self.restarts.value_at_quantile(quantile));
        writeln!(f, "\n{} kills in {:.0?}", self.restarts.len(), self.begun.elapsed())?;
        writeln!(f, "orders acknowledged before a kill: {acknowledged}; lost 0, oversold 0, doubled 0")?;
        writeln!(f, "requests unanswered: {unanswered}; attempts {attempts}, orders in all {orders}")?;
        write!(
            f,
            "restart to ready: p50 {:.0?}, p99 {:.0?}, most {:.0?}",
            restart(0.5),
            restart(0.99),
            Duration::from_micros(self.restarts.max())
        )
    }
}
