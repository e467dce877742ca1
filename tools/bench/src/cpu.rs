//! CPU time as the kernel counts it (proc(5)).

use std::collections::BTreeMap;
use std::fs;
use std::ops::Sub;
use std::time::Duration;

use anyhow::Context as _;

/// The unit of /proc/stat and /proc/PID/stat: `USER_HZ` is 100 on every machine that Rust and wrk run on.
const TICK: Duration = Duration::from_millis(10);

/// CPU time of every program at an instant.
pub(crate) struct Programs(BTreeMap<u32, Process>);

impl Programs {
    /// Reads /proc.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn now() -> anyhow::Result<Programs> {
        let mut all = BTreeMap::new();
        for entry in fs::read_dir("/proc").context("cannot read /proc")? {
            let entry = entry?;
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            // It may end at any time; its parent then has its time.
            let Ok(text) = fs::read_to_string(entry.path().join("stat")) else { continue };
            all.extend(process(&text).map(|process| (pid, process)));
        }
        Ok(Programs(all))
    }

    /// CPU time of processes and of all that they started, whether it still runs or has ended.
    pub(crate) fn of_trees(&self, roots: &[u32]) -> Duration {
        self.sum(|pid| self.is_in(pid, roots))
    }

    /// CPU time of all others, without the kernel's own threads: they work for whoever writes to a disk.
    pub(crate) fn of_others(&self, roots: &[u32]) -> Duration {
        self.sum(|pid| !self.is_in(pid, roots) && !self.is_in(pid, &[KERNEL_THREADS]))
    }

    fn sum(&self, counts: impl Fn(u32) -> bool) -> Duration {
        let counted = self.0.iter().filter(|(pid, _)| counts(**pid));
        counted.map(|(_, process)| process.time + process.time_of_ended_children).sum()
    }

    fn is_in(&self, pid: u32, roots: &[u32]) -> bool {
        let parent = |pid: &u32| self.0.get(pid).map(|process| process.parent);
        // As many steps as there are processes: more would be a circle.
        std::iter::successors(Some(pid), parent).take(self.0.len() + 1).any(|pid| roots.contains(&pid))
    }
}

/// The parent of all threads of the kernel.
const KERNEL_THREADS: u32 = 2;

/// A process as /proc/PID/stat shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Process {
    parent: u32,
    time: Duration,
    time_of_ended_children: Duration,
}

/// CPU time of processes by the names of their threads; numbers at the end of a name do not count. Without the
/// processes that they started.
///
/// # Errors
/// When there is no such process.
pub(crate) fn of_threads(pids: &[u32]) -> anyhow::Result<BTreeMap<String, Duration>> {
    let mut times = BTreeMap::<String, Duration>::new();
    let tasks: Vec<_> =
        pids.iter().map(|pid| fs::read_dir(format!("/proc/{pid}/task"))).collect::<Result<_, _>>()?;
    for entry in tasks.into_iter().flatten() {
        let path = entry?.path();
        // A thread may end at any time; its share is missing then, in this table only.
        let Ok(name) = fs::read_to_string(path.join("comm")) else { continue };
        let Ok(text) = fs::read_to_string(path.join("schedstat")) else { continue };
        let name = name.trim_end().trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
        let time = text.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
        *times.entry(name.to_owned()).or_default() += Duration::from_nanos(time.unwrap_or(0));
    }
    Ok(times)
}

/// What all processors together did so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Machine {
    /// Whether this thread may use them or not; in a container nearly always those of its host.
    pub(crate) core_count: u32,
    /// Time in programs and in the kernel, interrupts included.
    pub(crate) busy: Duration,
    /// Time that the host gave to others although this machine wanted it.
    pub(crate) stolen: Duration,
}

impl Machine {
    /// Since the machine was started.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub(crate) fn now() -> anyhow::Result<Machine> {
        let text = fs::read_to_string("/proc/stat").context("cannot read /proc/stat")?;
        machine_time(&text).context("cannot understand /proc/stat")
    }
}

impl Sub for Machine {
    type Output = Machine;

    fn sub(self, before: Machine) -> Machine {
        Machine {
            core_count: self.core_count,
            busy: self.busy.saturating_sub(before.busy),
            stolen: self.stolen.saturating_sub(before.stolen),
        }
    }
}

/// `ppid`, field 4; `utime`, `stime`, `cutime` and `cstime`, fields 14 to 17. The name in field 2 stands in
/// parentheses and may contain anything.
fn process(text: &str) -> Option<Process> {
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let time = |first: usize| Some(ticks(fields.get(first - 3)?)? + ticks(fields.get(first - 2)?)?);
    Some(Process { parent: fields.get(1)?.parse().ok()?, time: time(14)?, time_of_ended_children: time(16)? })
}

/// `cpu user nice system idle iowait irq softirq steal …`
fn machine_time(text: &str) -> Option<Machine> {
    let line = text.lines().find(|line| line.starts_with("cpu "))?;
    let times = line.split_whitespace().skip(1).map(ticks).collect::<Option<Vec<_>>>()?;
    let [user, nice, system, _idle, _iowait, irq, softirq, stolen, ..] = times[..] else { return None };
    let core_count = u32::try_from(cores(text).count()).ok()?;
    Some(Machine { core_count, busy: user + nice + system + irq + softirq, stolen })
}

/// The lines `cpu0 …`, `cpu1 …`.
fn cores(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| {
        line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    })
}

fn ticks(text: &str) -> Option<Duration> {
    text.parse().ok().map(|count: u32| TICK * count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_of_a_process_is_found_behind_any_name() {
        let text = "17 (a ) b) S 9 2 3 4 5 6 7 8 9 10 150 50 20 30 20 0 1";
        let (time, time_of_ended_children) = (Duration::from_secs(2), Duration::from_millis(500));
        assert_eq!(process(text), Some(Process { parent: 9, time, time_of_ended_children }));
    }

    #[test]
    fn tree_holds_children_of_children_and_others_are_no_threads_of_the_kernel() {
        let process = |parent| Process { parent, time: TICK, time_of_ended_children: TICK };
        let parents = [(1, 0), (2, 0), (3, 2), (5, 1), (6, 5), (7, 6), (8, 1)];
        let programs = Programs(parents.map(|(pid, parent)| (pid, process(parent))).into());
        assert_eq!(programs.of_trees(&[5]), TICK * 6, "5, 6 and 7");
        assert_eq!(programs.of_others(&[5]), TICK * 4, "1 and 8");
    }

    #[test]
    fn waiting_is_not_busy() {
        let text = "cpu  100 1 20 9999 9999 3 4 5 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\ncpu17 1 1 1 1 1 1 1 1 0 0\nintr 1\n";
        let expected = Machine { core_count: 2, busy: TICK * 128, stolen: TICK * 5 };
        assert_eq!(machine_time(text), Some(expected));
    }
}
