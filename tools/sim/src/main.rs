//! `sim`: runs the whole system under many seeds, or shows one.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people")]

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use sim::reached::{Mark, Reached};
use sim::run::{Failure, Options, Outcome, run};
use sim::shape::Knob;
use sim::shrink::shrink;

/// From so many seeds on, every interesting state must have been reached.
const SEED_COUNT_FOR_ALL_MARKS: u64 = 1_000;
/// Failures that are made short, at most.
const SHRUNK_COUNT_MAX: u64 = 3;

/// Runs the whole system in seeded worlds in which everything goes wrong.
#[derive(Parser)]
struct Args {
    /// How many seeds to run: 100, or 1 with --seed.
    #[arg(long)]
    seeds: Option<u64>,
    /// The first seed, 1 if not told.
    #[arg(long)]
    seed: Option<u64>,
    /// Print everything that happens; with --seed.
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Steps of each run; else as the seed says.
    #[arg(long)]
    steps: Option<u64>,
    /// People in each run; else as the seed says.
    #[arg(long)]
    buyers: Option<u64>,
    /// Trouble to switch off.
    #[arg(long, value_delimiter = ',')]
    without: Vec<Knob>,
    /// Stop at the first failure, and do not look for a shorter story.
    #[arg(long)]
    fail_fast: bool,
    /// Say how often every interesting state was reached.
    #[arg(long)]
    reached: bool,
}

/// What all runs came to.
#[derive(Default)]
struct Sum {
    seed_count: u64,
    step_count: u64,
    simulated_ms: u64,
    fault_count: u64,
    failed_count: u64,
    reached: Reached,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let options = Options {
        step_count: args.steps,
        buyer_count: args.buyers,
        without: args.without.clone(),
        prints: args.trace,
    };
    let first = args.seed.unwrap_or(1);
    let count = args.seeds.unwrap_or(if args.seed.is_some() { 1 } else { 100 });
    let (progress, started) = (bar(count), Instant::now());
    let mut sum = Sum::default();
    for seed in first..first.saturating_add(count) {
        let outcome = run(seed, &options);
        sum.add(&outcome);
        if let Some(failure) = &outcome.failure {
            sum.failed_count += 1;
            let shrinks = !args.trace && !args.fail_fast && sum.failed_count <= SHRUNK_COUNT_MAX;
            progress.suspend(|| tell(&outcome, failure, shrinks.then_some(&options)));
        }
        progress.set_message(sum.progress());
        progress.inc(1);
        if args.fail_fast && sum.failed_count > 0 {
            break;
        }
    }
    progress.finish_and_clear();
    if args.reached {
        Mark::ALL.into_iter().for_each(|mark| println!("{:>9}  {mark:?}", sum.reached.count(mark)));
    }
    println!("{}", sum.summary(started.elapsed().as_millis().max(1)));
    let must_reach_all = count >= SEED_COUNT_FOR_ALL_MARKS && options == Options::default();
    let missing = if must_reach_all { sum.reached.missing() } else { Vec::new() };
    if !missing.is_empty() {
        eprintln!("never reached, so never tested: {missing:?}");
    }
    if sum.failed_count == 0 && missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Sum {
    fn add(&mut self, outcome: &Outcome) {
        self.seed_count += 1;
        self.step_count += outcome.step_count;
        self.simulated_ms += outcome.simulated_ms;
        self.fault_count += outcome.fault_count;
        self.reached.add(&outcome.reached);
    }

    fn progress(&self) -> String {
        let Sum { step_count, fault_count, reached, .. } = self;
        let (reached, of) = (reached.state_count(), Mark::ALL.len());
        format!("{step_count} steps, {fault_count} faults, {reached}/{of} states")
    }

    fn summary(&self, took_ms: u128) -> String {
        let simulated_s = self.simulated_ms / 1_000;
        let speed = u128::from(self.simulated_ms) / took_ms;
        format!(
            "{} seeds, {}, {simulated_s} simulated seconds ({speed} in a second), {} failed",
            self.seed_count,
            self.progress(),
            self.failed_count
        )
    }
}

fn bar(count: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} seeds, {msg}, {elapsed} ({eta} left)");
    ProgressBar::new(count).with_style(style.expect("the template is sound"))
}

/// Tells of a failure, and of the shortest story that fails too.
fn tell(outcome: &Outcome, failure: &Failure, shrink_from: Option<&Options>) {
    let seed = outcome.seed;
    eprintln!("seed {seed} failed in step {}: {}", failure.step, failure.reason);
    let shrunk = shrink_from.and_then(|options| {
        // Each try would print its panic again.
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let shrunk = shrink(seed, options);
        std::panic::set_hook(hook);
        shrunk
    });
    let shortest = shrunk.as_ref().and_then(|shrunk| shrunk.outcome.failure.as_ref()).unwrap_or(failure);
    eprintln!("\nthe shortest story found:");
    shortest.story.iter().for_each(|line| eprintln!("{line}"));
    eprintln!("in step {}: {}", shortest.step, shortest.reason);
    match shrunk {
        Some(shrunk) => eprintln!("again: {}\n", shrunk.command_line()),
        None => eprintln!("again: cargo run --release -p sim -- --seed {seed} --trace\n"),
    }
}
