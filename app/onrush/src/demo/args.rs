//! `onrush demo`: its flags.

use std::path::PathBuf;

use clap::{Args, value_parser};

/// Open a sale, let a crowd of real HTTP clients in, and check that exactly the stock was sold.
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// How many buyers come; at least as many as there are units.
    #[arg(long, default_value_t = 50_000, value_parser = value_parser!(u32).range(1..=5_000_000))]
    pub buyers: u32,
    /// How many units there are, over the concert's three price tiers.
    #[arg(long, default_value_t = 2_000, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub units: u32,
    /// Arrivals a second once the rush is over; at the opening instant there are three times as many.
    #[arg(long, default_value_t = 3_000, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub rate: u32,
    /// Decides who comes when and what they do.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: u64,
    /// Where the server keeps its data; without it, in a temporary folder that goes at the end.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// End after the report, with status 0 only if every check held.
    #[arg(long)]
    pub exit: bool,
    /// Write the report as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

impl Default for DemoArgs {
    fn default() -> DemoArgs {
        DemoArgs { buyers: 50_000, units: 2_000, rate: 3_000, seed: 1, data: None, exit: false, json: None }
    }
}
