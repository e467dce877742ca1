//! CPU time as the kernel counts it (proc(5)).

use std::collections::BTreeMap;
use std::fs;
use std::ops::Sub;
use std::time::Duration;

use anyhow::Context as _;

/// The unit of /proc/stat and /proc/PID/stat: `USER_HZ` is 100 on every machine that Rust and wrk run on.
const TICK: Duration = Duration::from_millis(10);

/// CPU time of a process, user and system, over all its threads, those that have ended included.
///
/// # Errors
/// When there is no such process.
pub(crate) fn of_process(pid: u32) -> anyhow::Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    process_time(&text).with_context(|| format!("cannot understand {path}"))
}

/// CPU time of a process by the names of its threads; numbers at the end of a name do not count.
///
/// # Errors
/// When there is no such process.
pub(crate) fn of_threads(pid: u32) -> anyhow::Result<BTreeMap<String, Duration>> {
    let mut times = BTreeMap::<String, Duration>::new();
    for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
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
            busy: self.busy.saturating_sub(before.busy),
            stolen: self.stolen.saturating_sub(before.stolen),
        }
    }
}

/// `utime` and `stime`, fields 14 and 15; the name in field 2 stands in parentheses and may contain anything.
fn process_time(text: &str) -> Option<Duration> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    Some(ticks(fields.next()?)? + ticks(fields.next()?)?)
}

/// `cpu user nice system idle iowait irq softirq steal …`
fn machine_time(text: &str) -> Option<Machine> {
    let line = text.lines().find(|line| line.starts_with("cpu "))?;
    let times = line.split_whitespace().skip(1).map(ticks).collect::<Option<Vec<_>>>()?;
    let [user, nice, system, _idle, _iowait, irq, softirq, stolen, ..] = times[..] else { return None };
    Some(Machine { busy: user + nice + system + irq + softirq, stolen })
}

fn ticks(text: &str) -> Option<Duration> {
    text.parse().ok().map(|count: u32| TICK * count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_of_a_process_is_found_behind_any_name() {
        let text = "17 (a ) b) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 1";
        assert_eq!(process_time(text), Some(Duration::from_secs(2)));
    }

    #[test]
    fn waiting_is_not_busy() {
        let text = "cpu  100 1 20 9999 9999 3 4 5 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n";
        let expected = Machine { busy: TICK * 128, stolen: TICK * 5 };
        assert_eq!(machine_time(text), Some(expected));
    }
}
