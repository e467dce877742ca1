//! `onrush journal verify`: every checksum, the chain, every fact, every snapshot, every invariant.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::Context as _;
use domain::Seq;
use engine::{State, invariants};
use journal::{Record, Report};
use views::SnapshotStore;

use super::shards::{self, ShardFolder};
use super::{Verdict, VerifyArgs, names, summary};

/// Faults that are told one by one, for each shard.
const FAULT_COUNT_MAX: usize = 10;

/// Checks everything and tells it to `out`.
pub(crate) fn run(args: &VerifyArgs, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let found = shards::find(&args.dir)?;
    let mut verdict = Verdict::Clean;
    for shard in &found.missing {
        writeln!(out, "shard {}: its folder is missing", shard.get())?;
        verdict = Verdict::Damaged;
    }
    for folder in &found.shards {
        verdict = verdict.or(verify_shard(folder, out)?);
    }
    writeln!(out, "{}", verdict.text())?;
    Ok(verdict)
}

fn verify_shard(folder: &ShardFolder, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    writeln!(out, "shard {}: {}", folder.shard.get(), folder.path.display())?;
    let mut faults = Faults::default();
    // Snapshots first: beside a running server the journal then reaches at least as far as they do.
    let snapshot = load_snapshot(folder, &mut faults, out)?;
    let mut replay = Replay::new(folder, snapshot);
    let scanned = journal::scan(&folder.disk, &mut |record| replay.take(&record, &mut faults));
    let report = scanned.with_context(|| folder.path.display().to_string())?;
    let torn = write_report(&report, out)?;
    replay.finish(&report, &mut faults, out)?;
    let verdict = match (faults.count, torn) {
        (0, true) => Verdict::TornTail,
        (0, false) if report.verdict.is_ok() => Verdict::Clean,
        _ => Verdict::Damaged,
    };
    faults.write(out)?;
    writeln!(out, "  verdict: {}", verdict.text())?;
    Ok(verdict)
}

/// The newest snapshot that verifies; all of them are read.
fn load_snapshot(
    folder: &ShardFolder,
    faults: &mut Faults,
    out: &mut dyn Write,
) -> anyhow::Result<Option<State>> {
    let store = SnapshotStore::new(folder.disk.clone());
    let loaded = store.load(folder.shard, 0).with_context(|| folder.path.display().to_string())?;
    let newest = loaded.newest.map(|(_, state)| state);
    loaded.damaged.iter().for_each(|damaged| faults.add(damaged.to_string()));
    let older = |seq: &Seq| newest.as_ref().is_some_and(|newest| *seq < newest.seq());
    let mut sound = newest.iter().map(State::seq).collect::<Vec<Seq>>();
    for seq in store.list()?.into_iter().filter(older) {
        match store.verify(seq) {
            Ok(_) => sound.push(seq),
            Err(damaged) => faults.add(damaged.to_string()),
        }
    }
    for seq in sound {
        writeln!(out, "  snapshot: sound, up to fact {}", seq.0)?;
    }
    Ok(newest)
}

/// Tells what the journal itself is like; returns whether its tail is torn.
fn write_report(report: &Report, out: &mut dyn Write) -> anyhow::Result<bool> {
    let extent = &report.extent;
    let (count, first, tip) = (extent.record_count(), extent.first_seq.0, &extent.tip);
    write!(out, "  journal: {count} records in {} segments", extent.segment_count)?;
    if count > 0 {
        let time = names::time(tip.time);
        write!(out, ", {first} to {}, the last of term {} at {time}", tip.seq.0, tip.term.0)?;
    }
    match &report.verdict {
        Ok(journal::Verdict::Clean) => writeln!(out, "; ends clean")?,
        Ok(journal::Verdict::TornTail(tail)) => {
            writeln!(out, "; torn tail in {} at offset {}: {}", tail.file, tail.offset, tail.fault)?;
            return Ok(true);
        }
        Err(damage) => writeln!(out, "; DAMAGE: {damage}")?,
    }
    Ok(false)
}

/// A state built from the journal while it is read.
struct Replay {
    /// Begins at the start, or with the snapshot when the journal does not reach back so far.
    state: State,
    /// A snapshot that replaying should come to.
    expected: Option<State>,
    /// Where replaying began: `None` until the first record was seen.
    base: Option<Seq>,
    /// After a fault nothing more can be applied.
    stopped: bool,
}

impl Replay {
    fn new(folder: &ShardFolder, snapshot: Option<State>) -> Replay {
        let state = State::new(folder.shard, 0);
        Replay { state, expected: snapshot, base: None, stopped: false }
    }

    fn take(&mut self, record: &Record<'_>, faults: &mut Faults) {
        if self.base.is_none() {
            self.begin(record.seq, faults);
        }
        let fact = match codec::decode(record.kind, record.payload) {
            Ok(fact) => fact,
            Err(error) => {
                self.stopped = true;
                return faults.add(format!("fact {} cannot be decoded: {error}", record.seq.0));
            }
        };
        if self.stopped || record.seq <= self.state.seq() {
            return;
        }
        // A fact that does not fit the state is a panic in the engine, and a finding here.
        let state = &mut self.state;
        if catch_unwind(AssertUnwindSafe(|| engine::apply(state, &fact))).is_err() {
            self.stopped = true;
            return faults.add(format!("fact {} does not fit the ones before it: {fact:?}", record.seq.0));
        }
        self.compare(faults);
    }

    /// From the start if the journal has it: that proves more than a snapshot does.
    /// Returns the position to go on from.
    fn begin(&mut self, first: Seq, faults: &mut Faults) -> Seq {
        if first > Seq(1) {
            match self.expected.take() {
                Some(snapshot) if snapshot.seq().next() >= first => self.state = snapshot,
                _ => {
                    self.stopped = true;
                    faults.add(format!(
                        "the journal begins with fact {} and no sound snapshot reaches it",
                        first.0
                    ));
                }
            }
        }
        *self.base.insert(self.state.seq())
    }

    /// At the snapshot's position both must be the same.
    fn compare(&mut self, faults: &mut Faults) {
        let Some(expected) = self.expected.take_if(|expected| expected.seq() == self.state.seq()) else {
            return;
        };
        if expected != self.state {
            faults.add(format!("the snapshot up to fact {} is not what the facts come to", expected.seq().0));
        }
    }

    /// Checks what can be said only at the end, and tells what the shard sold.
    fn finish(mut self, report: &Report, faults: &mut Faults, out: &mut dyn Write) -> anyhow::Result<()> {
        let base = match self.base {
            Some(base) => base,
            None => self.begin(report.extent.first_seq, faults),
        };
        if let Some(beyond) = self.expected.filter(|_| !self.stopped) {
            let (reaches, ends) = (beyond.seq().0, self.state.seq().0);
            faults.add(format!("the snapshot reaches fact {reaches}, but the journal ends with fact {ends}"));
        }
        match base {
            Seq(0) => writeln!(out, "  replayed: facts 1 to {}, from the start", self.state.seq().0)?,
            Seq(base) => {
                writeln!(out, "  replayed: to fact {}, from the snapshot up to {base}", self.state.seq().0)?
            }
        }
        summary::write(&self.state, out)?;
        match invariants::check(&self.state) {
            Ok(()) => writeln!(out, "  invariants: all hold")?,
            Err(broken) => faults.add(broken.to_string()),
        }
        Ok(())
    }
}

/// What was found wrong.
#[derive(Default)]
struct Faults {
    count: usize,
    told: Vec<String>,
}

impl Faults {
    fn add(&mut self, fault: String) {
        self.count += 1;
        if self.told.len() < FAULT_COUNT_MAX {
            self.told.push(fault);
        }
    }

    fn write(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        for fault in &self.told {
            writeln!(out, "  FAULT: {fault}")?;
        }
        let untold = self.count - self.told.len();
        if untold > 0 {
            writeln!(out, "  and {untold} more")?;
        }
        Ok(())
    }
}
