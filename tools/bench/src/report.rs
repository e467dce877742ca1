//! What the pairs come to: medians and spreads, as a table and as JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::machine::Facts;
use crate::sample::Sample;
use crate::series::{Pair, Series, Settings};

/// A run.
#[derive(Serialize)]
pub(crate) struct Report {
    machine: Facts,
    settings: Settings,
    arms: BTreeMap<&'static str, ArmReport>,
}

/// One arm beside the hello.
#[derive(Serialize)]
struct ArmReport {
    /// Hello's CPU time per request by the arm's: 1 would be an order that costs nothing but the HTTP stack.
    cpu_ratio: Spread,
    /// The arm's requests/s by the hello's.
    rate_ratio: Spread,
    hello: Medians,
    arm: Medians,
    /// Pairs that the figures are of.
    pair_count: usize,
    /// Pairs that were thrown away.
    disturbed_count: usize,
    /// Whether the figures are of disturbed pairs, because there were no others.
    is_disturbed: bool,
    /// What was wrong: the figures mean nothing then.
    void: Vec<String>,
    pairs: Vec<Pair>,
}

/// Median, least and greatest.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
struct Spread {
    median: f64,
    min: f64,
    max: f64,
}

/// Medians over the measurements of one side.
#[derive(Serialize)]
struct Medians {
    cpu_us_per_request: f64,
    requests_per_second: f64,
    threads_cpu_us_per_request: BTreeMap<String, f64>,
    is_generator_the_limit: bool,
}

impl Spread {
    /// Of at least one value.
    fn of(values: impl Iterator<Item = f64>) -> Spread {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            0 => f64::midpoint(values[middle - 1], values[middle]),
            _ => values[middle],
        };
        Spread { median, min: values[0], max: values[values.len() - 1] }
    }
}

impl Medians {
    fn of(samples: &[&Sample]) -> Medians {
        let median = |value: &dyn Fn(&Sample) -> f64| Spread::of(samples.iter().map(|s| value(s))).median;
        let names = samples.iter().flat_map(|sample| sample.threads_cpu_us_per_request.keys());
        let thread = |name: &String| {
            let time = |sample: &Sample| sample.threads_cpu_us_per_request.get(name).copied().unwrap_or(0.0);
            (name.clone(), median(&time))
        };
        Medians {
            cpu_us_per_request: median(&|sample| sample.cpu_us_per_request),
            requests_per_second: median(&|sample| sample.requests_per_second),
            threads_cpu_us_per_request: names.map(thread).collect(),
            is_generator_the_limit: samples.iter().any(|sample| sample.is_generator_the_limit),
        }
    }
}

impl ArmReport {
    fn of(series: Series) -> ArmReport {
        let is_disturbed = series.clean_count() == 0;
        let used: Vec<&Pair> =
            series.pairs.iter().filter(|pair| is_disturbed || !pair.is_disturbed).collect();
        let ratio = |value: fn(&Pair) -> f64| Spread::of(used.iter().map(|pair| value(pair)));
        let hellos: Vec<&Sample> = used.iter().map(|pair| &pair.hello).collect();
        let arms: Vec<&Sample> = used.iter().map(|pair| &pair.arm).collect();
        ArmReport {
            cpu_ratio: ratio(|pair| pair.hello.cpu_us_per_request / pair.arm.cpu_us_per_request),
            rate_ratio: ratio(|pair| pair.arm.requests_per_second / pair.hello.requests_per_second),
            hello: Medians::of(&hellos),
            arm: Medians::of(&arms),
            pair_count: used.len(),
            disturbed_count: series.pairs.iter().filter(|pair| pair.is_disturbed).count(),
            is_disturbed,
            void: series.void,
            pairs: series.pairs,
        }
    }
}

impl Report {
    /// Of all series of a run, each with at least one pair.
    pub(crate) fn of(machine: Facts, settings: Settings, series: Vec<Series>) -> Report {
        let arms = series.into_iter().map(|series| (series.arm.name(), ArmReport::of(series))).collect();
        Report { machine, settings, arms }
    }

    /// Whether every answer and every journal was right.
    pub(crate) fn is_sound(&self) -> bool {
        self.arms.values().all(|arm| arm.void.is_empty())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Facts { cpu, cores, memory_gib, kernel, is_virtual, file_system } = &self.machine;
        let guest = if *is_virtual { ", a virtual machine" } else { "" };
        writeln!(
            f,
            "\n{cores} cores {cpu}{guest}, {memory_gib} GiB, Linux {kernel}, journal on {file_system}"
        )?;
        let Settings { seconds, connections, .. } = self.settings;
        writeln!(f, "wrk, 1 thread, {connections} connections, closed loop, {seconds} s per measurement")?;
        self.arms.iter().try_for_each(|(name, arm)| write_arm(f, name, arm))
    }
}

fn write_arm(f: &mut fmt::Formatter<'_>, name: &str, arm: &ArmReport) -> fmt::Result {
    writeln!(f, "\n{:<10} {:>15} {:>12}  µs by threads", "", "CPU µs/request", "requests/s")?;
    write_side(f, "hello", &arm.hello)?;
    write_side(f, name, &arm.arm)?;
    let Spread { median, min, max } = arm.cpu_ratio;
    writeln!(f, "hello / {name}, CPU per request: {median:.3} ({min:.3} to {max:.3})")?;
    let Spread { median, min, max } = arm.rate_ratio;
    writeln!(f, "{name} / hello, requests/s:      {median:.3} ({min:.3} to {max:.3})")?;
    let (used, disturbed) = (arm.pair_count, arm.disturbed_count);
    match arm.is_disturbed {
        true => writeln!(f, "DISTURBED: all {used} pairs; there was no quiet one")?,
        false => writeln!(f, "{used} pairs; {disturbed} more were disturbed and thrown away")?,
    }
    match arm.void.as_slice() {
        [] => writeln!(f, "checked: every answer, every journal"),
        void => void.iter().try_for_each(|reason| writeln!(f, "VOID: {reason}")),
    }
}

fn write_side(f: &mut fmt::Formatter<'_>, name: &str, side: &Medians) -> fmt::Result {
    write!(f, "{name:<10} {:>15.2} {:>12.0} ", side.cpu_us_per_request, side.requests_per_second)?;
    side.threads_cpu_us_per_request
        .iter()
        .filter(|(_, time)| **time >= 0.005)
        .try_for_each(|(thread, time)| write!(f, " {thread} {time:.2}"))?;
    writeln!(f, "{}", if side.is_generator_the_limit { "  (the generator was the limit)" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_an_even_number_is_between_the_middle_two() {
        let spread = |values: &[f64]| Spread::of(values.iter().copied());
        assert_eq!(spread(&[3.0, 1.0, 2.0]), Spread { median: 2.0, min: 1.0, max: 3.0 });
        assert_eq!(spread(&[4.0, 1.0, 2.0, 3.0]), Spread { median: 2.5, min: 1.0, max: 4.0 });
        assert_eq!(spread(&[1.0]), Spread { median: 1.0, min: 1.0, max: 1.0 });
    }
}
