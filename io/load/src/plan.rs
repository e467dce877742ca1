//! What a run does: where to, how fast, over how many connections, for how long.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Serialize, Serializer};

/// Connections of one run: each takes a port, and one address has some 28,000 (`ip_local_port_range`).
pub const CONNECTION_COUNT_MAX: usize = 15_000;
/// Threads of one run.
pub const THREAD_COUNT_MAX: usize = 64;
/// Requests under way on one connection.
pub const PIPELINE_DEPTH_MAX: usize = 64;
/// Arrivals a second in an open loop; the kernel takes far fewer.
pub const RATE_MAX: u32 = 10_000_000;
/// Requests that wait for a connection in an open loop, in all threads together.
pub const QUEUE_LEN_MAX: usize = 1_000_000;
const SPAN_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// What a run does. [`Plan::closed`] and [`Plan::open`] give one with the usual values, to be changed.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Plan {
    /// The server.
    pub target: SocketAddr,
    /// When requests are sent.
    #[serde(flatten)]
    pub pace: Pace,
    /// Connections, at most [`CONNECTION_COUNT_MAX`]; in a closed loop as many buyers.
    pub connection_count: usize,
    /// Whether each request has a connection of its own, whose making is part of its latency.
    pub new_connections: bool,
    /// Requests under way on one connection, at most [`PIPELINE_DEPTH_MAX`].
    pub pipeline_depth: usize,
    /// Threads; connections and rate are shared out among them.
    pub thread_count: usize,
    /// Time at the beginning that is not measured.
    #[serde(rename = "warm_up_s", serialize_with = "as_seconds")]
    pub warm_up: Duration,
    /// Time that is measured.
    #[serde(rename = "duration_s", serialize_with = "as_seconds")]
    pub duration: Duration,
    /// Ends the run after so many requests, those of the warm-up included, if that is earlier.
    pub request_count_max: Option<u64>,
    /// How long an answer may take.
    #[serde(rename = "timeout_s", serialize_with = "as_seconds")]
    pub timeout: Duration,
    /// Requests that may wait for a free connection in an open loop. One more is dropped, and the run is invalid.
    pub queue_len_max: usize,
    /// Whether a thread with nothing to do waits awake, on a core of its own, which it leaves to whoever else wants it. A core
    /// that slept takes some time to wake, in a virtual machine tens of microseconds, and that would be in every latency.
    pub awake: bool,
}

/// When requests are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "pace", rename_all = "snake_case")]
pub enum Pace {
    /// Each connection sends as soon as it was answered.
    Closed,
    /// Requests come at a rate of their own.
    Open {
        /// Arrivals a second.
        rate_per_second: u32,
        /// How they are spread.
        spacing: Spacing,
        /// Decides about random spacing.
        seed: u64,
    },
}

/// How arrivals are spread over time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Spacing {
    /// All gaps are the same.
    Constant,
    /// Each arrival is independent of all others, as with people: a Poisson process.
    Poisson,
}

/// A plan that cannot be carried out.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PlanError {
    /// A number is out of its range.
    #[error("{what} must be from {min} to {max}, not {found}")]
    Range {
        /// Which.
        what: &'static str,
        /// The least.
        min: u64,
        /// The greatest.
        max: u64,
        /// What it is.
        found: u64,
    },
    /// A span is nothing or too long.
    #[error("{what} must be more than nothing and at most a day")]
    Span {
        /// Which.
        what: &'static str,
    },
    /// Threads without a connection.
    #[error("{threads} threads cannot share {connections} connections")]
    Threads {
        /// Threads.
        threads: usize,
        /// Connections.
        connections: usize,
    },
    /// A new connection for each request has one request under way.
    #[error("a new connection for each request cannot have several requests under way")]
    PipelineOnNewConnections,
}

impl Plan {
    /// A closed loop over 64 connections for ten seconds, after one second of warm-up.
    pub fn closed(target: SocketAddr) -> Plan {
        Plan {
            target,
            pace: Pace::Closed,
            connection_count: 64,
            new_connections: false,
            pipeline_depth: 1,
            thread_count: 1,
            warm_up: Duration::from_secs(1),
            duration: Duration::from_secs(10),
            request_count_max: None,
            timeout: Duration::from_secs(10),
            queue_len_max: 100_000,
            awake: false,
        }
    }

    /// The same with so many arrivals a second, like a crowd's.
    pub fn open(target: SocketAddr, rate_per_second: u32) -> Plan {
        let pace = Pace::Open { rate_per_second, spacing: Spacing::Poisson, seed: 1 };
        Plan { pace, ..Plan::closed(target) }
    }

    /// Whether it can be carried out.
    ///
    /// # Errors
    /// What is wrong with it first.
    pub fn check(&self) -> Result<(), PlanError> {
        let Plan { connection_count: connections, thread_count: threads, .. } = *self;
        in_range("the number of connections", connections, CONNECTION_COUNT_MAX)?;
        in_range("the number of threads", threads, THREAD_COUNT_MAX)?;
        in_range("the pipeline's depth", self.pipeline_depth, PIPELINE_DEPTH_MAX)?;
        in_range("the queue's length", self.queue_len_max, QUEUE_LEN_MAX)?;
        if let Pace::Open { rate_per_second, .. } = self.pace {
            in_range("the rate per second", as_size(rate_per_second), as_size(RATE_MAX))?;
        }
        for (what, span) in [("the duration", self.duration), ("the timeout", self.timeout)] {
            if span.is_zero() || span > SPAN_MAX {
                return Err(PlanError::Span { what });
            }
        }
        if self.warm_up > SPAN_MAX {
            return Err(PlanError::Span { what: "the warm-up" });
        }
        if threads > connections {
            return Err(PlanError::Threads { threads, connections });
        }
        if self.new_connections && self.pipeline_depth > 1 {
            return Err(PlanError::PipelineOnNewConnections);
        }
        Ok(())
    }
}

fn in_range(what: &'static str, found: usize, max: usize) -> Result<(), PlanError> {
    if (1..=max).contains(&found) {
        return Ok(());
    }
    Err(PlanError::Range { what, min: 1, max: max as u64, found: found as u64 })
}

fn as_size(number: u32) -> usize {
    usize::try_from(number).expect("a machine of 32 bits at least")
}

fn as_seconds<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(span.as_secs_f64())
}

#[cfg(test)]
mod tests;
