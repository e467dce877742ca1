//! `torture`: the journal and the snapshots under attack. All images, or a seeded sample.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people")]

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use sim::torture::attack::{Class, Extent, Report, run, tried_count};
use sim::torture::everything::{Ground, classes};

/// Attacks the journal and the snapshots with every cut of the power and all rot.
#[derive(Parser)]
struct Args {
    /// A seeded sample of every class, in seconds.
    #[arg(long)]
    quick: bool,
    /// What the journals, the run and the sample are made from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only classes whose name contains this.
    #[arg(long)]
    class: Option<String>,
    /// Only this image of the class.
    #[arg(long, requires = "class")]
    image: Option<u64>,
    /// Threads; else as many as there are cores.
    #[arg(long)]
    threads: Option<usize>,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let extent = match (args.image, args.quick) {
        (Some(number), _) => Extent::One(number),
        (None, true) => Extent::Sample(args.seed),
        (None, false) => Extent::Full,
    };
    let threads = args.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let ground = Ground::new(args.seed)?;
    println!("{}", ground.describe());
    let chosen =
        |class: &Class<'_>| args.class.as_ref().is_none_or(|name| class.name.contains(name.as_str()));
    let classes: Vec<Class<'_>> = classes(&ground).into_iter().filter(chosen).collect();
    let started = Instant::now();
    println!(
        "{:<46} {:>9} {:>9} {:>9} {:>9} {:>6} {:>6} {:>6} {:>6}  time",
        "class", "images", "held", "named", "harmless", "limit", "wrong", "silent", "panics"
    );
    let mut all_good = true;
    for class in &classes {
        let class_started = Instant::now();
        let bar = bar(class, extent);
        let report = run(class, extent, threads, &|count| bar.inc(count));
        bar.finish_and_clear();
        all_good &= report.tally.is_good();
        tell(&report, &args, class_started.elapsed().as_secs());
    }
    println!("{} classes in {} s", classes.len(), started.elapsed().as_secs());
    Ok(if all_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn bar(class: &Class<'_>, extent: Extent) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len}, {elapsed} ({eta} left)");
    let bar = ProgressBar::new(tried_count(class, extent)).with_style(style.expect("the template is sound"));
    bar.with_message(class.name.clone())
}

fn tell(report: &Report, args: &Args, seconds: u64) {
    let tally = &report.tally;
    println!(
        "{:<46} {:>9} {:>9} {:>9} {:>9} {:>6} {:>6} {:>6} {:>6}  {seconds} s",
        report.name,
        tally.images,
        tally.held,
        tally.named,
        tally.harmless,
        tally.limit,
        tally.wrong,
        tally.silent,
        tally.panics
    );
    for (number, reason) in &report.failures {
        eprintln!("  image {number}: {reason}");
        eprintln!("  again: torture --seed {} --class '{}' --image {number}", args.seed, report.name);
    }
}
