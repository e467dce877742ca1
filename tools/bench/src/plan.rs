//! What a run measures, and which figures come of it. The most important first: whoever breaks it off has those.

use crate::arm::Arm;
use crate::rush::CONNECTIONS;
use crate::series::{Comparison, Idle};
use crate::targets;

/// One thing to measure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Job {
    /// Two arms side by side: the figures `ID.cpu`, `ID.cost` and `ID.rate`.
    Compare(Comparison),
    /// Instructions and allocations under callgrind.
    Instructions,
    /// System calls under strace.
    Calls,
    /// What the journal writes at saturation.
    Journal,
    /// A lone order beside a hello and a raw durable write.
    Light,
    /// What a start after a crash replays.
    Restart,
    /// Latency at an open arrival rate, and ten times the clients: the figures `half-load.*` and `overload.*`.
    Rush,
    /// How soon latency is back after an overload: `overload.recovery`.
    Recovery,
    /// Latency beside thousands of clients that send byte by byte.
    Slow,
    /// An order when millions have bought already.
    Crowd,
    /// Orders in batches.
    Batch,
}

/// So many leave no core without work, whatever a round of the writer takes.
pub(crate) const CONNECTIONS_OF_SATURATION: u32 = 2_048;
const NO_IDLE: Idle = Idle { arm: 0, beside: 0 };

const fn compare(id: &'static str, arm: Arm, beside: Arm) -> Job {
    Job::Compare(Comparison { id, arm, beside, connections: CONNECTIONS, idle: NO_IDLE })
}

/// Everything, in the order in which it is measured.
const JOBS: [Job; 23] = [
    compare("order-hello", Arm::Order, Arm::Hello),
    compare("order-nginx", Arm::Order, Arm::Nginx),
    compare("one-item-1000-items", Arm::Order, Arm::Order1000Items),
    compare("sold-out-hello", Arm::SoldOut, Arm::Hello),
    compare("refused-hello", Arm::Refused, Arm::Hello),
    Job::Compare(Comparison {
        id: "order-order-in-memory",
        arm: Arm::Order,
        beside: Arm::OrderInMemory,
        connections: CONNECTIONS_OF_SATURATION,
        idle: NO_IDLE,
    }),
    Job::Instructions,
    Job::Calls,
    Job::Journal,
    compare("order-redis-always", Arm::Order, Arm::RedisAlways),
    compare("order-redis-everysec", Arm::Order, Arm::RedisEverysec),
    compare("order-postgres", Arm::Order, Arm::Postgres),
    compare("order-mariadb", Arm::Order, Arm::Mariadb),
    Job::Light,
    Job::Rush,
    Job::Recovery,
    Job::Slow,
    compare("10000-items-one-item", Arm::Order10000Items, Arm::Order),
    Job::Compare(Comparison {
        id: "idle",
        arm: Arm::Order,
        beside: Arm::Order,
        connections: CONNECTIONS,
        idle: Idle { arm: 15_000, beside: 100 },
    }),
    Job::Restart,
    Job::Batch,
    Job::Crowd,
    compare("order-axum", Arm::Order, Arm::Axum),
];

/// What is measured only when it is named: whether a change pays.
const BEFORE: Job = compare("order-order-before", Arm::Order, Arm::OrderBefore);

/// The work of a server's evening: what a build with a profile learns from. No peer that has to be installed is in it.
pub(crate) const TRAINING: [&str; 8] = [
    "order-hello",
    "one-item-1000-items",
    "sold-out-hello",
    "refused-hello",
    "half-load",
    "restart",
    "batch",
    "order-axum",
];

impl Job {
    /// Whether a quick run does without it: what takes long and compares no arms.
    fn takes_long(self) -> bool {
        matches!(self, Job::Slow | Job::Recovery | Job::Crowd)
    }

    /// What figures begin with that come of it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Job::Compare(comparison) => comparison.id,
            Job::Instructions => "instructions",
            Job::Calls => "calls",
            Job::Journal => "journal",
            Job::Light => "light",
            Job::Restart => "restart",
            Job::Rush => "half-load",
            Job::Recovery => "recovery",
            Job::Slow => "slow",
            Job::Crowd => "crowd",
            Job::Batch => "batch",
        }
    }
}

/// The jobs that are needed for those targets or figures; when none is named, all of them, or all that a quick run has.
///
/// # Errors
/// The name that means nothing.
pub(crate) fn jobs(only: &[String], is_quick: bool) -> Result<Vec<Job>, String> {
    if only.is_empty() {
        return Ok(JOBS.into_iter().filter(|job| !(is_quick && job.takes_long())).collect());
    }
    let mut wanted = Vec::new();
    for name in only {
        let found: Vec<Job> = match targets::figures_of(name) {
            Some(figures) => figures.filter_map(job_of).collect(),
            None => job_of(name).into_iter().collect(),
        };
        if found.is_empty() {
            return Err(format!("nothing measures `{name}`"));
        }
        wanted.extend(found);
    }
    Ok(all().filter(|job| wanted.contains(job)).collect())
}

/// The job that a figure comes of: its name up to the point.
fn job_of(figure: &str) -> Option<Job> {
    let name = match figure.split('.').next().unwrap_or(figure) {
        _ if figure == "overload.recovery" => Job::Recovery.name(),
        "overload" => Job::Rush.name(),
        name => name,
    };
    all().find(|job| job.name() == name)
}

fn all() -> impl Iterator<Item = Job> {
    JOBS.into_iter().chain([BEFORE])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_and_figures_name_jobs() {
        let names = |only: &str| {
            jobs(&[only.to_owned()], true).map(|jobs| jobs.iter().map(|job| job.name()).collect::<Vec<_>>())
        };
        assert_eq!(names("R3").unwrap(), ["order-redis-always", "order-redis-everysec"]);
        assert_eq!(names("r16").unwrap(), ["instructions"]);
        assert_eq!(names("order-axum").unwrap(), ["order-axum"]);
        assert_eq!(names("overload.p99").unwrap(), ["half-load"]);
        assert_eq!(names("overload.recovery").unwrap(), ["recovery"]);
        assert!(names("R18").is_err());
    }

    #[test]
    fn quick_run_has_every_arm() {
        let arms = |is_quick| {
            let jobs = jobs(&[], is_quick).unwrap();
            jobs.into_iter().filter(|job| matches!(job, Job::Compare(_))).count()
        };
        assert_eq!(arms(true), arms(false));
        assert_eq!(jobs(&[], false).unwrap().len(), JOBS.len());
    }

    #[test]
    fn training_is_of_jobs_that_there_are() {
        let jobs = jobs(&TRAINING.map(str::to_owned), true).unwrap();
        assert_eq!(jobs.len(), TRAINING.len());
    }

    #[test]
    fn names_are_different() {
        let names: std::collections::BTreeSet<&str> = JOBS.iter().map(|job| job.name()).collect();
        assert_eq!(names.len(), JOBS.len());
    }
}
