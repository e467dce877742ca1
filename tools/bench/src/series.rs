//! Pairs of measurements of two arms, until enough of them are undisturbed.

use std::cell::Cell;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde::Serialize;

use crate::arm::Arm;
use crate::cores::Apart;
use crate::cpu::Machine;
use crate::idle::Idlers;
use crate::ledger;
use crate::load::{Load, Part, Seen, Tokens};
use crate::sample::Sample;
use crate::site::Site;
use crate::stand::Stand;

/// A pair begins when the machine was quiet for so long, or at the latest after so many tries.
const QUIET: Duration = Duration::from_millis(500);
const QUIET_TRIES_MAX: u32 = 10;

/// How to measure.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Settings {
    pub(crate) pairs: u32,
    pub(crate) seconds: f64,
    pub(crate) warm_up_seconds: f64,
    /// Buyers that bought before, where that is looked at.
    pub(crate) crowd: u32,
    /// Requests whose instructions are counted.
    pub(crate) counted: u32,
    /// A measurement is disturbed from this part of the machine on.
    pub(crate) disturbance_max: f64,
    /// Disturbed pairs that may be measured anew in the whole run; then the disturbed ones have to do.
    pub(crate) repeats_max: u32,
    /// Half seconds that may be waited for a quiet machine in the whole run.
    pub(crate) waits_max: u32,
    /// Whether the generator has a core of its own in comparisons by CPU time, too.
    pub(crate) is_apart: bool,
}

/// Two arms side by side.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Comparison {
    pub(crate) id: &'static str,
    pub(crate) arm: Arm,
    pub(crate) beside: Arm,
    /// Connections of the generator.
    pub(crate) connections: u32,
    /// Connections that are open besides and ask nothing: at the arm, and at what is beside it.
    pub(crate) idle: Idle,
}

/// Connections that ask nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub(crate) struct Idle {
    pub(crate) arm: u32,
    pub(crate) beside: u32,
}

/// Two measurements, taken by turns.
#[derive(Clone, Serialize)]
pub(crate) struct Pair {
    pub(crate) beside: Sample,
    pub(crate) arm: Sample,
    /// Whether the arm had the first turn.
    pub(crate) is_arm_first: bool,
    pub(crate) is_disturbed: bool,
}

/// All of one comparison.
pub(crate) struct Series {
    pub(crate) comparison: Comparison,
    pub(crate) pairs: Vec<Pair>,
    /// What was wrong with the answers or the stores, each time.
    pub(crate) void: Vec<String>,
}

/// One side of a comparison.
struct Measured {
    arm: Arm,
    /// Connections that are open besides.
    idle: u32,
    load: Load,
}

/// An arm that is up and has been under load.
struct Warm<'a> {
    arm: Arm,
    stand: Stand<'a>,
    idle: Idlers,
    seen: Seen,
}

/// What every series of a run shares.
pub(crate) struct Bench<'a> {
    pub(crate) site: &'a Site,
    /// Tokens for the measured runs, and others for what goes before them.
    pub(crate) tokens: &'a Tokens,
    pub(crate) warm_up_tokens: &'a Tokens,
    pub(crate) settings: Settings,
    /// Disturbed pairs that may still be measured anew.
    pub(crate) repeats: Left,
    /// Waits for a quiet machine that are left.
    pub(crate) waits: Left,
}

/// How often something may still be done, in the whole run.
pub(crate) struct Left(Cell<u32>);

impl Bench<'_> {
    /// Measures two arms beside each other.
    ///
    /// # Errors
    /// When something cannot be started; what an arm answers wrongly is in [`Series::void`].
    pub(crate) fn series(&self, comparison: Comparison) -> anyhow::Result<Series> {
        let Comparison { arm, beside, connections, idle, .. } = comparison;
        let shape = |first: Arm, second: Arm| first.shape().or(second.shape());
        let load = |first, second| -> anyhow::Result<Load> {
            let shape = shape(first, second).context("neither arm says what it is asked")?;
            Ok(Load::new(shape, connections))
        };
        let of_arm = Measured { arm, idle: idle.arm, load: load(arm, beside)? };
        let of_beside = Measured { arm: beside, idle: idle.beside, load: load(beside, arm)? };
        let mut series = Series { comparison, pairs: Vec::new(), void: Vec::new() };
        let mut wanted = self.settings.pairs;
        let mut number = 0;
        while number < wanted {
            self.wait_for_quiet()?;
            let is_arm_first = number % 2 == 1;
            let mut sides = [&of_beside, &of_arm];
            if is_arm_first {
                sides.reverse();
            }
            let mut both = self.measure(sides)?;
            if !is_arm_first {
                both.reverse();
            }
            let [measured, measured_beside] = both;
            let checks = [(arm, measured.1), (beside, measured_beside.1)];
            let wrong = checks.into_iter().filter_map(|(arm, check)| Some((arm, check.err()?)));
            series.void.extend(wrong.map(|(arm, error)| format!("{}: {error:#}", arm.name())));
            let pair = Pair::of(measured.0, measured_beside.0, is_arm_first, self.settings.disturbance_max);
            number += 1;
            tell(number, comparison, &pair);
            if pair.is_disturbed && self.repeats.take() {
                wanted += 1;
            }
            series.pairs.push(pair);
        }
        Ok(series)
    }

    /// Both are up at once and under load by turns; with what is wrong with either.
    fn measure(&self, sides: [&Measured; 2]) -> anyhow::Result<[(Sample, anyhow::Result<()>); 2]> {
        let [a, b] = sides;
        let (apart, [first, second]) = self.share_cores(|| Ok([self.start(a)?, self.start(b)?]))?;
        let (first, second) = (self.warm(a, first)?, self.warm(b, second)?);
        let part = self.measured("measured-");
        let measured = [(&first.stand, &a.load, part), (&second.stand, &b.load, part)];
        let [(sample, seen), (other_sample, other_seen)] = Sample::of_both(measured)?;
        drop(apart);
        Ok([(sample, first.close(&seen)), (other_sample, second.close(&other_seen))])
    }

    /// Has servers started for a comparison by CPU time: on all cores, the generator's included, unless somebody wants them apart.
    pub(crate) fn share_cores<T>(
        &self,
        start: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<(Option<Apart>, T)> {
        match self.settings.is_apart {
            true => Apart::start(start).map(|(apart, started)| (Some(apart), started)),
            false => start().map(|started| (None, started)),
        }
    }

    /// Starts an arm, which is asked once.
    fn start(&self, measured: &Measured) -> anyhow::Result<Stand<'_>> {
        let stand = Stand::open(self.site, measured.arm)?;
        stand.try_once(measured.load.shape(), self.warm_up_tokens.get(0))?;
        Ok(stand)
    }

    /// An arm that has been under load, with idle connections beside if there are to be some.
    fn warm<'a>(&self, measured: &Measured, stand: Stand<'a>) -> anyhow::Result<Warm<'a>> {
        let Measured { arm, idle, load } = measured;
        let idle = Idlers::connect(stand.address(), *idle)?;
        let seen = load.run(stand.address(), self.warm_up())?;
        Ok(Warm { arm: *arm, stand, idle, seen })
    }

    /// Waits until the machine does next to nothing, but not for ever.
    pub(crate) fn wait_for_quiet(&self) -> anyhow::Result<()> {
        for _ in 0..QUIET_TRIES_MAX {
            let before = Machine::now()?;
            sleep(QUIET);
            let passed = Machine::now()? - before;
            let busy_max = self.settings.disturbance_max * (QUIET * passed.core_count).as_secs_f64();
            if (passed.busy + passed.stolen).as_secs_f64() <= busy_max || !self.waits.take() {
                break;
            }
        }
        Ok(())
    }

    fn warm_up(&self) -> Part<'_> {
        let duration = Duration::from_secs_f64(self.settings.warm_up_seconds);
        Part {
            duration,
            tokens: self.warm_up_tokens,
            key_prefix: "warm-up-",
            rate: None,
            first: 0,
            count: None,
        }
    }

    /// A measured run with keys of its own.
    pub(crate) fn measured<'a>(&'a self, key_prefix: &'a str) -> Part<'a> {
        let duration = Duration::from_secs_f64(self.settings.seconds);
        Part { duration, tokens: self.tokens, key_prefix, rate: None, first: 0, count: None }
    }
}

impl Warm<'_> {
    /// Ends it, and says what is wrong.
    fn close(self, measured: &Seen) -> anyhow::Result<()> {
        let Warm { arm, stand, idle, seen: warm_up } = self;
        drop(idle);
        let closed = stand.close();
        check_answers(arm, &[&warm_up, measured])?;
        let Some(ledger) = closed? else { return Ok(()) };
        // The one before the load, and all of either run; of what has no answer nobody knows.
        let acknowledged = 1 + warm_up.completed + measured.completed;
        ledger::check(arm, ledger, acknowledged..=acknowledged + warm_up.errors + measured.errors)
    }
}

impl Pair {
    fn of(arm: Sample, beside: Sample, is_arm_first: bool, disturbance_max: f64) -> Pair {
        let is_disturbed = arm.disturbance().max(beside.disturbance()) > disturbance_max;
        Pair { arm, beside, is_arm_first, is_disturbed }
    }
}

impl Series {
    pub(crate) fn clean_count(&self) -> usize {
        self.pairs.iter().filter(|pair| !pair.is_disturbed).count()
    }
}

impl Left {
    pub(crate) fn new(max: u32) -> Left {
        Left(Cell::new(max))
    }

    /// Whether it may be done once more; uses up one.
    fn take(&self) -> bool {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        left > 0
    }
}

/// Every answer has the arm's status, and every request has one.
pub(crate) fn check_answers(arm: Arm, runs: &[&Seen]) -> anyhow::Result<()> {
    let status = arm.expected().status;
    for seen in runs {
        let right = seen.count_of(status);
        ensure!(right == seen.completed, "not every answer was {status}: {:?}", seen.statuses);
        ensure!(seen.completed > 0, "nothing was answered");
        ensure!(seen.errors == 0, "{} requests have no answer", seen.errors);
    }
    Ok(())
}

fn tell(number: u32, comparison: Comparison, pair: &Pair) {
    let one = |arm: Arm, sample: &Sample| {
        format!(
            "{} {:.2} µs {:.0}/s (foreign {:.1} %, stolen {:.1} %)",
            arm.name(),
            sample.cpu_us_per_request,
            sample.requests_per_second,
            sample.foreign_load * 100.0,
            sample.stolen * 100.0
        )
    };
    let note = if pair.is_disturbed { "  DISTURBED" } else { "" };
    let (arm, beside) = (one(comparison.arm, &pair.arm), one(comparison.beside, &pair.beside));
    eprintln!("{} pair {number}: {arm}  {beside}{note}", comparison.id);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disturbed_pairs_are_measured_anew_so_many_times_only() {
        let repeats = Left::new(2);
        assert_eq!(
            [repeats.take(), repeats.take(), repeats.take(), repeats.take()],
            [true, true, false, false]
        );
    }
}
