//! `bench run`: everything side by side, judged by the targets.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::{Args, value_parser};

use crate::batch;
use crate::counted::{calls, instructions, journal};
use crate::crowd;
use crate::figure::Figures;
use crate::light;
use crate::load::Tokens;
use crate::machine::Facts;
use crate::plan::{self, Job};
use crate::program;
use crate::recovery;
use crate::report::Report;
use crate::restart;
use crate::rush;
use crate::series::{Bench, Comparison, Left, Settings};
use crate::site::Site;
use crate::slow;

/// Buyers of measured runs. Each may have four units, so that the runs on one server may go round four times.
const BUYERS: u32 = 1_000_000;
/// Buyers that bought before, where that is looked at.
const CROWD_QUICK: u32 = 300_000;
/// Buyers of what goes before.
const BUYERS_OF_WARM_UP: u32 = 100_000;

/// What others may use of the machine before a pair counts as disturbed, unless somebody says otherwise.
const DISTURBANCE_PERCENT_MAX: f64 = 5.0;

/// Measure Onrush beside others, and say which targets it reaches.
#[derive(Args)]
pub(crate) struct RunArgs {
    /// Fewer and shorter measurements, and none that compare no arms and take long: some three minutes instead of thirty.
    #[arg(long)]
    quick: bool,
    /// Only what this target (`R1` to `R17`), comparison or figure needs; may be given several times.
    #[arg(long, value_name = "ID")]
    only: Vec<String>,
    /// Undisturbed pairs of measurements for each comparison; by itself 9, quick 2.
    #[arg(long, value_parser = value_parser!(u32).range(1..=99))]
    pairs: Option<u32>,
    /// How long each measurement takes; by itself 2, quick 0.5.
    #[arg(long)]
    seconds: Option<f64>,
    /// Connections of the generator, instead of those of the plan.
    #[arg(long, value_parser = value_parser!(u32).range(1..=10_000))]
    connections: Option<u32>,
    /// The part of the machine, in percent, that others may use before a pair counts as disturbed.
    #[arg(long, default_value_t = DISTURBANCE_PERCENT_MAX)]
    disturbance_max: f64,
    /// Give the generator a core of its own in comparisons by CPU time, too; waiting is always measured so.
    #[arg(long)]
    apart: bool,
    /// The program to measure; without it, the one of this profile is built and used.
    #[arg(long, value_name = "PATH")]
    bin: Option<PathBuf>,
    /// Another build of Onrush, for `--only order-order-before`: whether a change pays.
    #[arg(long, value_name = "PATH")]
    before: Option<PathBuf>,
    /// Where journals and databases are written: a folder on the disk that is to be measured.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    dir: PathBuf,
    /// Write everything that was measured into this file.
    #[arg(long, value_name = "FILE", default_value = "bench.json")]
    json: PathBuf,
    /// Write a page with plots into this file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// How much is measured, in so many pairs or the usual number.
fn settings(is_quick: bool, pairs: Option<u32>) -> Settings {
    let pairs = pairs.unwrap_or(if is_quick { 2 } else { 9 });
    Settings {
        pairs,
        seconds: if is_quick { 0.5 } else { 2.0 },
        warm_up_seconds: if is_quick { 0.2 } else { 0.7 },
        crowd: if is_quick { CROWD_QUICK } else { crowd::CROWD },
        counted: if is_quick { 2_560 } else { 12_800 },
        disturbance_max: DISTURBANCE_PERCENT_MAX / 100.0,
        repeats_max: if is_quick { 0 } else { 4 * pairs },
        waits_max: if is_quick { 10 } else { 400 },
        is_apart: false,
    }
}

impl RunArgs {
    fn settings(&self) -> Settings {
        let usual = settings(self.quick, self.pairs);
        Settings {
            seconds: self.seconds.unwrap_or(usual.seconds).clamp(0.1, 60.0),
            disturbance_max: self.disturbance_max / 100.0,
            is_apart: self.apart,
            ..usual
        }
    }
}

/// Runs the command. The exit code says whether all that was measured was right, not whether targets are reached.
///
/// # Errors
/// When something cannot be started.
pub(crate) fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let jobs = plan::jobs(&args.only, args.quick).map_err(anyhow::Error::msg)?;
    let site = Site::new(program::measured(args.bin.as_deref(), args.before.as_deref())?, &args.dir)?;
    let mut report = report(&site, &jobs, args.settings(), args.connections)?;
    report.judge();
    print!("{report}");
    write(&args.json, &serde_json::to_string_pretty(&report)?)?;
    if let Some(path) = &args.html {
        write(path, &report.html())?;
    }
    Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Put the programs to the work that a build with a profile learns from, and check it.
#[derive(Args)]
pub(crate) struct TrainArgs {
    /// The program that learns; `peer` stands beside it.
    #[arg(long, value_name = "PATH")]
    bin: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// When something cannot be started, or was wrong: nothing is to be learned from that.
pub(crate) fn train(args: &TrainArgs) -> anyhow::Result<ExitCode> {
    let jobs = plan::jobs(&plan::TRAINING.map(str::to_owned), true).map_err(anyhow::Error::msg)?;
    let site = Site::new(program::measured(Some(&args.bin), None)?, &std::env::temp_dir())?;
    let report = report(&site, &jobs, settings(true, None), None)?;
    ensure!(report.is_sound(), "the work was not done right:\n{report}");
    Ok(ExitCode::SUCCESS)
}

/// Does these jobs one after the other.
fn report(site: &Site, jobs: &[Job], settings: Settings, connections: Option<u32>) -> anyhow::Result<Report> {
    let [tokens, warm_up_tokens] = site.tokens([("m", BUYERS), ("w", BUYERS_OF_WARM_UP)])?;
    let (tokens, warm_up_tokens) = (Tokens::read(&tokens)?, Tokens::read(&warm_up_tokens)?);
    let (repeats, waits) = (Left::new(settings.repeats_max), Left::new(settings.waits_max));
    let bench = Bench { site, tokens: &tokens, warm_up_tokens: &warm_up_tokens, settings, repeats, waits };
    let mut report = Report::new(Facts::read(site.folder()), settings);
    for job in jobs {
        eprintln!("── {}", job.name());
        match *job {
            Job::Compare(comparison) => {
                let connections = connections.unwrap_or(comparison.connections);
                report.add_series(bench.series(Comparison { connections, ..comparison })?);
            }
            other => report.add_figures(figures(other, &bench)?),
        }
    }
    Ok(report)
}

fn figures(job: Job, bench: &Bench<'_>) -> anyhow::Result<Figures> {
    match job {
        Job::Instructions => instructions::figures(bench.site, bench.settings.counted),
        Job::Calls => calls::figures(bench),
        Job::Journal => journal::figures(bench),
        Job::Light => light::figures(bench),
        Job::Restart => restart::figures(bench),
        Job::Rush => rush::figures(bench),
        Job::Recovery => recovery::figures(bench),
        Job::Slow => slow::figures(bench),
        Job::Crowd => crowd::figures(bench),
        Job::Batch => batch::figures(bench),
        Job::Compare(comparison) => unreachable!("{} is a series, not a figure", comparison.id),
    }
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
