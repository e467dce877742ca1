//! The catalogue view: every sale with its terms and levels, in memory, for edges to read from any thread.
//!
//! A shard's writer publishes after each durable batch and before the batch's answers leave, so whoever got an
//! answer finds it here. Only what is durable is ever in here. One writer per shard; any number of readers.
//! It decides nothing: that a sale is sold out is read here, what follows from it is the edge's and engine's.

mod codes;
mod entry;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::num::NonZeroU16;
use std::sync::Arc;

use arc_swap::ArcSwap;
use domain::{
    BuyerId, ItemIndex, ItemTerms, KeyDigest, Levels, SaleId, SaleStatus, SaleTerms, Seq, ShardId, Slug,
};
use foldhash::fast::RandomState;
use parking_lot::Mutex;

pub use entry::{Front, SaleEntry, SaleSnapshot};

use crate::key_filter::{KeyFilter, KeyWriter};

/// All sales of an installation. Cloning shares it.
#[derive(Clone)]
pub struct Catalog(Arc<Shared>);

struct Shared {
    shard_count: NonZeroU16,
    index: ArcSwap<Index>,
    /// Held while the index is replaced: several shards' writers may make sales at once.
    index_writer: Mutex<()>,
    /// Of each shard.
    keys: Box<[Arc<KeyFilter>]>,
}

#[derive(Clone, Default)]
struct Index {
    /// The hash may be a quick one: whoever looks up does not fill the table.
    by_slug: HashMap<Box<[u8]>, Arc<SaleEntry>, RandomState>,
    by_id: HashMap<(ShardId, SaleId), Arc<SaleEntry>>,
    by_creation: Arc<[Arc<SaleEntry>]>,
}

/// A sale as it stands, for [`Catalog::put_sale`].
#[derive(Clone, Debug)]
pub struct SalePublished {
    /// In which shard.
    pub shard: ShardId,
    /// Its number there.
    pub sale: SaleId,
    /// Its code.
    pub slug: Slug,
    /// What holds for it.
    pub terms: SaleTerms,
    /// Where it stands.
    pub status: SaleStatus,
    /// Its items.
    pub items: Vec<ItemTerms>,
    /// Their levels, in the same order.
    pub levels: Vec<Levels>,
    /// The position that all this rests on.
    pub seq: Seq,
}

impl Catalog {
    /// An empty catalogue for so many shards. Their keys are remembered in 2^`key_bits_log2` bits, of which each shard has
    /// its part, rounded up to a power of two.
    ///
    /// # Panics
    /// Unless a shard has from 2⁹ to 2³⁶ bits.
    pub fn new(shard_count: NonZeroU16, key_bits_log2: u32) -> Catalog {
        let index = ArcSwap::from_pointee(Index::default());
        let of_shard = key_bits_log2.saturating_sub(shard_count.ilog2());
        let keys = (0..shard_count.get()).map(|_| Arc::new(KeyFilter::new(of_shard))).collect();
        Catalog(Arc::new(Shared { shard_count, index, index_writer: Mutex::new(()), keys }))
    }

    /// The shard that has, or would have, the sale of that code.
    pub fn shard_of_slug(&self, slug: &Slug) -> ShardId {
        let number = slug.digest() % u64::from(self.0.shard_count.get());
        let number = u16::try_from(number).expect("a remainder of a 16-bit number has 16 bits");
        ShardId::new(number).expect("the shard count is within the limit, and the number below it")
    }

    /// The sale of that code. One atomic load and one hash look-up.
    pub fn sale(&self, slug: impl AsRef<[u8]>) -> Option<Arc<SaleEntry>> {
        self.0.index.load().by_slug.get(slug.as_ref()).cloned()
    }

    /// The sale of that number.
    pub fn sale_by_id(&self, shard: ShardId, sale: SaleId) -> Option<Arc<SaleEntry>> {
        self.0.index.load().by_id.get(&(shard, sale)).cloned()
    }

    /// All sales, in the order in which they were published first. A sale never moves in it.
    pub fn sales(&self) -> Arc<[Arc<SaleEntry>]> {
        self.0.index.load().by_creation.clone()
    }

    /// Whether the shard certainly never accepted an order under this key. `false` means perhaps.
    ///
    /// # Panics
    /// When there is no such shard.
    pub fn is_key_new(&self, shard: ShardId, buyer: BuyerId, key: KeyDigest) -> bool {
        !self.0.keys[usize::from(shard.get())].may_contain(buyer, key)
    }

    /// Begins to bring near what [`Catalog::is_key_new`] will look at; whoever has something else to do until then need not
    /// wait for memory.
    ///
    /// # Panics
    /// When there is no such shard.
    pub fn foresee_key(&self, shard: ShardId, buyer: BuyerId, key: KeyDigest) {
        self.0.keys[usize::from(shard.get())].foresee(buyer, key);
    }

    /// Has the system find the memory where keys are remembered, or the first that is accepted there waits for it. Any thread
    /// may, at any time; a writer waits for it only where both meet.
    pub fn expect_keys(&self) {
        self.0.keys.iter().for_each(|filter| filter.expect());
    }

    /// Who remembers the keys of the orders that a shard accepts: the keys of a batch before its levels are published.
    ///
    /// # Panics
    /// When somebody does already, or there is no such shard.
    pub fn key_writer(&self, shard: ShardId) -> KeyWriter {
        KeyWriter::new(self.0.keys[usize::from(shard.get())].clone())
    }

    /// Publishes a new sale, or one whose terms or items changed.
    ///
    /// # Panics
    /// When items and levels differ in number, or the number of the sale stands for another code already.
    pub fn put_sale(&self, sale: SalePublished) {
        assert_eq!(sale.items.len(), sale.levels.len(), "sale {} has one level per item", sale.slug);
        let _writer = self.0.index_writer.lock();
        if let Some(entry) = self.sale_by_id(sale.shard, sale.sale) {
            assert_eq!(*entry.slug(), sale.slug, "a sale keeps its code");
            return entry.put(sale);
        }
        let mut index = Index::clone(&self.0.index.load());
        let entry = Arc::new(SaleEntry::new(sale));
        index.by_slug.insert(entry.slug().as_str().as_bytes().into(), entry.clone());
        index.by_id.insert((entry.shard(), entry.id()), entry.clone());
        index.by_creation = index.by_creation.iter().cloned().chain([entry]).collect();
        self.0.index.store(Arc::new(index));
    }

    /// Publishes where a sale stands.
    ///
    /// # Panics
    /// When the sale was never published.
    pub fn set_status(&self, shard: ShardId, sale: SaleId, status: SaleStatus, seq: Seq) {
        self.published(shard, sale).set_status(status, seq);
    }

    /// Publishes the levels of some items of a sale.
    ///
    /// # Panics
    /// When the sale was never published, or has no such item.
    pub fn set_levels(&self, shard: ShardId, sale: SaleId, levels: &[(ItemIndex, Levels)], seq: Seq) {
        self.published(shard, sale).set_levels(levels, seq);
    }

    fn published(&self, shard: ShardId, sale: SaleId) -> Arc<SaleEntry> {
        self.sale_by_id(shard, sale).expect("a writer publishes a sale before anything about it")
    }
}
