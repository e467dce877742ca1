//! `peer`: what Onrush is measured beside. Nobody imports this room; `tools/bench` starts it.
//!
//! The field's usual designs, each as well made as can be, behind Onrush's own HTTP front: [`front`] is the very
//! edge that `onrush serve` has, with another [`store`] behind its `Backend`. So parsing, tokens, JSON and
//! answers are the same to the letter, and only whoever decides and remembers differs. [`hello`] is a plain axum
//! program instead. Start with [`store`].
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command: the benchmark reads its output")]

mod backend;
mod front;
mod hello;
mod mariadb;
mod pool;
mod postgres;
mod redis;
mod store;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The same as Onrush's, or the difference would be measured too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What Onrush is measured beside.
#[derive(Parser)]
#[command(name = "peer", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Onrush's front, and another store that decides.
    Front(front::FrontArgs),
    /// A hello of plain axum, which reads and writes JSON.
    Axum(hello::HelloArgs),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Front(args) => front::run(&args),
        Command::Axum(args) => hello::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peer: {error:#}");
            ExitCode::FAILURE
        }
    }
}
