//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::demo::DemoArgs;
use crate::explain_cmd::ExplainArgs;
use crate::journal_cmd::{DumpArgs, RepairArgs, VerifyArgs};
use crate::key_cmd::KeyCreateArgs;
use crate::load_cmd::LoadArgs;
use crate::sale_apply::SaleApplyArgs;
use crate::serve::ServeArgs;
use crate::settings::SettingsArgs;
use crate::token::TokenArgs;
use crate::verify_cmd::VerifyReceiptArgs;
use crate::{demo, explain_cmd, journal_cmd, key_cmd, load_cmd, sale_apply, serve, token, verify_cmd};

/// Sells limited things to a crowd: exactly what there is, and nothing confirmed is ever lost.
#[derive(Parser, Debug)]
#[command(name = "onrush", version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Open a sale, let a crowd of real HTTP clients in, and check what was sold.
    Demo(DemoArgs),
    /// Run a server.
    Serve(ServeArgs),
    /// Make a buyer's token for trying things out.
    Token(TokenArgs),
    /// Send many requests, such as a crowd's orders, and say how long they took.
    ///
    /// With --sale each request is an order of another buyer: a real one, so rehearse on a sale made for it. Without,
    /// requests are what --method, --header and --body say; {n} in them, or in the URL, is the request's number.
    Load(LoadArgs),
    /// Keys of the organiser and of trusted integrators.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Sales as files.
    #[command(subcommand)]
    Sale(SaleCommand),
    /// Check a receipt against the journal; beside a running server too.
    Verify(VerifyReceiptArgs),
    /// Tell the story of an order, a buyer or an item from the journal; beside a running server too.
    Explain(ExplainArgs),
    /// Look into a journal, beside a running server too; or repair one.
    #[command(subcommand)]
    Journal(JournalCommand),
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Subcommand, Debug)]
enum KeyCommand {
    /// Make a key and show it, this once.
    Create(KeyCreateArgs),
}

#[derive(Subcommand, Debug)]
enum SaleCommand {
    /// Create or change the sale that a file describes; shows the difference first.
    Apply(SaleApplyArgs),
}

#[derive(Subcommand, Debug)]
enum JournalCommand {
    /// Check every byte, replay every fact, check every invariant.
    Verify(VerifyArgs),
    /// Print facts, one JSON object per line.
    Dump(DumpArgs),
    /// Show what damage costs, and give it up when told to.
    Repair(RepairArgs),
}

#[derive(Subcommand, Debug)]
enum ConfigCommand {
    /// Print the effective configuration and where each value came from.
    Print(SettingsArgs),
}

/// Runs the command that the process was started with. Exit codes: 0 done, 1 the command failed or found what
/// it looks for, 2 it was called wrongly; `onrush journal` has a few of its own.
pub fn run() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args).map(exit_code),
        Command::Serve(args) => serve::serve(&args),
        Command::Token(args) => token::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Load(args) => load_cmd::run(&args),
        Command::Key(KeyCommand::Create(args)) => key_cmd::create(&args).map(|()| ExitCode::SUCCESS),
        Command::Sale(SaleCommand::Apply(args)) => sale_apply::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Verify(args) => verify_cmd::run(&args),
        Command::Explain(args) => explain_cmd::run(&args),
        Command::Journal(JournalCommand::Verify(args)) => journal_cmd::verify(&args),
        Command::Journal(JournalCommand::Dump(args)) => journal_cmd::dump(&args),
        Command::Journal(JournalCommand::Repair(args)) => journal_cmd::repair(&args),
        Command::Config(ConfigCommand::Print(settings)) => print_config(&settings),
    };
    result.unwrap_or_else(|error| {
        complain(&error);
        ExitCode::FAILURE
    })
}

fn exit_code(all_held: bool) -> ExitCode {
    if all_held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[expect(clippy::print_stdout, reason = "printing is what was asked for")]
fn print_config(settings: &SettingsArgs) -> anyhow::Result<ExitCode> {
    print!("{}", settings.load()?.print());
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stderr, reason = "the error goes where errors go")]
fn complain(error: &anyhow::Error) {
    eprintln!("onrush: {error:#}");
}
