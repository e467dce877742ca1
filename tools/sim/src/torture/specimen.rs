//! Journals of real facts, grown by a real shard: small and large batches, several segments, terms and snapshots.

use std::num::NonZeroU16;
use std::sync::Arc;

use domain::{
    Actor, Amount, BuyerId, Command, Currency, Fact, ItemIndex, ItemTerms, KeyDigest, OrderId, PaymentId,
    PaymentResult, Request, SaleId, SaleStatus, SaleTerms, Seq, ShardId, Slug, UnixMs, Wish, Wishes,
};
use engine::snapshot::{Entry, export};
use journal::{Cursor, Journal, Local, Options, ReadError, Record};
use shard::{RecoverError, Recovered, Settings, Shard};
use views::{Catalog, Follower, SnapshotStore};

use super::ram::{Image, Ram};
use crate::dice::Dice;

/// The shard of all specimens.
pub const SHARD: ShardId = ShardId::FIRST;
/// When everything happens.
pub const NOW: UnixMs = UnixMs(UnixMs::EPOCH.0 + 1_000_000);
const HASH_SEED: u64 = 7;
const KEY_FILTER_BITS_LOG2: u32 = 9;
const ITEM_COUNT: u16 = 16;
const READ_COUNT: usize = 4_096;
const PRICE: u32 = 6_000;

/// What a specimen is grown by.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// Its sizes and doings.
    pub seed: u64,
    /// Its content: two lives of one seed have the same form, byte for byte, and other buyers.
    pub life: u64,
    /// Pages of a segment.
    pub segment_page_count: u64,
    /// Rounds, each a batch.
    pub round_count: u64,
    /// Orders in a round at most.
    pub order_count_max: u64,
    /// Lines of an order at most.
    pub line_count_max: u64,
    /// Orders of many lines in the last round: enough for a batch of several blocks.
    pub last_order_count: u64,
    /// Whether two snapshots are taken, one on the way and one at the end.
    pub has_snapshots: bool,
}

/// A journal's directory, and the truth about it.
pub struct Specimen {
    /// How it was grown.
    pub recipe: Recipe,
    /// Its files.
    pub image: Image,
    /// Every record.
    pub records: Vec<Kept>,
    /// What they come to, as a snapshot of a recovered shard would have it.
    pub state: Vec<Entry>,
    /// Its files after every round but the last, oldest first.
    pub history: Vec<Image>,
}

/// A record, owned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// Its number.
    pub seq: u64,
    /// Its term.
    pub term: u32,
    /// The time of its batch.
    pub time: u64,
    /// What it is.
    pub kind: u8,
    /// What was stored.
    pub payload: Vec<u8>,
}

impl Kept {
    /// A copy of a record.
    pub fn of(record: &Record<'_>) -> Kept {
        let Record { seq, term, time, kind, payload } = *record;
        Kept { seq: seq.0, term: term.0, time: time.0, kind, payload: payload.to_vec() }
    }

    /// Whether the record is this one.
    pub fn is(&self, record: &Record<'_>) -> bool {
        (self.seq, self.term, self.time, self.kind)
            == (record.seq.0, record.term.0, record.time.0, record.kind)
            && self.payload == record.payload
    }
}

/// A shard in memory.
pub type RamShard = Shard<Local<Ram>, ()>;

/// Recovers a shard from a directory, as the binary does.
///
/// # Errors
/// What is wrong with it.
pub fn recover(ram: &Ram, options: Options) -> Result<(RamShard, Recovered), RecoverError> {
    let settings = Settings { shard: SHARD, hash_seed: HASH_SEED, journal: options };
    let catalog = Catalog::new(NonZeroU16::MIN, KEY_FILTER_BITS_LOG2);
    shard::recover(ram.clone(), settings, catalog, NOW, |_| ())
}

/// Calls `f` for every record of a journal from `first_seq` on.
///
/// # Errors
/// When it cannot be read.
pub fn for_each_record(
    journal: &Local<Ram>,
    first_seq: Seq,
    mut f: impl FnMut(&Record<'_>),
) -> Result<(), ReadError> {
    let mut cursor = journal.cursor(first_seq)?;
    while cursor.read(READ_COUNT, &mut |record| f(&record))? > 0 {}
    Ok(())
}

impl Recipe {
    /// The journal's sizes.
    pub fn options(&self) -> Options {
        Options { segment_size_bytes: self.segment_page_count * 4_096, block_size_bytes_max: 68 << 10 }
    }

    /// Grows a specimen; the process ends once on the way.
    ///
    /// # Errors
    /// None but a bug's.
    pub fn grow(self) -> anyhow::Result<Specimen> {
        let ram = Ram::default();
        let mut grower = Grower { dice: Dice::new(self.seed), recipe: self, orders: Vec::new(), number: 0 };
        let mut history = Vec::new();
        let (mut shard, _) = recover(&ram, self.options())?;
        grower.round(&mut shard, vec![create_sale()])?;
        grower.round(&mut shard, vec![open_sale()])?;
        for round in 0..self.round_count {
            if round == self.round_count / 2 {
                drop(shard);
                shard = recover(&ram, self.options())?.0;
            }
            let requests = grower.requests();
            grower.round(&mut shard, requests)?;
            shard.journal().preparer().prepare()?;
            if self.has_snapshots && (round == self.round_count / 3 || round + 1 == self.round_count) {
                take_snapshot(&ram, &shard)?;
            }
            history.push(ram.image());
        }
        if self.last_order_count > 0 {
            let requests = (0..self.last_order_count).map(|_| grower.order(16)).collect();
            grower.round(&mut shard, requests)?;
        }
        drop(shard);
        Specimen::of(self, ram.image(), history)
    }
}

impl Specimen {
    fn of(recipe: Recipe, image: Image, history: Vec<Image>) -> anyhow::Result<Specimen> {
        // Without its snapshots: what the journal alone comes to is the truth about them.
        let journal = image.iter().filter(|(name, _)| is_segment(name));
        let journal = journal.map(|(name, bytes)| (name.clone(), Arc::clone(bytes))).collect();
        let (shard, _) = recover(&Ram::of(journal), recipe.options())?;
        let mut records = Vec::new();
        for_each_record(shard.journal(), Seq(1), |record| records.push(Kept::of(record)))?;
        Ok(Specimen { recipe, image, records, state: export(shard.state()).collect(), history })
    }

    /// Its segments, oldest first.
    pub fn segments(&self) -> Vec<(&String, &Arc<Vec<u8>>)> {
        self.image.iter().filter(|(name, _)| is_segment(name)).collect()
    }

    /// Its snapshots, oldest first.
    pub fn snapshots(&self) -> Vec<(&String, &Arc<Vec<u8>>)> {
        self.image.iter().filter(|(name, _)| is_snapshot(name)).collect()
    }

    /// Recovers from an image of this specimen's directory.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn recover(&self, image: Image) -> Result<(RamShard, Recovered), RecoverError> {
        recover(&Ram::of(image), self.recipe.options())
    }

    /// Whether a recovered shard has the true content: the state, and every record that was not dropped.
    pub fn is_whole(&self, shard: &RamShard, recovered: &Recovered) -> bool {
        let first_seq = recovered.journal.extent.first_seq.max(Seq(1));
        self.good_count(shard, first_seq) == Some(self.records.len())
            && export(shard.state()).eq(self.state.iter().cloned())
    }

    /// With how many of the true records a recovered shard ends; `None` when it has others.
    pub fn good_count(&self, shard: &RamShard, first_seq: Seq) -> Option<usize> {
        let mut count = usize::try_from(first_seq.0 - 1).ok()?;
        let mut all_good = true;
        let read = for_each_record(shard.journal(), first_seq, |record| {
            all_good &= self.records.get(count).is_some_and(|kept| kept.is(record));
            count += 1;
        });
        (read.is_ok() && all_good).then_some(count)
    }
}

/// Whether a file of that name is a part of the journal.
pub fn is_segment(name: &str) -> bool {
    name.starts_with("journal-")
}

/// Whether a file of that name is a snapshot.
pub fn is_snapshot(name: &str) -> bool {
    name.ends_with(".snap")
}

fn take_snapshot(ram: &Ram, shard: &RamShard) -> anyhow::Result<()> {
    let mut follower = Follower::from_start(SHARD, HASH_SEED, shard.journal().cursor(Seq(1))?);
    while follower.poll(READ_COUNT)? > 0 {}
    follower.snapshot(&SnapshotStore::new(ram.clone()))?;
    Ok(())
}

fn create_sale() -> Request {
    let currency = Currency::new("EUR").expect("a currency");
    let slug = |text: &str| Slug::new(text).expect("a slug");
    let item = |number: u16| ItemTerms::new(slug(&format!("tier-{number}")), "A tier of seats", PRICE);
    let items = (0..ITEM_COUNT).map(|number| (item(number), 10_000_000)).collect();
    let terms = SaleTerms::new("A night to remember", currency, 600);
    Request::Command(Command::CreateSale { slug: slug("night"), terms: terms.into(), items })
}

fn open_sale() -> Request {
    Request::Command(Command::MoveSale { sale: SaleId(0), to: SaleStatus::Open })
}

struct Grower {
    dice: Dice,
    recipe: Recipe,
    /// Held orders of the rounds before.
    orders: Vec<(OrderId, BuyerId, Amount)>,
    /// Of the next buyer.
    number: u64,
}

impl Grower {
    fn round(&mut self, shard: &mut RamShard, requests: Vec<Request>) -> anyhow::Result<()> {
        shard.decide(UnixMs(NOW.0 + self.number * 10), requests.into_iter().map(|request| ((), request)));
        shard.commit()?;
        for fact in shard.facts() {
            if let Fact::OrderHeld { order, buyer, lines, .. } = fact {
                self.orders.push((*order, *buyer, lines.total()));
            }
        }
        shard.release().for_each(drop);
        Ok(())
    }

    /// What people want in one round: mostly orders, and something about those that there are.
    fn requests(&mut self) -> Vec<Request> {
        // Many batches are small, some are large: a single order, a full page, several pages.
        let count = match self.dice.below(4) {
            0 => 1,
            1 => self.dice.between(1, 4),
            _ => self.dice.between(1, self.recipe.order_count_max),
        };
        (0..count).map(|_| self.request()).collect()
    }

    fn request(&mut self) -> Request {
        let kind = self.dice.below(10);
        if kind < 7 || self.orders.is_empty() {
            let line_count = if kind == 0 { self.dice.between(1, self.recipe.line_count_max) } else { 1 };
            return self.order(line_count);
        }
        let index = self.dice.index(self.orders.len());
        let (order, buyer, amount) = self.orders.swap_remove(index);
        Request::Command(match kind {
            7 => Command::CancelOrder { order, by: Actor::Buyer(buyer) },
            8 => Command::ExtendHold { order, buyer, key: self.key() },
            _ => {
                let payment = PaymentId::from_text(&self.name("payment"));
                let (currency, result) =
                    (Currency::new("EUR").expect("a currency"), PaymentResult::Succeeded);
                Command::RecordPayment { order, payment, amount, currency, result }
            }
        })
    }

    fn order(&mut self, line_count: u64) -> Request {
        self.number += 1;
        let wish = |item: u64| Wish {
            item: ItemIndex(u16::try_from(item).expect("few items")),
            quantity: 1 + u16::try_from(item % 3).expect("small"),
        };
        let wishes = Wishes::new((0..line_count).map(wish).collect()).expect("lines of different items");
        let (buyer, key) = (BuyerId::from_text(&self.name("buyer")), self.key());
        Request::Command(Command::PlaceOrder { sale: SaleId(0), buyer, key, wishes })
    }

    fn key(&self) -> KeyDigest {
        KeyDigest::from_text(&self.name("key"))
    }

    fn name(&self, what: &str) -> String {
        format!("{what} {} of life {}", self.number, self.recipe.life)
    }
}
