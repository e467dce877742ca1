//! What one thread counts while it runs. Numbers only; [`crate::report`] makes sense of them.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use crate::clock;
use crate::plan::Plan;
use crate::report::Errors;

/// Three digits, from 100 ns to a day: 0.1 % of any value.
const DIGITS: u8 = 3;
const NS_MIN: u64 = 100;
const NS_MAX: u64 = 24 * 3_600 * 1_000_000_000;
const STATUS_COUNT: usize = 1_000;

/// The time that is measured, in nanoseconds since the run began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) start_ns: u64,
    pub(crate) end_ns: u64,
}

impl Window {
    pub(crate) fn contains(self, at_ns: u64) -> bool {
        (self.start_ns..self.end_ns).contains(&at_ns)
    }
}

/// Why a request has no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    Connect,
    Reset,
    Timeout,
    Malformed,
    Local,
}

/// Counts of requests by their outcome.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    pub(crate) sent: u64,
    statuses: Vec<u64>,
    pub(crate) errors: Errors,
    pub(crate) dropped: u64,
}

/// Everything that one thread counts.
pub(crate) struct Tally {
    pub(crate) window: Window,
    /// Requests that were meant to be sent within the window, whenever they were answered.
    pub(crate) measured: Counts,
    /// All requests.
    pub(crate) whole_run: Counts,
    /// Of measured requests with an answer, from the intended send time.
    pub(crate) latency_ns: Histogram<u64>,
    /// How late measured requests were dealt with, if they had a time.
    pub(crate) lag_ns: Histogram<u64>,
    /// Answers that came within the window, and the last of them.
    pub(crate) answered_in_window: u64,
    pub(crate) answered_last_ns: u64,
    /// Whether the run ended because no more requests may be sent.
    pub(crate) is_used_up: bool,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
    pub(crate) queued: u64,
    pub(crate) queue_len_peak: usize,
    pub(crate) cpu: CpuWatch,
}

/// The thread's CPU time within the window.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct CpuWatch {
    /// Time of day and CPU time, when the window began and when it ended.
    begun: Option<(u64, u64)>,
    ended: Option<(u64, u64)>,
    /// In which it was awake for nothing.
    waited_ns: u64,
}

impl Tally {
    /// Of nothing yet.
    pub(crate) fn new(plan: &Plan) -> Tally {
        let start_ns = clock::nanos(plan.warm_up);
        Tally::within(Window { start_ns, end_ns: start_ns + clock::nanos(plan.duration) })
    }

    fn within(window: Window) -> Tally {
        let histogram = || Histogram::new_with_bounds(NS_MIN, NS_MAX, DIGITS).expect("the bounds are legal");
        Tally {
            window,
            measured: Counts::new(),
            whole_run: Counts::new(),
            latency_ns: histogram(),
            lag_ns: histogram(),
            answered_in_window: 0,
            answered_last_ns: 0,
            is_used_up: false,
            bytes_sent: 0,
            bytes_received: 0,
            queued: 0,
            queue_len_peak: 0,
            cpu: CpuWatch::default(),
        }
    }

    /// Counts in what concerns a request of that time.
    fn count(&mut self, intended_ns: u64, mut change: impl FnMut(&mut Counts)) {
        change(&mut self.whole_run);
        if self.window.contains(intended_ns) {
            change(&mut self.measured);
        }
    }

    pub(crate) fn sent(&mut self, intended_ns: u64) {
        self.count(intended_ns, |counts| counts.sent += 1);
    }

    pub(crate) fn dropped(&mut self, intended_ns: u64) {
        self.count(intended_ns, |counts| counts.dropped += 1);
    }

    pub(crate) fn failed(&mut self, intended_ns: u64, fault: Fault) {
        self.count(intended_ns, |counts| *counts.errors.of(fault) += 1);
    }

    pub(crate) fn answered(&mut self, intended_ns: u64, status: u16, now_ns: u64) {
        self.count(intended_ns, |counts| counts.statuses[usize::from(status)] += 1);
        if self.window.contains(intended_ns) {
            self.latency_ns.saturating_record(now_ns - intended_ns);
        }
        if self.window.contains(now_ns) {
            self.answered_in_window += 1;
            self.answered_last_ns = now_ns;
        }
    }

    /// A request's time has come, and the thread got to it only now.
    pub(crate) fn late(&mut self, intended_ns: u64, now_ns: u64) {
        if self.window.contains(intended_ns) {
            self.lag_ns.saturating_record(now_ns - intended_ns);
        }
    }

    /// The thread was awake, and had nothing to do.
    pub(crate) fn waited(&mut self, from_ns: u64, until_ns: u64) {
        if self.window.contains(from_ns) {
            self.cpu.waited_ns += until_ns - from_ns;
        }
    }

    /// Adds what another thread counted.
    pub(crate) fn add(&mut self, other: &Tally) {
        self.measured.add(&other.measured);
        self.whole_run.add(&other.whole_run);
        for (own, others) in [(&mut self.latency_ns, &other.latency_ns), (&mut self.lag_ns, &other.lag_ns)] {
            own.add(others).expect("all have the same bounds");
        }
        self.answered_in_window += other.answered_in_window;
        self.answered_last_ns = self.answered_last_ns.max(other.answered_last_ns);
        self.is_used_up &= other.is_used_up;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
        self.queued += other.queued;
        self.queue_len_peak += other.queue_len_peak;
    }
}

impl Counts {
    fn new() -> Counts {
        Counts { sent: 0, statuses: vec![0; STATUS_COUNT], errors: Errors::default(), dropped: 0 }
    }

    fn add(&mut self, other: &Counts) {
        self.sent += other.sent;
        self.dropped += other.dropped;
        self.errors.add(&other.errors);
        for (own, others) in self.statuses.iter_mut().zip(&other.statuses) {
            *own += others;
        }
    }

    pub(crate) fn statuses(&self) -> BTreeMap<u16, u64> {
        (0..)
            .zip(&self.statuses)
            .filter(|(_, count)| **count > 0)
            .map(|(status, count)| (status, *count))
            .collect()
    }

    pub(crate) fn answered(&self) -> u64 {
        self.statuses.iter().sum()
    }
}

impl CpuWatch {
    /// Looks at the clock of the calling thread when the window begins and when it ends.
    pub(crate) fn look(&mut self, window: Window, now_ns: u64) {
        if self.begun.is_none() && now_ns >= window.start_ns {
            self.begun = Some((now_ns, clock::thread_cpu_ns()));
        }
        if self.ended.is_none() && now_ns >= window.end_ns {
            self.end(now_ns);
        }
    }

    /// The run is over, if the window is not yet.
    pub(crate) fn end(&mut self, now_ns: u64) {
        self.ended = self.ended.or_else(|| Some((now_ns, clock::thread_cpu_ns())));
    }

    /// CPU time within the window that was used for something, and how long the window was.
    pub(crate) fn used_ns(self) -> (u64, u64) {
        match (self.begun, self.ended) {
            (Some((from, cpu_from)), Some((to, cpu_to))) => {
                let span_ns = to - from;
                (span_ns.saturating_sub(self.waited_ns).min(cpu_to - cpu_from), span_ns)
            }
            _ => (0, 0),
        }
    }
}

#[cfg(test)]
mod tests;
