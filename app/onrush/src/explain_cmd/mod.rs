//! `onrush explain`: the story of an order, a buyer or an item, from the journal.
//!
//! Facts are replayed through the engine, from the journal's first record or from the oldest snapshot that
//! reaches it, so what stood before and after each of them is known and not guessed. Reads only and takes no
//! lock. Memory: the shard's state. Start with [`replay`], which goes through a journal; [`question`] says which
//! facts matter.

mod levels;
mod moment;
mod question;
mod replay;
mod why;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use domain::UnixMs;

use crate::journal_cmd::names::OrderNames;
use crate::journal_cmd::shards;
use moment::Moment;
use question::Question;
use replay::Replay;

/// Moments that are told of an item before the instant that was asked about.
const MOMENT_COUNT_BEFORE: usize = 10;

/// What `onrush explain` is asked.
#[derive(Args, Clone, Debug)]
pub struct ExplainArgs {
    /// The data directory, or the folder of one shard.
    #[arg(default_value = "onrush-data")]
    pub dir: PathBuf,
    #[command(flatten)]
    pub(crate) about: About,
    /// Only orders of this sale.
    #[arg(long, value_name = "SALE", requires = "buyer")]
    pub sale: Option<String>,
    /// How it was at this instant, RFC 3339: nothing later is told, and of an item only the last few moments.
    #[arg(long, value_name = "TIME", value_parser = question::parse_time)]
    pub at: Option<UnixMs>,
    /// One JSON object per moment, in the fields of `onrush journal dump` and a few more.
    #[arg(long)]
    pub json: bool,
}

/// Whose story.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct About {
    /// An order: the code that its buyer knows, or its number.
    #[arg(long, value_name = "ID")]
    pub(crate) order: Option<String>,
    /// A buyer: the `sub` of the token, or `sha256:…` as lists show a long one.
    #[arg(long, value_name = "NAME")]
    pub(crate) buyer: Option<String>,
    /// An item: SALE/ITEM.
    #[arg(long, value_name = "SALE/ITEM")]
    pub(crate) item: Option<String>,
}

/// Runs the command. Exit codes: 0 told, 1 nothing found or the journal is damaged, 2 it could not be read or
/// was asked wrongly.
///
/// # Errors
/// None: a failure is told on the standard error output.
pub fn run(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let mut out = BufWriter::new(io::stdout().lock());
    let told = explain(args, (&mut out, &mut io::stderr().lock()));
    let flushed = out.flush().map_err(anyhow::Error::from);
    Ok(match told.and_then(|told| flushed.map(|()| told)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        // Whoever reads through `head` has heard enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::from(2)
        }
    })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

#[expect(clippy::print_stderr, reason = "the error goes where errors go")]
fn complain(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

/// Tells the story to `out`, and to `notes` what a reader should know besides. Returns whether something was
/// found and all of it could be read.
fn explain(args: &ExplainArgs, (out, notes): (&mut dyn Write, &mut dyn Write)) -> anyhow::Result<bool> {
    let found = shards::find(&args.dir)?;
    let orders = OrderNames::read(found.installation.as_ref());
    let question = Question::new(args, &orders)?;
    let (mut moment_count, mut is_whole) = (0, true);
    for folder in found.shards.iter().filter(|folder| question.may_be_in(folder.shard)) {
        let mut teller = Teller::new(args, out);
        let replay = Replay::new(folder, (&question, args.at), &orders);
        let ended = replay.run(&mut |moment| teller.hear(moment), notes)?;
        is_whole &= ended.is_whole;
        moment_count += teller.finish()?;
        let is_there = ended.tell_standing(out, args.json)?;
        moment_count += usize::from(is_there);
    }
    if moment_count == 0 {
        question.tell_absence(notes)?;
    }
    Ok(moment_count > 0 && is_whole)
}

/// Writes moments as they come; or, when only the last ones count, those at the end.
struct Teller<'a> {
    out: &'a mut dyn Write,
    json: bool,
    /// `Some`: keep so many, and tell them at the end.
    keep: Option<VecDeque<Moment>>,
    count: usize,
}

impl<'a> Teller<'a> {
    fn new(args: &ExplainArgs, out: &'a mut dyn Write) -> Teller<'a> {
        let only_last = args.at.is_some() && args.about.item.is_some();
        Teller { out, json: args.json, keep: only_last.then(VecDeque::new), count: 0 }
    }

    fn hear(&mut self, moment: Moment) -> anyhow::Result<()> {
        self.count += 1;
        let Some(kept) = &mut self.keep else { return moment.write(self.out, self.json) };
        if kept.len() == MOMENT_COUNT_BEFORE {
            kept.pop_front();
        }
        kept.push_back(moment);
        Ok(())
    }

    /// Returns how many moments there were.
    fn finish(self) -> anyhow::Result<usize> {
        let Teller { out, json, keep, count } = self;
        let kept = keep.unwrap_or_default();
        if !json && count > kept.len() && !kept.is_empty() {
            writeln!(out, "the last {} of {count} moments:", kept.len())?;
        }
        kept.iter().try_for_each(|moment| moment.write(out, json))?;
        Ok(count)
    }
}
