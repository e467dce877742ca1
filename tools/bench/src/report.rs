//! What a run comes to: figures, targets, and everything they were made of.

mod html;
mod plot;
mod table;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::arm::Arm;
use crate::figure::{Figure, Figures, Spread};
use crate::machine::Facts;
use crate::sample::Sample;
use crate::series::{Comparison, Pair, Series, Settings};
use crate::targets::{self, Judged};

/// A run.
#[derive(Serialize)]
pub(crate) struct Report {
    machine: Facts,
    settings: Settings,
    targets: Vec<Judged>,
    figures: Figures,
    comparisons: Vec<Compared>,
}

/// Two arms side by side.
#[derive(Serialize)]
struct Compared {
    #[serde(flatten)]
    comparison: Comparison,
    arm_medians: Medians,
    beside_medians: Medians,
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

/// Medians over the measurements of one side.
#[derive(Serialize)]
struct Medians {
    cpu_us_per_request: f64,
    requests_per_second: f64,
    threads_cpu_us_per_request: BTreeMap<String, f64>,
    is_generator_the_limit: bool,
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

impl Pair {
    fn cpu_ratio(&self) -> f64 {
        self.beside.cpu_us_per_request / self.arm.cpu_us_per_request
    }

    fn rate_ratio(&self) -> f64 {
        self.arm.requests_per_second / self.beside.requests_per_second
    }
}

impl Compared {
    fn of(series: Series) -> Compared {
        let is_disturbed = series.clean_count() == 0;
        let used = used(&series.pairs, is_disturbed);
        Compared {
            comparison: series.comparison,
            arm_medians: Medians::of(&used.iter().map(|pair| &pair.arm).collect::<Vec<_>>()),
            beside_medians: Medians::of(&used.iter().map(|pair| &pair.beside).collect::<Vec<_>>()),
            pair_count: used.len(),
            disturbed_count: series.pairs.len() - series.clean_count(),
            is_disturbed,
            void: series.void,
            pairs: series.pairs,
        }
    }

    fn used(&self) -> Vec<&Pair> {
        used(&self.pairs, self.is_disturbed)
    }

    /// `ID.cpu`, `ID.cost`, which is its inverse, and `ID.rate`: each ratio is taken within a pair.
    fn figures(&self) -> Figures {
        let id = self.comparison.id;
        let figure = |ratio: &dyn Fn(&Pair) -> f64| {
            let figure = Figure::of(self.used().into_iter().map(ratio)).void(&self.void);
            if self.is_disturbed { figure.unfit("every pair was disturbed") } else { figure }
        };
        let is_limited =
            self.arm_medians.is_generator_the_limit || self.beside_medians.is_generator_the_limit;
        let rate = figure(&Pair::rate_ratio);
        let rate = if is_limited { rate.note("the generator was the limit") } else { rate };
        [("cpu", figure(&Pair::cpu_ratio)), ("cost", figure(&|pair| 1.0 / pair.cpu_ratio())), ("rate", rate)]
            .map(|(name, figure)| (format!("{id}.{name}"), figure))
            .into()
    }

    fn sides(&self) -> [(Arm, &Medians); 2] {
        [(self.comparison.arm, &self.arm_medians), (self.comparison.beside, &self.beside_medians)]
    }
}

/// The pairs that count: the quiet ones, or all when there is no other way.
fn used(pairs: &[Pair], is_disturbed: bool) -> Vec<&Pair> {
    pairs.iter().filter(|pair| is_disturbed || !pair.is_disturbed).collect()
}

impl Report {
    /// Of nothing yet.
    pub(crate) fn new(machine: Facts, settings: Settings) -> Report {
        Report { machine, settings, targets: Vec::new(), figures: Figures::new(), comparisons: Vec::new() }
    }

    /// Takes up a comparison, which has at least one pair.
    pub(crate) fn add_series(&mut self, series: Series) {
        let compared = Compared::of(series);
        self.add_figures(compared.figures());
        self.comparisons.push(compared);
    }

    /// Takes up other figures.
    pub(crate) fn add_figures(&mut self, figures: Figures) {
        self.figures.extend(figures);
    }

    /// Says what the figures mean for the targets.
    pub(crate) fn judge(&mut self) {
        self.targets = targets::judge(&self.figures);
    }

    /// Whether every answer and every store was right.
    pub(crate) fn is_sound(&self) -> bool {
        self.figures.values().all(|figure| figure.void.is_empty())
    }

    /// A page for a browser that needs nothing else.
    pub(crate) fn html(&self) -> String {
        html::page(self)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::sample::tests::sample;
    use crate::series::Idle;

    const COMPARISON: Comparison = Comparison {
        id: "order-hello",
        arm: Arm::Order,
        beside: Arm::Hello,
        connections: 64,
        idle: Idle { arm: 0, beside: 0 },
    };

    fn pair(arm_us: f64, is_disturbed: bool) -> Pair {
        Pair { arm: sample(arm_us), beside: sample(8.0), is_arm_first: false, is_disturbed }
    }

    /// A report of one comparison, for the tests of tables and pages.
    pub(crate) fn report(void: Vec<String>) -> Report {
        let facts = Facts::read(std::path::Path::new("/"));
        let settings = Settings {
            pairs: 3,
            seconds: 1.0,
            warm_up_seconds: 1.0,
            crowd: 1,
            counted: 2,
            disturbance_max: 0.05,
            repeats_max: 1,
            waits_max: 0,
            is_apart: false,
        };
        let mut report = Report::new(facts, settings);
        let pairs = vec![pair(10.0, false), pair(100.0, true), pair(16.0, false), pair(8.0, false)];
        report.add_series(Series { comparison: COMPARISON, pairs, void });
        report.judge();
        report
    }

    #[test]
    fn disturbed_pairs_are_thrown_away() {
        let report = report(Vec::new());
        let figure = &report.figures["order-hello.cpu"];
        assert_eq!(figure.spread, Spread { median: 0.8, min: 0.5, max: 1.0 });
        assert_eq!(figure.count, 3);
        assert_eq!(report.comparisons[0].disturbed_count, 1);
        assert!(report.is_sound());
    }

    #[test]
    fn disturbed_pairs_do_when_there_are_no_others() {
        let compared =
            Compared::of(Series { comparison: COMPARISON, pairs: vec![pair(4.0, true)], void: Vec::new() });
        let figure = &compared.figures()["order-hello.cpu"];
        assert_eq!((figure.spread.median, figure.notes.len()), (2.0, 1));
    }

    #[test]
    fn void_is_in_every_figure_of_the_comparison() {
        let report = report(vec!["OVERSOLD".into()]);
        assert!(report.figures.values().all(|figure| !figure.void.is_empty()));
        assert!(!report.is_sound() && !report.targets[0].met);
    }
}
