//! One way through a shard's journal, with the state before and after every fact.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Context as _, anyhow, bail};
use domain::{Fact, ItemIndex, SaleId, Seq, UnixMs};
use engine::State;
use journal::{Record, Verdict};
use serde_json::json;
use views::{Position, SnapshotStore};

use super::levels::{LevelsRow, Step};
use super::moment::Moment;
use super::question::{Question, Subject};
use super::why::why;
use crate::journal_cmd::names::{self, OrderNames};
use crate::journal_cmd::row::{self, Row};
use crate::journal_cmd::shards::ShardFolder;
use crate::story::{Owner, Titles, Words};

/// Facts between two words about how far it is.
const PROGRESS_FACT_COUNT: u64 = 1_000_000;

/// What takes the moments of a story.
pub(super) type Hear<'h> = &'h mut dyn FnMut(Moment) -> anyhow::Result<()>;

/// A shard that is lived through again.
pub(super) struct Replay<'a> {
    folder: &'a ShardFolder,
    question: &'a Question,
    /// Nothing later counts.
    at: Option<UnixMs>,
    orders: &'a OrderNames,
    state: State,
    titles: Titles,
    subject: Subject,
    /// The last fact that was applied.
    time: Option<UnixMs>,
    has_begun: bool,
}

/// Where a replay ended.
pub(super) struct Ended<'a> {
    replay: Replay<'a>,
    /// The journal was readable to its end.
    pub(super) is_whole: bool,
}

impl<'a> Replay<'a> {
    pub(super) fn new(
        folder: &'a ShardFolder,
        (question, at): (&'a Question, Option<UnixMs>),
        orders: &'a OrderNames,
    ) -> Replay<'a> {
        let (state, titles, subject) = (State::new(folder.shard, 0), Titles::default(), Subject::default());
        Replay { folder, question, at, orders, state, titles, subject, time: None, has_begun: false }
    }

    /// Goes through the journal, and has `hear` told what belongs to the story.
    pub(super) fn run(mut self, hear: Hear<'_>, notes: &mut dyn Write) -> anyhow::Result<Ended<'a>> {
        let mut failed = None;
        let folder = self.folder;
        let report = journal::scan(&folder.disk, &mut |record| {
            // The scan cannot be stopped; after a failure nothing more is done.
            if failed.is_none() {
                failed = self.take(&record, hear, notes).err();
            }
        });
        let report = report.with_context(|| folder.path.display().to_string())?;
        if let Some(error) = failed {
            return Err(error);
        }
        match &report.verdict {
            Ok(Verdict::Clean) => {}
            Ok(Verdict::TornTail(_)) => {
                writeln!(
                    notes,
                    "note: a write at the journal's end was cut off, or is under way; it is not told"
                )?;
            }
            Err(damage) => writeln!(notes, "error: {damage}; what is behind it cannot be told")?,
        }
        Ok(Ended { is_whole: report.verdict.is_ok(), replay: self })
    }

    fn take(&mut self, record: &Record<'_>, hear: Hear<'_>, notes: &mut dyn Write) -> anyhow::Result<()> {
        if !self.has_begun {
            self.begin(record.seq, notes)?;
        }
        if record.seq.0.is_multiple_of(PROGRESS_FACT_COUNT) {
            writeln!(notes, "shard {}: read {} facts", self.folder.shard.get(), record.seq.0)?;
        }
        if record.seq <= self.state.seq() || self.at.is_some_and(|at| record.time > at) {
            return Ok(());
        }
        let fact = codec::decode(record.kind, record.payload)
            .with_context(|| format!("fact {} is of no kind that this version knows", record.seq.0))?;
        self.titles.hear(&fact);
        self.time = Some(record.time);
        if self.subject.takes(self.question, &fact, (&self.state, &self.titles)) {
            hear(self.live(record, &fact)?)
        } else {
            self.apply(record.seq, &fact)
        }
    }

    /// Starts from nothing if the journal does, else from the oldest snapshot that reaches it.
    fn begin(&mut self, first: Seq, notes: &mut dyn Write) -> anyhow::Result<()> {
        self.has_begun = true;
        if first <= Seq(1) {
            return Ok(());
        }
        let (position, state) = oldest_snapshot(self.folder, first)?;
        if let Some(at) = self.at.filter(|at| *at < position.time) {
            let (at, time) = (names::time(at), names::time(position.time));
            bail!("what was before {time} was dropped behind snapshots: nobody can say how it was at {at}");
        }
        (self.state, self.time) = (state, Some(position.time));
        self.titles = Titles::of(&self.state);
        self.subject = self.question.subject(&self.state, &self.titles);
        let (shard, seq) = (self.folder.shard.get(), self.state.seq().0);
        writeln!(
            notes,
            "note: the beginning of shard {shard} was dropped behind snapshots; it is told from fact {} \
             on, and how things stood \
             before that is known from the snapshot up to fact {seq}",
            seq + 1
        )?;
        for order in self.subject.orders() {
            let view = self.state.order(order).context("an order of the snapshot")?;
            let code = self.words().order(order);
            writeln!(notes, "note: in that snapshot order {code} is {}", view.state.name())?;
        }
        Ok(())
    }

    /// Applies a fact of the story, and says what it did.
    fn live(&mut self, record: &Record<'_>, fact: &Fact) -> anyhow::Result<Moment> {
        let items = self.items(fact);
        let levels = |state: &State| items.iter().map(|item| LevelsRow::of(state, *item)).collect::<Vec<_>>();
        let (before, reasons) = (levels(&self.state), why(fact, &self.state, self.words()));
        self.apply(record.seq, fact)?;
        let after = levels(&self.state);
        let steps = items.iter().zip(before.into_iter().zip(after));
        let steps: Vec<Step> = steps.map(|(item, around)| Step::new(&self.titles, *item, around)).collect();
        let view = row::order_of(fact).and_then(|order| self.state.order(order));
        Ok(Moment {
            row: Row {
                shard: self.folder.shard.get(),
                seq: record.seq.0,
                time: names::time(record.time),
                term: record.term.0,
                fact: row::fact_row(fact, self.orders),
            },
            told: self.words().tell(fact, view.as_ref().map(Owner::of_view).as_ref()),
            why: reasons,
            levels: steps,
        })
    }

    /// The items whose levels a reader wants to see around a fact.
    fn items(&self, fact: &Fact) -> Vec<(SaleId, ItemIndex)> {
        match (self.subject.item, fact) {
            (Some(item), _) => vec![item],
            (None, Fact::OrderHeld { sale, lines, .. }) => {
                lines.iter().map(|line| (*sale, line.item)).collect()
            }
            (None, _) => {
                row::order_of(fact).into_iter().flat_map(|order| self.state.items_of(order)).collect()
            }
        }
    }

    fn apply(&mut self, seq: Seq, fact: &Fact) -> anyhow::Result<()> {
        let state = &mut self.state;
        // A fact that does not fit the state is a panic in the engine, and a finding here.
        let applied = catch_unwind(AssertUnwindSafe(|| engine::apply(state, fact)));
        applied.map_err(|_panic| {
            anyhow!("fact {} does not fit the ones before it: {fact:?}; see `onrush journal verify`", seq.0)
        })
    }

    fn words(&self) -> Words<'_> {
        Words { titles: &self.titles, orders: self.orders }
    }
}

/// The oldest sound snapshot behind which the journal goes on.
fn oldest_snapshot(folder: &ShardFolder, first: Seq) -> anyhow::Result<(Position, State)> {
    let store = SnapshotStore::new(folder.disk.clone());
    let mut seqs = store.list()?;
    seqs.retain(|seq| seq.next() >= first);
    let mut sound = seqs.into_iter().rev().filter_map(|seq| store.load_at(folder.shard, seq, 0).ok());
    if let Some(oldest) = sound.next() {
        return Ok(oldest);
    }
    bail!("the journal begins with fact {} and no sound snapshot reaches it", first.0)
}

impl Ended<'_> {
    /// How things stood at the end, or at the instant that was asked about. Returns whether anything was there.
    pub(super) fn tell_standing(&self, out: &mut dyn Write, json: bool) -> anyhow::Result<bool> {
        let Replay { state, subject, titles, .. } = &self.replay;
        let (when, seq) = (self.when(), state.seq().0);
        if let Some((sale, item)) = subject.item {
            let levels = LevelsRow::of(state, (sale, item));
            let status = state.sale(sale).map_or("", |sale| sale.status().name());
            let (sale, item) = (titles.sale(sale), titles.item(sale, item));
            if json {
                let levels = serde_json::to_value(levels)?;
                let row =
                    json!({"at_seq": seq, "sale": sale, "status": status, "item": item, "levels": levels});
                writeln!(out, "{row}")?;
            } else {
                writeln!(out, "{when}, {sale}/{item} had {}; the sale was {status}", levels.text())?;
            }
        }
        for view in subject.orders().filter_map(|order| state.order(order)) {
            let code = self.replay.words().order(view.order);
            let name = view.state.name();
            if json {
                writeln!(out, "{}", json!({"at_seq": seq, "order": code, "state": name}))?;
            } else {
                writeln!(out, "{when}, order {code} was {name}")?;
            }
        }
        Ok(subject.item.is_some() || subject.orders().next().is_some())
    }

    fn when(&self) -> String {
        let seq = self.replay.state.seq().0;
        match (self.replay.at, self.replay.time) {
            (Some(at), _) => format!("at {}, behind record {seq}", names::time(at)),
            (None, Some(time)) => format!("behind record {seq} of {}", names::time(time)),
            (None, None) => format!("behind record {seq}"),
        }
    }
}
