//! `onrush journal dump`: every fact as one line of JSON.

use std::io::{self, Write};

use anyhow::{Context as _, bail};
use domain::OrderId;
use journal::Record;

use super::names::{self, OrderNames};
use super::row::{self, FactRow, Row};
use super::shards::{self, ShardFolder};
use super::{DumpArgs, Verdict};

/// Writes the facts to `out`, and to `notes` what a reader should know besides.
pub(crate) fn run(args: &DumpArgs, out: &mut dyn Write, notes: &mut dyn Write) -> anyhow::Result<Verdict> {
    let found = shards::find(&args.dir)?;
    let orders = OrderNames::read(found.installation.as_ref());
    let order = args.order.as_deref().map(|text| orders.order(text)).transpose()?;
    let filter = Filter { from: args.from, order };
    let is_wanted = |folder: &&ShardFolder| order.is_none_or(|order| order.shard() == folder.shard);
    let wanted: Vec<&ShardFolder> = found.shards.iter().filter(is_wanted).collect();
    if wanted.is_empty() {
        bail!("the order's shard is not in {}", args.dir.display());
    }
    let mut verdict = Verdict::Clean;
    for folder in wanted {
        verdict = verdict.or(dump_shard(folder, filter, &orders, (out, notes))?);
    }
    Ok(verdict)
}

#[derive(Clone, Copy)]
struct Filter {
    from: u64,
    order: Option<OrderId>,
}

fn dump_shard(
    folder: &ShardFolder,
    filter: Filter,
    orders: &OrderNames,
    (out, notes): (&mut dyn Write, &mut dyn Write),
) -> anyhow::Result<Verdict> {
    let (mut verdict, mut failed) = (Verdict::Clean, None);
    let report = journal::scan(&folder.disk, &mut |record| {
        // The scan cannot be stopped; when nobody takes the lines any more, none is made.
        if failed.is_some() || record.seq.0 < filter.from {
            return;
        }
        let Some(fact) = wanted(&record, filter.order, orders) else { return };
        if matches!(fact, FactRow::Unknown { .. }) {
            verdict = Verdict::Damaged;
        }
        let row = Row {
            shard: folder.shard.get(),
            seq: record.seq.0,
            time: names::time(record.time),
            term: record.term.0,
            fact,
        };
        failed = write_row(&row, out).err();
    });
    let report = report.with_context(|| folder.path.display().to_string())?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    match report.verdict {
        Ok(journal::Verdict::Clean) => {}
        Ok(journal::Verdict::TornTail(tail)) => {
            verdict = verdict.or(Verdict::TornTail);
            writeln!(notes, "note: {} has a torn tail at offset {}: {}", tail.file, tail.offset, tail.fault)?;
        }
        Err(damage) => {
            verdict = verdict.or(Verdict::Damaged);
            writeln!(notes, "error: {damage}; facts behind it are not shown")?;
        }
    }
    Ok(verdict)
}

/// The record as a row, if it is one that is asked for. What cannot be understood is shown in any case.
fn wanted(record: &Record<'_>, order: Option<OrderId>, orders: &OrderNames) -> Option<FactRow> {
    match codec::decode(record.kind, record.payload) {
        Ok(fact) if order.is_some() && row::order_of(&fact) != order => None,
        Ok(fact) => Some(row::fact_row(&fact, orders)),
        Err(error) => {
            let payload = record.payload.iter().map(|byte| format!("{byte:02x}")).collect();
            Some(FactRow::Unknown { number: record.kind, payload, error: error.to_string() })
        }
    }
}

fn write_row(row: &Row, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, row)?;
    out.write_all(b"\n")
}
