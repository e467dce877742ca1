//! The one file of this room that reads clocks: spans since the start, a thread's CPU time, and an alarm.

use std::ops::RangeInclusive;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};

const NS_PER_S: u64 = 1_000_000_000;

/// Nanoseconds since a run began; the same for all its threads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    pub(crate) fn start() -> Clock {
        Clock { origin: Instant::now() }
    }

    pub(crate) fn now_ns(self) -> u64 {
        nanos(self.origin.elapsed())
    }
}

/// CPU time of the calling thread so far, user and system.
pub(crate) fn thread_cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let parts = (u64::try_from(time.tv_sec), u64::try_from(time.tv_nsec));
    let (Ok(seconds), Ok(nanos)) = parts else { return 0 };
    seconds * NS_PER_S + nanos
}

/// A span in nanoseconds; 584 years at most.
pub(crate) fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// Wakes an epoll at a time that is exact to some microseconds, which its own timeout in milliseconds is not.
pub(crate) struct Alarm {
    timer: OwnedFd,
    /// For when it is set.
    at_ns: u64,
}

impl Alarm {
    pub(crate) fn new() -> std::io::Result<Alarm> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        Ok(Alarm { timer: timerfd_create(TimerfdClockId::Monotonic, flags)?, at_ns: 0 })
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.timer.as_raw_fd()
    }

    /// Rings once in `within_ns`, at the end if it is not to ring then anyway. All of it is later than `now_ns`.
    pub(crate) fn set(&mut self, within_ns: RangeInclusive<u64>, now_ns: u64) -> std::io::Result<()> {
        if within_ns.contains(&self.at_ns) {
            return Ok(());
        }
        let at_ns = *within_ns.end();
        let span = Duration::from_nanos(at_ns - now_ns);
        let value = Timespec::try_from(span).expect("a day at most");
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        self.at_ns = at_ns;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rustix::time::timerfd_gettime;

    use super::*;

    #[test]
    fn alarm_stays_within_the_time_and_moves_to_its_end_from_outside() {
        const MS: u64 = 1_000_000;
        let mut alarm = Alarm::new().unwrap();
        let mut at_ms = |from_ms, until_ms| {
            alarm.set(from_ms * MS..=until_ms * MS, 0).unwrap();
            alarm.at_ns / MS
        };
        assert_eq!(at_ms(60_000, 90_000), 90_000, "the first rings at the end");
        assert_eq!(at_ms(80_000, 95_000), 90_000, "it rings then anyway");
        assert_eq!(at_ms(91_000, 95_000), 95_000);
        assert_eq!(at_ms(10_000, 20_000), 20_000);
        let left = timerfd_gettime(&alarm.timer).unwrap().it_value;
        assert!((19..=20).contains(&left.tv_sec), "the kernel knows: {left:?}");
    }
}
