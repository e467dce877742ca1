//! `bench orders`: what a durable order costs, beside what the HTTP stack alone costs.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, value_parser};

use crate::arm::Arm;
use crate::house::Site;
use crate::load::Load;
use crate::machine::Facts;
use crate::program;
use crate::report::Report;
use crate::series::{Bench, Settings};

/// More orders than a run of a second has: so many buyers are ready for each.
const BUYERS_PER_SECOND: u32 = 100_000;

/// Measure arms of Onrush beside the hello.
#[derive(Args)]
pub(crate) struct OrdersArgs {
    /// Undisturbed pairs of measurements for each arm.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(1..=99))]
    pairs: u32,
    /// How long each measurement takes.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(1..=60))]
    seconds: u32,
    /// How long each server is warmed up before it is measured.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(1..=10))]
    warm_up_seconds: u32,
    /// Connections of the generator.
    #[arg(long, default_value_t = 64, value_parser = value_parser!(u32).range(1..=10_000))]
    connections: u32,
    /// What to measure; may be given several times.
    #[arg(long = "arm", value_enum, default_values_t = [Arm::Order])]
    arms: Vec<Arm>,
    /// The part of the machine, in percent, that others may use before a pair counts as disturbed.
    #[arg(long, default_value_t = 5.0)]
    disturbance_max: f64,
    /// The program to measure; without it, the one of this profile is built and used.
    #[arg(long, value_name = "PATH")]
    bin: Option<PathBuf>,
    /// Where journals are written: a folder on the disk that is to be measured.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    dir: PathBuf,
    /// Write everything that was measured into this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the command. The exit code says whether every answer and every journal was right.
///
/// # Errors
/// When something cannot be started.
pub(crate) fn run(args: &OrdersArgs) -> anyhow::Result<ExitCode> {
    Load::check_installed()?;
    let site = Site::new(program::onrush(args.bin.as_deref())?, &args.dir)?;
    let settings = Settings {
        pairs: args.pairs,
        seconds: args.seconds,
        warm_up_seconds: args.warm_up_seconds,
        connections: args.connections,
        disturbance_max: args.disturbance_max / 100.0,
    };
    let buyers = |seconds| seconds * BUYERS_PER_SECOND;
    let files = [("measured", buyers(args.seconds)), ("warm-up", buyers(args.warm_up_seconds))];
    let [tokens, warm_up_tokens] = site.tokens(files)?;
    let bench = Bench { site: &site, tokens: &tokens, warm_up_tokens: &warm_up_tokens, settings };
    let series = args.arms.iter().map(|arm| bench.series(*arm)).collect::<anyhow::Result<Vec<_>>>()?;
    let report = Report::of(Facts::read(site.folder()), settings, series);
    print!("{report}");
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(&report)?;
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
