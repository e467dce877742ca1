//! `onrush journal verify DIR` and `onrush journal dump DIR`: what a journal holds, for people and scripts;
//! and `onrush journal repair DIR`, for the day on which it is damaged.
//!
//! The first two read only and take no lock, so they work beside a running server; the batch that is just
//! being written then looks like a torn tail. Neither may change a byte: that is what `repair` is for, which
//! takes the lock. Exit codes are the same for all, see [`Verdict`].

mod dump;
pub(crate) mod names;
mod repair;
pub(crate) mod row;
pub(crate) mod shards;
mod summary;
mod verify;

#[cfg(test)]
mod repair_tests;
#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

/// What `onrush journal verify` is asked.
#[derive(Args, Clone, Debug)]
pub struct VerifyArgs {
    /// The data directory, or the folder of one shard.
    pub dir: PathBuf,
}

/// What `onrush journal dump` is asked.
#[derive(Args, Clone, Debug)]
pub struct DumpArgs {
    /// The data directory, or the folder of one shard.
    pub dir: PathBuf,
    /// Only facts from this position on, in every shard.
    #[arg(long, value_name = "SEQ", default_value_t = 1)]
    pub from: u64,
    /// Only facts about this order: its number, or the code that its buyer knows.
    #[arg(long, value_name = "ID")]
    pub order: Option<String>,
}

/// What `onrush journal repair` is asked.
#[derive(Args, Clone, Debug)]
pub struct RepairArgs {
    /// The data directory, or the folder of one shard. No server may run on it.
    pub dir: PathBuf,
    /// Which shard, when several are damaged.
    #[arg(long, value_name = "NUMBER")]
    pub shard: Option<u16>,
    /// Give up what is damaged: the offset of the damage, as shown without this.
    #[arg(long, value_name = "OFFSET")]
    pub confirm: Option<u64>,
}

/// How a journal was found; its number is the exit code. The gravest of all shards counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// All is well.
    Clean = 0,
    /// Something stored is not what it was, or an invariant does not hold: someone must act.
    Damaged = 1,
    /// The question makes no sense, or the disk cannot be read.
    Failed = 2,
    /// A write was cut off before it was acknowledged, or is under way: `serve` recovers by itself.
    TornTail = 3,
}

impl Verdict {
    /// The graver of two.
    fn or(self, other: Verdict) -> Verdict {
        const BY_GRAVITY: [Verdict; 4] =
            [Verdict::Clean, Verdict::TornTail, Verdict::Failed, Verdict::Damaged];
        let gravity = |verdict: Verdict| BY_GRAVITY.iter().position(|known| *known == verdict);
        if gravity(self) < gravity(other) { other } else { self }
    }

    fn text(self) -> &'static str {
        match self {
            Verdict::Clean => "clean",
            Verdict::Damaged => "damaged",
            Verdict::Failed => "not checked",
            Verdict::TornTail => "clean but for a torn tail, which `onrush serve` recovers from",
        }
    }
}

/// Runs `onrush journal verify`.
///
/// # Errors
/// None: a failure is told on the standard error output, and its exit code is 2.
pub fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    Ok(finish(verify::run(args, &mut io::stdout().lock())))
}

/// Runs `onrush journal dump`.
///
/// # Errors
/// None: a failure is told on the standard error output, and its exit code is 2.
pub fn dump(args: &DumpArgs) -> anyhow::Result<ExitCode> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let verdict = dump::run(args, &mut out, &mut io::stderr().lock());
    let flushed = out.flush().map_err(anyhow::Error::from);
    Ok(finish(verdict.and_then(|verdict| flushed.map(|()| verdict))))
}

/// Runs `onrush journal repair`.
///
/// # Errors
/// None: a failure is told on the standard error output, and its exit code is 2.
pub fn repair(args: &RepairArgs) -> anyhow::Result<ExitCode> {
    Ok(finish(repair::run(args, &mut io::stdout().lock())))
}

fn finish(verdict: anyhow::Result<Verdict>) -> ExitCode {
    match verdict {
        Ok(verdict) => ExitCode::from(verdict as u8),
        // Whoever reads through `head` has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::from(Verdict::Clean as u8),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(Verdict::Failed as u8)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(io::ErrorKind::BrokenPipe)
}
