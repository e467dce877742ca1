//! From a receipt to a verdict.

use std::io::Write;

use anyhow::{Context as _, bail};
use domain::OrderId;
use edge::Receipt;

use super::look::{Looked, Named, look};
use super::{Verdict, VerifyReceiptArgs};
use crate::journal_cmd::names::{self, OrderNames};
use crate::journal_cmd::row;
use crate::journal_cmd::shards::{self, Found, ShardFolder};
use crate::story::Words;

/// Checks the receipt and tells `out` what was found.
pub(super) fn run(args: &VerifyReceiptArgs, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let receipt: Receipt =
        args.receipt.parse().with_context(|| format!("`{}` is no receipt", args.receipt))?;
    let found = shards::find(&args.dir)?;
    let installation = found.installation.as_ref().with_context(|| {
        format!(
            "{} has no installation.toml; an order's code can be read only with its secrets",
            args.dir.display()
        )
    })?;
    let codec = installation.order_codec()?;
    let code = String::from_utf8_lossy(&receipt.order).into_owned();
    let Some(order) = codec.decode(&code) else {
        return no(
            out,
            &format!(
                "`{code}` is no order's code of this installation: the receipt was changed, or another \
                 installation gave it"
            ),
        );
    };
    if order.shard() != receipt.shard {
        let (is, said) = (order.shard().get(), receipt.shard.get());
        return no(out, &format!("order {code} is in shard {is}, not {said}: the receipt was changed"));
    }
    if receipt.seq > receipt.tip.seq {
        return no(out, "it names a record behind the end of the journal: the receipt was changed");
    }
    let Some(folder) = folder_of(&found, order)? else {
        return no(out, &format!("the folder of shard {} is missing", order.shard().get()));
    };
    let looked = look(folder, &receipt, order)?;
    judge(&Asked { receipt, order, orders: &OrderNames::read(Some(installation)) }, &looked, out)
}

/// What is asked about.
struct Asked<'a> {
    receipt: Receipt,
    order: OrderId,
    orders: &'a OrderNames,
}

/// `None` when it should be there and is not.
fn folder_of(found: &Found, order: OrderId) -> anyhow::Result<Option<&ShardFolder>> {
    let folder = found.shards.iter().find(|folder| folder.shard == order.shard());
    if folder.is_none() && !found.missing.contains(&order.shard()) {
        bail!("the receipt is of shard {}, which is not in this directory", order.shard().get());
    }
    Ok(folder)
}

fn judge(asked: &Asked<'_>, looked: &Looked, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let Receipt { seq, tip, .. } = asked.receipt;
    let first_seq = looked.report.extent.first_seq;
    match looked.chain {
        None if tip.seq < first_seq => dropped(asked, looked, out),
        None => no(out, &why_no_tip(asked, looked)),
        Some(chain) if chain.0 != tip.chain => no(
            out,
            &format!(
                "behind record {} the journal's chain has the value {chain}, not the receipt's: the \
                 receipt was changed, or this \
             journal is not the one that it was given from",
                tip.seq.0
            ),
        ),
        Some(_) if seq < first_seq => dropped(asked, looked, out),
        Some(_) => match &looked.named {
            Some(named) => judge_record(asked, (looked, named), out),
            None => bail!(
                "record {} was not shown, although the journal reaches from {} to {}",
                seq.0,
                first_seq.0,
                tip.seq.0
            ),
        },
    }
}

/// Why no batch ends where the receipt says that the journal ended.
fn why_no_tip(asked: &Asked<'_>, looked: &Looked) -> String {
    let (tip, end) = (asked.receipt.tip.seq.0, looked.report.extent.tip.seq.0);
    match &looked.report.verdict {
        _ if tip <= end => {
            format!(
                "no answer ever left behind record {tip}: the receipt was changed, or is of another journal"
            )
        }
        Err(damage) => format!("the journal is damaged, and cannot be read as far as record {tip}: {damage}"),
        Ok(_) => format!(
            "the journal ends with record {end}, and the receipt was given behind record {tip}: the \
             receipt was changed, is of \
             another journal, or this journal has lost its end"
        ),
    }
}

fn judge_record(
    asked: &Asked<'_>,
    (looked, named): (&Looked, &Named),
    out: &mut dyn Write,
) -> anyhow::Result<Verdict> {
    let Asked { receipt: Receipt { shard, seq, tip, .. }, order, orders } = *asked;
    let words = Words { titles: &looked.titles, orders };
    let fact = match &named.fact {
        Ok(fact) => fact,
        Err(error) => bail!("record {} is sound, but this version cannot read it: {error}", seq.0),
    };
    if row::order_of(fact) != Some(order) {
        let about = words.tell(fact, None);
        return no(
            out,
            &format!(
                "record {} is not about order {}, but: {about}; the receipt was changed",
                seq.0,
                words.order(order)
            ),
        );
    }
    writeln!(out, "IN THE JOURNAL of shard {}", shard.get())?;
    let (time, term) = (names::time(named.time), named.term.0);
    writeln!(out, "  record {}, {time}, term {term}: {}", seq.0, words.tell(fact, looked.owner.as_ref()))?;
    writeln!(
        out,
        "  the chain behind record {} is the receipt's: all records up to it are as they were then",
        tip.seq.0
    )?;
    if let Err(damage) = &looked.report.verdict {
        writeln!(out, "  but the journal is damaged behind it: {damage}")?;
    }
    Ok(Verdict::InJournal)
}

fn dropped(asked: &Asked<'_>, looked: &Looked, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let Receipt { seq, tip, .. } = asked.receipt;
    let first_seq = looked.report.extent.first_seq.0;
    writeln!(
        out,
        "CANNOT SAY: record {} was dropped from the journal, which now begins with record {first_seq}",
        seq.0
    )?;
    if looked.chain.is_some() {
        writeln!(
            out,
            "  the chain behind record {} is the receipt's, so it was given from this journal",
            tip.seq.0
        )?;
    }
    writeln!(out, "  snapshots stand for what was dropped; a copy of the folder from before could tell")?;
    Ok(Verdict::Dropped)
}

fn no(out: &mut dyn Write, why: &str) -> anyhow::Result<Verdict> {
    writeln!(out, "NOT IN THE JOURNAL: {why}")?;
    Ok(Verdict::NotInJournal)
}
