//! What came of a run.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::plan::{Pace, Plan};
use crate::tally::{Counts, CpuWatch, Fault, Tally};
use crate::validity::{CPU_SHARE_MAX, Validity};

/// What came of a run. The fields are kept from version to version; new ones may come.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Report {
    /// What was to be done.
    pub plan: Plan,
    /// Whether the figures are the server's.
    pub validity: Validity,
    /// How long was measured; less than planned if the run ended after its last request.
    pub measured_s: f64,
    /// Requests that were meant to be sent within the measured time. The next four are about them, whenever
    /// they came to their end.
    pub sent: u64,
    /// With a whole answer.
    pub answered: u64,
    /// Answers by their status.
    pub statuses: BTreeMap<u16, u64>,
    /// Without an answer, by reason.
    pub errors: Errors,
    /// From the intended send time to the last byte of the answer.
    pub latency_us: Latency,
    /// Answers that came within the measured time, by that time.
    pub requests_per_second: f64,
    /// Requests that had to wait for a free connection (open loop), in the whole run.
    pub queued: u64,
    /// So many waited at once, at most; the sum over the threads.
    pub queue_len_peak: usize,
    /// Bytes of requests, in the whole run.
    pub bytes_sent: u64,
    /// Bytes of answers, in the whole run.
    pub bytes_received: u64,
    /// What the generator did to the figures.
    pub generator: Generator,
    /// All requests, those of the warm-up included: what a server's own counts can be compared with.
    pub whole_run: Totals,
}

/// Counts of requests.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Totals {
    /// Sent, or meant to be when the connection failed.
    pub sent: u64,
    /// With a whole answer.
    pub answered: u64,
    /// Answers by their status.
    pub statuses: BTreeMap<u16, u64>,
    /// Without an answer: the server may have done what they asked for.
    pub errors: Errors,
    /// Not sent, because too many waited for a connection already, or the generator stood still (open loop).
    pub dropped: u64,
}

/// Requests without an answer, by reason.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct Errors {
    /// The connection could not be made.
    pub connect: u64,
    /// It ended before the answer.
    pub reset: u64,
    /// The answer took too long.
    pub timeout: u64,
    /// The answer was none that could be understood.
    pub malformed: u64,
    /// This machine had no ports or files left.
    pub local: u64,
}

/// Latencies in microseconds, exact to 0.1 %; all 0 if nothing was answered.
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize)]
pub struct Latency {
    /// The least.
    pub min: f64,
    /// The mean.
    pub mean: f64,
    /// Half of all were not longer.
    pub p50: f64,
    /// 90 of 100.
    pub p90: f64,
    /// 99 of 100.
    pub p99: f64,
    /// 999 of 1,000.
    pub p999: f64,
    /// The longest.
    pub max: f64,
}

/// What the generator did to the figures.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Generator {
    /// The part of a core that its busiest thread used in the measured time; waiting awake is not in it.
    pub cpu_share: f64,
    /// CPU time of all its threads in the measured time.
    pub cpu_s: f64,
    /// How late requests were dealt with by the generator's own fault; waiting for a connection is not in it.
    /// `None` in a closed loop, which has no schedule.
    pub lag_us: Option<Lag>,
    /// Whether a closed loop was as fast as the generator, and not as the server: its rate is a lower bound then.
    pub is_limit: bool,
}

/// Delays in microseconds.
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize)]
pub struct Lag {
    /// Half of all were not longer.
    pub p50: f64,
    /// 99 of 100.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

impl Report {
    /// Makes sense of what the threads counted.
    ///
    /// # Panics
    /// Without a thread.
    pub(crate) fn new(plan: &Plan, tallies: Vec<Tally>) -> Report {
        let used: Vec<(u64, u64)> = tallies.iter().map(|tally| CpuWatch::used_ns(tally.cpu)).collect();
        let all = tallies.into_iter().reduce(|mut all, tally| {
            all.add(&tally);
            all
        });
        let all = all.expect("a run has a thread");
        let measured_s = seconds(measured_ns(&all));
        let cpu_share = used.iter().map(|(cpu, span)| ratio(*cpu as f64, *span as f64)).fold(0.0, f64::max);
        let is_closed = plan.pace == Pace::Closed;
        let mut report = Report {
            plan: plan.clone(),
            validity: Validity::Valid,
            measured_s,
            sent: all.measured.sent,
            answered: all.measured.answered(),
            statuses: all.measured.statuses(),
            errors: all.measured.errors,
            latency_us: Latency::of(&all.latency_ns),
            requests_per_second: ratio(all.answered_in_window as f64, measured_s),
            queued: all.queued,
            queue_len_peak: all.queue_len_peak,
            bytes_sent: all.bytes_sent,
            bytes_received: all.bytes_received,
            generator: Generator {
                cpu_share,
                cpu_s: used.iter().map(|(cpu, _)| seconds(*cpu)).sum(),
                lag_us: (!is_closed).then(|| Lag::of(&all.lag_ns)),
                is_limit: is_closed && cpu_share > CPU_SHARE_MAX,
            },
            whole_run: Totals::of(&all.whole_run),
        };
        report.validity = Validity::of(&report);
        report
    }
}

/// The window; or up to the last answer, if the run had nothing more to send after that.
fn measured_ns(all: &Tally) -> u64 {
    let window = all.window;
    let end_ns = if all.is_used_up { all.answered_last_ns } else { window.end_ns };
    end_ns.saturating_sub(window.start_ns)
}

impl Totals {
    fn of(counts: &Counts) -> Totals {
        let Counts { sent, errors, dropped, .. } = *counts;
        Totals { sent, answered: counts.answered(), statuses: counts.statuses(), errors, dropped }
    }
}

impl Errors {
    /// All of them.
    pub fn sum(&self) -> u64 {
        self.connect + self.reset + self.timeout + self.malformed + self.local
    }

    /// Each reason with its count.
    pub fn by_name(&self) -> [(&'static str, u64); 5] {
        let Errors { connect, reset, timeout, malformed, local } = *self;
        [
            ("connect", connect),
            ("reset", reset),
            ("timeout", timeout),
            ("malformed", malformed),
            ("local", local),
        ]
    }

    pub(crate) fn of(&mut self, fault: Fault) -> &mut u64 {
        match fault {
            Fault::Connect => &mut self.connect,
            Fault::Reset => &mut self.reset,
            Fault::Timeout => &mut self.timeout,
            Fault::Malformed => &mut self.malformed,
            Fault::Local => &mut self.local,
        }
    }

    pub(crate) fn add(&mut self, other: &Errors) {
        for fault in [Fault::Connect, Fault::Reset, Fault::Timeout, Fault::Malformed, Fault::Local] {
            let mut other = *other;
            *self.of(fault) += *other.of(fault);
        }
    }
}

impl Latency {
    fn of(histogram: &Histogram<u64>) -> Latency {
        if histogram.is_empty() {
            return Latency::default();
        }
        let at = |quantile| micros(histogram.value_at_quantile(quantile));
        Latency {
            min: micros(histogram.min()),
            mean: histogram.mean() / 1e3,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: micros(histogram.max()),
        }
    }
}

impl Lag {
    fn of(histogram: &Histogram<u64>) -> Lag {
        let at = |quantile| micros(histogram.value_at_quantile(quantile));
        Lag { p50: at(0.5), p99: at(0.99), max: micros(histogram.max()) }
    }
}

fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1e3
}

fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
