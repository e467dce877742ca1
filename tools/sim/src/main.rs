//! `sim`: runs the whole system under many seeds, or shows one.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people")]

use std::process::ExitCode;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use sim::reached::{Mark, Reached};
use sim::run::{Failure, Options, Outcome, run};

/// From so many seeds on, every interesting state must have been reached.
const SEED_COUNT_FOR_ALL_MARKS: u64 = 100;

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
    /// Say how often every interesting state was reached.
    #[arg(long)]
    reached: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let options = Options { step_count: args.steps, prints: args.trace };
    let first = args.seed.unwrap_or(1);
    let count = args.seeds.unwrap_or(if args.seed.is_some() { 1 } else { 100 });
    let progress = bar(count);
    let (mut reached, mut steps, mut failed) = (Reached::default(), 0, 0_u64);
    for seed in first..first.saturating_add(count) {
        let outcome = run(seed, options);
        reached.add(&outcome.reached);
        steps += outcome.step_count;
        if let Some(failure) = &outcome.failure {
            failed += 1;
            progress.suspend(|| tell(&outcome, failure));
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    if args.reached {
        Mark::ALL.into_iter().for_each(|mark| println!("{:>9}  {mark:?}", reached.count(mark)));
    }
    println!("{count} seeds, {steps} steps, {failed} failed");
    let missing = if count >= SEED_COUNT_FOR_ALL_MARKS { reached.missing() } else { Vec::new() };
    if !missing.is_empty() {
        eprintln!("never reached, so never tested: {missing:?}");
    }
    if failed == 0 && missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn bar(count: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} seeds, {elapsed} ({eta} left)");
    ProgressBar::new(count).with_style(style.expect("the template is sound"))
}

fn tell(outcome: &Outcome, failure: &Failure) {
    eprintln!("seed {} failed in step {}:", outcome.seed, failure.step);
    failure.story.iter().for_each(|line| eprintln!("{line}"));
    eprintln!("{}", failure.reason);
    eprintln!("again: cargo run --release -p sim -- --seed {} --trace", outcome.seed);
}
