//! `onrush verify RECEIPT DIR`: whether what a receipt says is in the journal.
//!
//! Reads only and takes no lock, so it works beside a running server. The answer is in words, and in the exit
//! code: see [`Verdict`].

mod check;
mod look;

#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

/// What `onrush verify` is asked.
#[derive(Args, Clone, Debug)]
pub struct VerifyReceiptArgs {
    /// The receipt: the header `Onrush-Receipt` of an answer about an order.
    pub receipt: String,
    /// The data directory, or the folder of one shard within it.
    pub dir: PathBuf,
}

/// Whether the receipt is in the journal; its number is the exit code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// It is.
    InJournal = 0,
    /// It is not: changed, of another journal, or the journal is damaged or incomplete.
    NotInJournal = 1,
    /// The question makes no sense, or the files cannot be read.
    Failed = 2,
    /// That part of the journal was dropped behind snapshots, so nobody can say.
    Dropped = 3,
}

/// Runs the command.
///
/// # Errors
/// None: a failure is told on the standard error output, and its exit code is 2.
pub fn run(args: &VerifyReceiptArgs) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let verdict = check::run(args, &mut out);
    let flushed = out.flush().map_err(anyhow::Error::from);
    Ok(match verdict.and_then(|verdict| flushed.map(|()| verdict)) {
        Ok(verdict) => ExitCode::from(verdict as u8),
        Err(error) => {
            complain(&error);
            ExitCode::from(Verdict::Failed as u8)
        }
    })
}

#[expect(clippy::print_stderr, reason = "the error goes where errors go")]
fn complain(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}
