//! `bench`: measures Onrush beside a bare server of the same HTTP stack, on the same machine in the same run.
//! Nobody imports this room, and it imports no other: it drives the real programs from outside.
//!
//! [`orders`] is the benchmark: pairs of measurements, each of one [`arm`] and of [`hello`], driven by wrk
//! ([`load`]), with the CPU time that the kernel counted ([`cpu`]). [`house`] is the measured Onrush and checks
//! afterwards what it sold. [`instructions`] counts instructions instead of time. Start with [`orders`]; what
//! the figures mean stands in `docs/performance.md`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people")]

mod arm;
mod cpu;
mod hello;
mod house;
mod http_client;
mod instructions;
mod load;
mod machine;
mod orders;
mod program;
mod report;
mod sample;
mod series;
mod server;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The same as the measured server's, or the difference would be measured too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures Onrush beside a bare server of the same HTTP stack.
#[derive(Parser)]
#[command(name = "bench", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Orders (or sold-out answers, or stock pages) against a bare hello that gets the same requests.
    Orders(orders::OrdersArgs),
    /// Instructions in user space per order, counted by callgrind.
    Instructions(instructions::InstructionsArgs),
    /// The bare hello, until it is ended.
    Hello(hello::HelloArgs),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Orders(args) => orders::run(&args),
        Command::Instructions(args) => instructions::run(&args),
        Command::Hello(args) => hello::run(&args).map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        eprintln!("bench: {error:#}");
        ExitCode::FAILURE
    })
}
