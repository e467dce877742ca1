//! Whether a run measured the server, or the generator.

use std::fmt;

use serde::Serialize;

use crate::plan::Pace;
use crate::report::Report;

/// From this part of a core on, a thread has no reserve left: it is the bottleneck, or about to be.
pub const CPU_SHARE_MAX: f64 = 0.95;
/// So late may 99 of 100 requests be sent, if their latency is not so long that ...
const LAG_US_MAX: f64 = 1_000.0;
/// ... this part of it is more.
const LAG_PART_MAX: f64 = 0.10;

/// Whether the figures are the server's.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Validity {
    /// They are.
    Valid,
    /// They are not, or not only.
    Invalid {
        /// Why.
        reasons: Vec<Reason>,
    },
}

/// Why figures say nothing about the server.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// Nothing was answered within the measured time.
    NoAnswer,
    /// A thread of the generator had no time to send as it was meant to (open loop).
    Cpu {
        /// Its part of a core.
        cpu_share: f64,
    },
    /// Requests were sent too late by the generator's own fault (open loop).
    Lag {
        /// So late were 99 of 100 at most.
        lag_p99_us: f64,
        /// So late they may be.
        lag_p99_us_max: f64,
    },
    /// Requests found no room in the queue for a connection, or were come to too late, and were not sent (open loop).
    Dropped {
        /// How many, in the whole run.
        count: u64,
    },
    /// This machine had no ports or files left for connections.
    Local {
        /// How many requests failed for that, in the whole run.
        count: u64,
    },
}

impl Validity {
    /// Whether the figures are the server's.
    pub fn is_valid(&self) -> bool {
        *self == Validity::Valid
    }

    /// Judges a report, of which all else is known.
    pub(crate) fn of(report: &Report) -> Validity {
        let mut reasons = Vec::new();
        if report.answered == 0 {
            reasons.push(Reason::NoAnswer);
        }
        if report.plan.pace != Pace::Closed {
            reasons.extend(open_loop_reasons(report));
        }
        let count = report.whole_run.errors.local;
        if count > 0 {
            reasons.push(Reason::Local { count });
        }
        if reasons.is_empty() { Validity::Valid } else { Validity::Invalid { reasons } }
    }
}

fn open_loop_reasons(report: &Report) -> impl Iterator<Item = Reason> {
    let cpu_share = report.generator.cpu_share;
    let cpu = (cpu_share > CPU_SHARE_MAX).then_some(Reason::Cpu { cpu_share });
    let lag_p99_us = report.generator.lag_us.map_or(0.0, |lag| lag.p99);
    let lag_p99_us_max = LAG_US_MAX.max(LAG_PART_MAX * report.latency_us.p99);
    let lag = (lag_p99_us > lag_p99_us_max).then_some(Reason::Lag { lag_p99_us, lag_p99_us_max });
    let count = report.whole_run.dropped;
    let dropped = (count > 0).then_some(Reason::Dropped { count });
    [cpu, lag, dropped].into_iter().flatten()
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::NoAnswer => write!(f, "nothing was answered"),
            Reason::Cpu { cpu_share } => {
                write!(
                    f,
                    "a thread of the generator used {:.0} % of a core: take more threads",
                    cpu_share * 100.0
                )
            }
            Reason::Lag { lag_p99_us, lag_p99_us_max } => {
                let (lag, max) = (lag_p99_us / 1e3, lag_p99_us_max / 1e3);
                write!(f, "the generator itself sent up to {lag:.2} ms late (p99), more than {max:.2} ms")
            }
            Reason::Dropped { count } => {
                write!(
                    f,
                    "{count} requests were not sent: too many waited already, or the generator stood still"
                )
            }
            Reason::Local { count } => {
                write!(f, "{count} requests failed because this machine had no ports or files left")
            }
        }
    }
}

#[cfg(test)]
mod tests;
