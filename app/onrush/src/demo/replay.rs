//! The journal's side of the story: its facts applied by a fresh engine. The server is not asked.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context as _;
use domain::{BuyerId, Fact, KeyDigest, OrderId, SaleId, Seq, ShardId};
use engine::State;
use engine::state::Sale;
use journal::{OsDisk, Record, Verdict};

use super::ledger::OrderEntry;
use super::report::Check;
use super::visit::{buyer_name, key_text};

/// The state that the journal comes to, seen from one sale.
pub(crate) struct Replay {
    slug: String,
    pub(crate) state: State,
    /// The position at which each of the sale's orders was held.
    pub(crate) orders: HashMap<OrderId, Seq>,
    sale: Option<SaleId>,
    fault: Option<String>,
}

/// Where the sale's units are.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Units {
    pub(crate) stock: u64,
    pub(crate) free: u64,
    pub(crate) held: u64,
    pub(crate) paid: u64,
    pub(crate) withdrawn: u64,
}

/// Reads the journal in `dir` from its first record on. Also says whether the journal is whole.
///
/// # Errors
/// When the files cannot be read.
pub(crate) fn read(dir: &Path, slug: &str) -> anyhow::Result<(Replay, Check)> {
    let disk = OsDisk::open(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    let mut replay = Replay::new(slug);
    let report = journal::scan(&disk, &mut |record| replay.take(record))?;
    let (ok, detail) = match (&replay.fault, &report.verdict) {
        (Some(fault), _) => (false, fault.clone()),
        (None, Err(damage)) => (false, damage.to_string()),
        (None, Ok(Verdict::TornTail(tail))) => {
            (false, format!("a torn tail in {} at {}", tail.file, tail.offset))
        }
        (None, Ok(Verdict::Clean)) => {
            (true, format!("{} records, chain {}", report.extent.record_count(), report.extent.tip.chain))
        }
    };
    Ok((replay, Check::new("journal verified", ok, detail)))
}

impl Replay {
    pub(crate) fn new(slug: &str) -> Replay {
        let state = State::new(ShardId::FIRST, 0);
        Replay { slug: slug.to_owned(), state, orders: HashMap::new(), sale: None, fault: None }
    }

    fn take(&mut self, record: Record<'_>) {
        if self.fault.is_some() {
            return;
        }
        if self.state.seq().next() != record.seq {
            self.fault =
                Some(format!("the journal begins with record {}: older ones were dropped", record.seq.0));
            return;
        }
        match codec::decode(record.kind, record.payload) {
            Ok(fact) => self.apply(&fact),
            Err(error) => self.fault = Some(format!("record {} is no fact: {error:?}", record.seq.0)),
        }
    }

    pub(crate) fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::SaleCreated { sale, slug, .. } if slug.as_str() == self.slug => self.sale = Some(*sale),
            Fact::OrderHeld { order, sale, .. } if Some(*sale) == self.sale => {
                self.orders.insert(*order, self.state.seq().next());
            }
            _ => {}
        }
        engine::apply(&mut self.state, fact);
    }

    /// The sale, if the journal has it.
    pub(crate) fn sale(&self) -> Option<&Sale> {
        self.state.sale(self.sale?)
    }

    pub(crate) fn units(&self) -> Units {
        let mut units = Units::default();
        for item in self.sale().into_iter().flat_map(Sale::items) {
            let levels = item.levels();
            units.stock += u64::from(levels.stock);
            units.free += u64::from(levels.free);
            units.held += u64::from(levels.held);
            units.paid += u64::from(levels.paid);
            units.withdrawn += u64::from(levels.withdrawn);
        }
        units
    }

    /// The order that the journal has under the key of an acknowledged one.
    pub(crate) fn find(&self, entry: &OrderEntry) -> Option<OrderId> {
        let buyer = BuyerId::from_text(&buyer_name(entry.key.buyer));
        let key = KeyDigest::from_text(&key_text(&self.slug, entry.key.attempt));
        self.state.order_by_key(buyer, key).filter(|order| self.orders.contains_key(order))
    }

    pub(crate) fn record_count(&self) -> u64 {
        self.state.seq().0
    }
}
