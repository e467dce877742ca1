//! One measurement: two servers under load by turns for some seconds.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::cpu::{self, Machine, Programs};
use crate::load::{self, Load, Part, Seen, Side};
use crate::stand::Stand;

/// How often to look whether a server still works after the load.
const SETTLE_STEP: Duration = Duration::from_millis(50);
/// Still for so many steps, it has done all: a follower looks for new facts every 100 ms.
const SETTLE_STEP_COUNT: u32 = 3;
/// When to stop looking.
const SETTLE_MAX: Duration = Duration::from_secs(10);

/// What was measured.
#[derive(Clone, Serialize, Debug)]
pub(crate) struct Sample {
    pub(crate) requests: u64,
    pub(crate) requests_per_second: f64,
    /// User and system, of all the arm's processes, what they did after the last answer included.
    pub(crate) cpu_us_per_request: f64,
    /// The same by threads. Without what threads did that have ended.
    pub(crate) threads_cpu_us_per_request: BTreeMap<String, f64>,
    /// Closed loop: from sending to the answer, and nothing is sent meanwhile.
    pub(crate) latency_us: Latency,
    /// The generator's CPU time as a part of one core.
    pub(crate) generator_load: f64,
    pub(crate) is_generator_the_limit: bool,
    /// CPU time of all other programs, as a part of the whole machine.
    pub(crate) foreign_load: f64,
    /// CPU time that the host gave to other machines, as a part of the whole machine.
    pub(crate) stolen: f64,
}

#[derive(Clone, Copy, Serialize, Debug)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
}

/// What the kernel counted up to an instant.
struct Counts {
    at: Instant,
    arm: Duration,
    threads: BTreeMap<String, Duration>,
    others: Duration,
    machine: Machine,
}

impl Counts {
    fn now(stand: &Stand<'_>) -> anyhow::Result<Counts> {
        let pids = stand.pids();
        let programs = Programs::now()?;
        Ok(Counts {
            at: Instant::now(),
            arm: programs.of_trees(&pids),
            threads: cpu::of_threads(&pids)?,
            // The arm is started by this process, and so is the generator.
            others: programs.of_others(&[std::process::id()]),
            machine: Machine::now()?,
        })
    }
}

impl Sample {
    /// Puts two servers under load by turns, waits until they have done all the work that this left, and counts. With
    /// what the load's side saw of either.
    ///
    /// # Errors
    /// When a server or the generator fails.
    pub(crate) fn of_both(sides: [(&Stand<'_>, &Load, Part<'_>); 2]) -> anyhow::Result<[(Sample, Seen); 2]> {
        let [a, b] = sides.map(|(stand, ..)| stand);
        let pids = [a.pids(), b.pids()].concat();
        // What the warm-up left is the warm-up's.
        settle(&pids)?;
        let before = [Counts::now(a)?, Counts::now(b)?];
        let seen =
            load::by_turns(sides.map(|(stand, load, part)| Side { address: stand.address(), load, part }))?;
        settle(&pids)?;
        let after = [Counts::now(a)?, Counts::now(b)?];
        let [first, second] = seen;
        let sample = |index: usize, seen: &Seen| Sample::between(&before[index], &after[index], seen);
        Ok([(sample(0, &first), first), (sample(1, &second), second)])
    }

    fn between(before: &Counts, after: &Counts, seen: &Seen) -> Sample {
        // No request at all is no division by zero: the checks of the arm find it.
        let requests = seen.completed.max(1) as f64;
        let per_request = |time: Duration| time.as_secs_f64() * 1e6 / requests;
        let machine = after.machine - before.machine;
        let all_cores = (after.at - before.at) * machine.core_count;
        let of_machine = |time: Duration| time.as_secs_f64() / all_cores.as_secs_f64();
        let arm = after.arm.saturating_sub(before.arm);
        let thread = |(name, time): (&String, &Duration)| {
            let earlier = before.threads.get(name).copied().unwrap_or_default();
            (name.clone(), per_request(time.saturating_sub(earlier)))
        };
        Sample {
            requests: seen.completed,
            requests_per_second: seen.requests_per_second,
            cpu_us_per_request: per_request(arm),
            threads_cpu_us_per_request: after.threads.iter().map(thread).collect(),
            latency_us: Latency { p50: seen.p50_us, p99: seen.p99_us, p999: seen.p999_us },
            generator_load: seen.generator_load,
            is_generator_the_limit: seen.is_generator_the_limit,
            foreign_load: of_machine(after.others.saturating_sub(before.others)),
            stolen: of_machine(machine.stolen),
        }
    }

    /// What disturbed it, as a part of the whole machine.
    pub(crate) fn disturbance(&self) -> f64 {
        self.foreign_load + self.stolen
    }
}

/// Waits until the server no longer uses the CPU: work that it put off belongs to the requests that caused it.
pub(crate) fn settle(pids: &[u32]) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut last = Programs::now()?.of_trees(pids);
    let mut still_count = 0;
    while still_count < SETTLE_STEP_COUNT && begun.elapsed() < SETTLE_MAX {
        sleep(SETTLE_STEP);
        let now = Programs::now()?.of_trees(pids);
        still_count = if now == last { still_count + 1 } else { 0 };
        last = now;
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A quiet measurement of so many microseconds per request.
    pub(crate) fn sample(cpu_us_per_request: f64) -> Sample {
        Sample {
            requests: 1_000,
            requests_per_second: 1e6 / cpu_us_per_request,
            cpu_us_per_request,
            threads_cpu_us_per_request: BTreeMap::from([("io".to_owned(), cpu_us_per_request)]),
            latency_us: Latency { p50: 1.0, p99: 2.0, p999: 3.0 },
            generator_load: 0.5,
            is_generator_the_limit: false,
            foreign_load: 0.0,
            stolen: 0.0,
        }
    }

    #[test]
    fn what_others_and_the_host_took_disturbs() {
        let disturbed = Sample { foreign_load: 0.02, stolen: 0.04, ..sample(1.0) };
        assert!((disturbed.disturbance() - 0.06).abs() < 1e-9);
    }
}
