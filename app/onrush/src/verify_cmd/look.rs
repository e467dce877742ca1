//! One way through a journal, looking for what a receipt names.

use anyhow::Context as _;
use domain::{Fact, OrderId, Seq, Term, UnixMs};
use edge::Receipt;
use journal::{Chain, Record, Report, Seen};
use views::SnapshotStore;

use crate::journal_cmd::shards::ShardFolder;
use crate::story::{Owner, Titles};

/// The record that a receipt names.
pub(super) struct Named {
    pub(super) time: UnixMs,
    pub(super) term: Term,
    /// `Err`: a sound record that is no fact of this version's.
    pub(super) fact: Result<Fact, String>,
}

/// What was found of a receipt.
pub(super) struct Looked {
    pub(super) named: Option<Named>,
    /// The chain's value where the receipt says the journal ended, if a batch ended there.
    pub(super) chain: Option<Chain>,
    pub(super) report: Report,
    pub(super) titles: Titles,
    pub(super) owner: Option<Owner>,
}

/// Goes through the shard's journal from its first block to its end.
pub(super) fn look(folder: &ShardFolder, receipt: &Receipt, order: OrderId) -> anyhow::Result<Looked> {
    let (mut named, mut chain, mut owner) = (None, None, None);
    let mut titles = Titles::default();
    let mut hear = |record: &Record<'_>| {
        // What comes behind it has nothing to add to what it says.
        if record.seq > receipt.seq {
            return;
        }
        let fact = codec::decode(record.kind, record.payload);
        if let Ok(fact) = &fact {
            titles.hear(fact);
            owner = owner.take().or_else(|| Owner::of_fact(fact, order));
        }
        if record.seq == receipt.seq {
            let fact = fact.map_err(|error| error.to_string());
            named = Some(Named { time: record.time, term: record.term, fact });
        }
    };
    let report = journal::scan_batches(&folder.disk, &mut |seen| match seen {
        Seen::Record(record) => hear(&record),
        Seen::BatchEnd(tip) if tip.seq == receipt.tip.seq => chain = Some(tip.chain),
        Seen::BatchEnd(_) => (),
    });
    let report = report.with_context(|| folder.path.display().to_string())?;
    let mut looked = Looked { named, chain, report, titles, owner };
    if looked.report.extent.first_seq > Seq(1) {
        looked.ask_snapshot(folder, order)?;
    }
    Ok(looked)
}

impl Looked {
    /// Names of things that were made before the journal now begins.
    fn ask_snapshot(&mut self, folder: &ShardFolder, order: OrderId) -> anyhow::Result<()> {
        let loaded = SnapshotStore::new(folder.disk.clone()).load(folder.shard, 0)?;
        if let Some((_, state)) = loaded.newest {
            self.titles = Titles::of(&state);
            self.owner = self.owner.take().or_else(|| state.order(order).as_ref().map(Owner::of_view));
        }
        Ok(())
    }
}
