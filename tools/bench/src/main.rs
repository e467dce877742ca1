//! `bench`: measures Onrush beside others, on the same machine in the same run. Nobody imports this room, and it
//! imports `io/load` alone: it drives the real programs from outside.
//!
//! [`plan`] is what is measured. Most of it are comparisons: a [`series`] of pairs of measurements, each of two
//! [`arm`]s, which [`stand`] starts and ends, driven by [`load`], with the CPU time that the kernel counted
//! ([`cpu`]); [`ledger`] checks afterwards what was sold. [`counted`] counts instead of timing. [`targets`] says
//! what Onrush wants to reach. Start with [`run`]; what the figures mean stands in `docs/performance.md`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people")]

mod arm;
mod batch;
mod cores;
mod counted;
mod cpu;
mod crowd;
mod figure;
mod hello;
mod http_client;
mod idle;
mod ledger;
mod light;
mod load;
mod machine;
mod plan;
mod process;
mod program;
mod recovery;
mod report;
mod restart;
mod run;
mod rush;
mod sample;
mod series;
mod server;
mod site;
mod slow;
mod stand;
mod targets;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The same as the measured server's, or the difference would be measured too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures Onrush beside others.
#[derive(Parser)]
#[command(name = "bench", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything side by side, judged by the targets.
    Run(run::RunArgs),
    /// What a build with a profile learns from: the same work, measured for nobody.
    Train(run::TrainArgs),
    /// Instructions in user space and allocations per order, counted by callgrind.
    Instructions(counted::instructions::InstructionsArgs),
    /// The bare hello, until it is ended.
    Hello(hello::HelloArgs),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Train(args) => run::train(&args),
        Command::Instructions(args) => counted::instructions::run(&args),
        Command::Hello(args) => hello::run(&args).map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        eprintln!("bench: {error:#}");
        ExitCode::FAILURE
    })
}
