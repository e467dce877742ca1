//! `onrush load`: rehearse a sale, or load any server. The engine is the room `load`; here are the flags, the
//! requests, and the report for people.
//!
//! [`orders`] makes each request an order of another buyer; [`any`] takes them from the command line.

mod address;
mod any;
mod args;
mod orders;
mod progress;
mod table;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use load::{Plan, Report};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use address::Address;
pub use args::LoadArgs;
use orders::Orders;

/// Open files beside the connections.
const FILE_RESERVE: u64 = 64;

/// Runs the command. The exit code is 0 if the figures are the server's, and 1 if they are invalid.
///
/// # Errors
/// When it was called wrongly, the server cannot be reached, or it answers in a way that cannot be measured.
pub fn run(args: &LoadArgs) -> anyhow::Result<ExitCode> {
    let address = Address::parse(&args.url)?;
    let plan = args.plan(address.target)?;
    allow_files(&plan)?;
    let report = match &args.orders.sale {
        Some(sale) => {
            let orders = Orders::new(args, sale, &address)?;
            progress::show(&plan, |watch| load::run(&plan, watch, |share| orders.requests(share)))
        }
        None => {
            let template = any::template(&args.any, &address, args.new_connections)?;
            progress::show(&plan, |watch| load::run(&plan, watch, |share| template.requests(share)))
        }
    }?;
    tell(&report, args)?;
    Ok(if report.validity.is_valid() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Takes as many open files as the connections need and the system allows.
fn allow_files(plan: &Plan) -> anyhow::Result<()> {
    let wanted = plan.connection_count as u64 + FILE_RESERVE;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    let allowed = limit.maximum.unwrap_or(u64::MAX);
    ensure!(
        wanted <= allowed,
        "{} connections need {wanted} open files, and the system allows {allowed} (ulimit -Hn)",
        plan.connection_count
    );
    setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum })
        .context("cannot raise the limit of open files")
}

fn tell(report: &Report, args: &LoadArgs) -> anyhow::Result<()> {
    if let Some(file) = &args.json {
        let json = serde_json::to_string_pretty(report)?;
        std::fs::write(file, json).with_context(|| format!("cannot write {}", file.display()))?;
    }
    write!(std::io::stdout(), "{}", table::text(report)).context("nobody reads the output")
}
