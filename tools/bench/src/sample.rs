//! One measurement: a server under load for some seconds.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::cpu::{self, Machine};
use crate::load::{Load, Part, Seen};
use crate::server::Server;

/// How often to look whether a server still works after the load.
const SETTLE_STEP: Duration = Duration::from_millis(50);
/// When to stop looking.
const SETTLE_MAX: Duration = Duration::from_secs(10);
/// From this part of a core on, the generator is the limit and requests/s say nothing about the server.
const GENERATOR_LIMIT: f64 = 0.95;

/// What was measured.
#[derive(Clone, Serialize, Debug)]
pub(crate) struct Sample {
    pub(crate) requests: u64,
    pub(crate) requests_per_second: f64,
    /// User and system, of all threads of the server, what it did after the last answer included.
    pub(crate) cpu_us_per_request: f64,
    /// The same by threads. Without what threads did that have ended.
    pub(crate) threads_cpu_us_per_request: BTreeMap<String, f64>,
    /// Closed loop: from sending to the answer, and nothing is sent meanwhile.
    pub(crate) latency_us: Latency,
    /// The generator's CPU time as a part of one core.
    pub(crate) generator_load: f64,
    pub(crate) is_generator_the_limit: bool,
    /// CPU time of everybody else, as a part of the whole machine.
    pub(crate) foreign_load: f64,
    /// CPU time that the host gave to other machines, as a part of the whole machine.
    pub(crate) stolen: f64,
}

#[derive(Clone, Copy, Serialize, Debug)]
pub(crate) struct Latency {
    p50: u64,
    p99: u64,
    p999: u64,
}

/// What the kernel counted up to an instant.
struct Counts {
    at: Instant,
    server: Duration,
    threads: BTreeMap<String, Duration>,
    own: Duration,
    machine: Machine,
}

impl Counts {
    fn now(server: &Server) -> anyhow::Result<Counts> {
        Ok(Counts {
            at: Instant::now(),
            server: cpu::of_process(server.pid())?,
            threads: cpu::of_threads(server.pid())?,
            own: cpu::of_process(std::process::id())?,
            machine: Machine::now()?,
        })
    }
}

impl Sample {
    /// Puts a server under load, waits until it has done all the work that this left, and counts. With what the
    /// load's side saw.
    ///
    /// # Errors
    /// When the server or the generator fails.
    pub(crate) fn take(server: &Server, load: &Load, part: Part<'_>) -> anyhow::Result<(Sample, Seen)> {
        let before = Counts::now(server)?;
        let seen = load.run(server.address, part)?;
        settle(server)?;
        let after = Counts::now(server)?;
        Ok((Sample::between(&before, &after, &seen), seen))
    }

    fn between(before: &Counts, after: &Counts, seen: &Seen) -> Sample {
        // No request at all is no division by zero: the checks of the arm find it.
        let requests = seen.completed.max(1) as f64;
        let per_request = |time: Duration| time.as_secs_f64() * 1e6 / requests;
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        let of_machine = |time: Duration| time.as_secs_f64() / ((after.at - before.at).as_secs_f64() * cores);
        let (server, own) = (after.server - before.server, after.own - before.own);
        let machine = after.machine - before.machine;
        let thread = |(name, time): (&String, &Duration)| {
            let earlier = before.threads.get(name).copied().unwrap_or_default();
            (name.clone(), per_request(time.saturating_sub(earlier)))
        };
        let generator_load = seen.cpu.as_secs_f64() / seen.duration().as_secs_f64();
        Sample {
            requests: seen.completed,
            requests_per_second: seen.completed as f64 / seen.duration().as_secs_f64(),
            cpu_us_per_request: per_request(server),
            threads_cpu_us_per_request: after.threads.iter().map(thread).collect(),
            latency_us: Latency { p50: seen.p50_us, p99: seen.p99_us, p999: seen.p999_us },
            generator_load,
            is_generator_the_limit: generator_load > GENERATOR_LIMIT,
            foreign_load: of_machine(machine.busy.saturating_sub(server + own + seen.cpu)),
            stolen: of_machine(machine.stolen),
        }
    }

    /// What disturbed it, as a part of the whole machine.
    pub(crate) fn disturbance(&self) -> f64 {
        self.foreign_load + self.stolen
    }
}

/// Waits until the server no longer uses the CPU: work that it put off belongs to the requests that caused it.
fn settle(server: &Server) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut last = cpu::of_process(server.pid())?;
    while begun.elapsed() < SETTLE_MAX {
        sleep(SETTLE_STEP);
        let now = cpu::of_process(server.pid())?;
        if now == last {
            return Ok(());
        }
        last = now;
    }
    Ok(())
}
