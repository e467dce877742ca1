//! `onrush journal repair DIR`: shows what damage costs, and gives it up when told to.
//!
//! Without `--confirm` it changes nothing. What it gives up stays beside, in files named `damaged-…`.

use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, bail};
use domain::{Fact, Seq};
use journal::{Damage, DirLock, Disk, DiskError, Extent, Way, repair as giving_up};
use views::SnapshotStore;

use super::shards::{self, ShardFolder};
use super::{RepairArgs, Verdict};
use crate::serve::clock;

/// Shows what can be done, and does it if that was confirmed.
pub(crate) fn run(args: &RepairArgs, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let found = shards::find(&args.dir)?;
    let _locks = lock(&args.dir, found.installation.as_ref().map(crate::installation::Installation::dir))?;
    let wanted = |folder: &&ShardFolder| args.shard.is_none_or(|shard| folder.shard.get() == shard);
    let mut plans = Vec::new();
    for folder in found.shards.iter().filter(wanted) {
        let scanned = journal::scan(&folder.disk, &mut |_| ());
        let report = scanned.with_context(|| folder.path.display().to_string())?;
        match report.verdict {
            Ok(_) => writeln!(out, "shard {}: not damaged, nothing to repair", folder.shard.get())?,
            Err(damage) => plans.push(Plan::new(folder, damage, report.extent)?),
        }
    }
    let [plan] = &plans[..] else {
        if plans.is_empty() {
            return Ok(Verdict::Clean);
        }
        bail!("{} shards are damaged; name one of them with --shard", plans.len());
    };
    plan.tell(out)?;
    match args.confirm {
        Some(offset) if offset == plan.damage.offset => plan.carry_out(out),
        Some(offset) => {
            bail!("the damage is at offset {}, not {offset}; nothing was changed", plan.damage.offset)
        }
        None => {
            writeln!(out, "nothing was changed; to do this, say --confirm {}", plan.damage.offset)?;
            Ok(Verdict::Damaged)
        }
    }
}

/// Neither a server nor another repair may write meanwhile.
fn lock(dir: &Path, installation: Option<&Path>) -> anyhow::Result<DirLock> {
    Ok(DirLock::acquire(installation.unwrap_or(dir))?)
}

/// What is wrong with a shard, and what can be done.
struct Plan<'a> {
    folder: &'a ShardFolder,
    damage: Damage,
    /// What is good before the damage.
    good: Extent,
    way: Way,
    lost: Lost,
    /// The newest sound snapshot.
    snapshot: Option<Seq>,
}

/// What stands behind the last good record and is given up by a cut.
#[derive(Default)]
struct Lost {
    /// The last record that can still be read.
    last: Option<Seq>,
    readable_count: u64,
    orders: u64,
    payments: u64,
}

impl<'a> Plan<'a> {
    fn new(folder: &'a ShardFolder, damage: Damage, good: Extent) -> anyhow::Result<Plan<'a>> {
        let loaded = SnapshotStore::new(folder.disk.clone()).load(folder.shard, 0)?;
        let snapshot = loaded.newest.map(|(position, _)| position.seq);
        let way = match (snapshot, giving_up::sound_rest(&folder.disk, &damage)?) {
            (Some(seq), Some((first, rest))) if seq.next() >= first && seq <= rest.tip.seq => {
                Way::DropBefore(first)
            }
            _ => Way::Cut,
        };
        let mut lost = Lost::default();
        giving_up::readable_rest(&folder.disk, &damage, &mut |record| {
            lost.last = Some(record.seq);
            lost.readable_count += 1;
            match codec::decode(record.kind, record.payload) {
                Ok(Fact::OrderHeld { .. }) => lost.orders += 1,
                Ok(Fact::OrderPaid { .. } | Fact::PaymentUnmatched { .. } | Fact::PaymentSurplus { .. }) => {
                    lost.payments += 1;
                }
                _ => {}
            }
        })?;
        Ok(Plan { folder, damage, good, way, lost, snapshot })
    }

    fn tell(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let Plan { folder, damage, good, way, .. } = self;
        writeln!(out, "shard {}: {damage}", folder.shard.get())?;
        writeln!(out, "  good: {} records, the last is {}", good.record_count(), good.tip.seq.0)?;
        match way {
            Way::DropBefore(first) => self.tell_drop(*first, out),
            Way::Cut => self.tell_cut(out),
        }
    }

    fn tell_drop(&self, first: Seq, out: &mut dyn Write) -> anyhow::Result<()> {
        let snapshot = self.snapshot.unwrap_or_default().0;
        writeln!(
            out,
            "  the journal is sound again from record {} on, and the snapshot up to {snapshot} stands for \
             all before",
            first.0
        )?;
        writeln!(
            out,
            "  repair: drop what is before record {}; no order and no unit is lost, only history",
            first.0
        )?;
        Ok(())
    }

    fn tell_cut(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let Lost { last, readable_count, orders, payments } = self.lost;
        let first = self.good.tip.seq.next();
        let last = last.unwrap_or(first).max(first);
        let unreadable = (last.0 - first.0 + 1).saturating_sub(readable_count);
        writeln!(out, "  repair: cut behind record {}", self.good.tip.seq.0)?;
        writeln!(
            out,
            "  LOST: records {} to {} at least; {readable_count} of them can still be read: {orders} \
             orders that buyers were \
             told of, {payments} payments; {unreadable} cannot be read, and nobody can say what they were",
            first.0, last.0
        )?;
        for name in self.snapshots_beyond()? {
            writeln!(out, "  {name} reaches beyond the cut and is set aside")?;
        }
        writeln!(
            out,
            "  a copy of the folder from before the damage, if there is one, loses less than this"
        )?;
        Ok(())
    }

    fn carry_out(&self, out: &mut dyn Write) -> anyhow::Result<Verdict> {
        let Plan { folder, damage, way, .. } = self;
        let (disk, now) = (&folder.disk, clock::now());
        if *way == Way::Cut {
            for name in self.snapshots_beyond()? {
                let kept = format!("damaged-{}-{name}", now.0);
                disk.rename(&name, &kept).with_context(|| format!("cannot rename {name}"))?;
                disk.sync_dir()?;
                writeln!(out, "  kept: {kept}")?;
            }
        }
        for kept in giving_up::repair(disk, damage, *way, now)? {
            writeln!(out, "  kept: {kept}")?;
        }
        let report = journal::scan(disk, &mut |_| ())?;
        match report.verdict {
            Ok(_) => {
                writeln!(
                    out,
                    "repaired: the journal ends with record {}; `onrush serve` starts again",
                    report.extent.tip.seq.0
                )?;
                Ok(Verdict::Clean)
            }
            Err(damage) => {
                writeln!(out, "one damage was given up, and there is another: {damage}")?;
                Ok(Verdict::Damaged)
            }
        }
    }

    /// The files of snapshots of what a cut gives up: a start would refuse a journal that ends before them.
    fn snapshots_beyond(&self) -> Result<Vec<String>, DiskError> {
        let seqs = SnapshotStore::new(self.folder.disk.clone()).list()?;
        let beyond = seqs.into_iter().filter(|seq| *seq > self.good.tip.seq);
        Ok(beyond.map(|seq| format!("snapshot-{:020}.snap", seq.0)).collect())
    }
}
