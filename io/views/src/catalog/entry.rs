//! One sale in the catalogue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};

use arc_swap::{ArcSwap, Guard};
use domain::{ItemIndex, ItemTerms, Levels, SaleId, SaleStatus, SaleTerms, Seq, ShardId, Slug, limits};
use parking_lot::Mutex;

use super::SalePublished;
use super::codes::Codes;

/// One sale. What changes seldom is read with one atomic load ([`SaleEntry::front`]), how much is free with
/// two ([`SaleEntry::free`]), all of it consistently under a short lock ([`SaleEntry::read`]).
pub struct SaleEntry {
    shard: ShardId,
    id: SaleId,
    slug: Slug,
    /// Replaced only while `stock` is locked.
    front: ArcSwap<Front>,
    stock: Mutex<Stock>,
    version: AtomicU64,
    page_version: AtomicU64,
    /// Whether the last order could be refused without the writer.
    refused_last: AtomicBool,
}

struct Stock {
    levels: Vec<Levels>,
    seq: Seq,
    page_seq: Seq,
}

/// What of a sale changes seldom.
pub struct Front {
    /// What holds for the sale.
    pub terms: Arc<SaleTerms>,
    /// Where it stands.
    pub status: SaleStatus,
    /// Its items.
    pub items: Arc<[ItemTerms]>,
    codes: Arc<Codes>,
    /// Of each item, as far as orders can tell.
    free: Arc<[AtomicU16]>,
}

impl Front {
    /// The position of the item of that code.
    pub fn item(&self, code: &[u8]) -> Option<ItemIndex> {
        self.codes.item(code)
    }

    /// The code of the item at that position.
    pub fn code(&self, item: ItemIndex) -> Option<&[u8]> {
        self.codes.code(item)
    }

    /// The item at that position.
    pub fn item_terms(&self, item: ItemIndex) -> Option<&ItemTerms> {
        self.items.get(usize::from(item.0))
    }

    /// How many units of an item are free, without a lock; [`limits::LINE_QUANTITY_MAX`] stands for more as well, and 0 for an item
    /// that does not exist.
    pub fn free(&self, item: ItemIndex) -> u16 {
        self.free.get(usize::from(item.0)).map_or(0, |free| free.load(Ordering::Acquire))
    }
}

/// All of a sale, as it stood at one position.
#[derive(Clone, Debug)]
pub struct SaleSnapshot {
    /// What holds for it.
    pub terms: Arc<SaleTerms>,
    /// Where it stands.
    pub status: SaleStatus,
    /// Its items.
    pub items: Arc<[ItemTerms]>,
    /// Their levels, in the same order.
    pub levels: Vec<Levels>,
    /// The position that all this rests on.
    pub seq: Seq,
    /// The position of the last change that a sale page shows: anything but units going to and fro.
    pub page_seq: Seq,
    /// [`SaleEntry::version`] of exactly this.
    pub version: u64,
    /// [`SaleEntry::page_version`] of exactly this.
    pub page_version: u64,
}

impl SaleEntry {
    pub(super) fn new(sale: SalePublished) -> SaleEntry {
        SaleEntry {
            shard: sale.shard,
            id: sale.sale,
            front: ArcSwap::from_pointee(front_of(&sale)),
            slug: sale.slug,
            stock: Mutex::new(Stock { levels: sale.levels, seq: sale.seq, page_seq: sale.seq }),
            version: AtomicU64::new(1),
            page_version: AtomicU64::new(1),
            refused_last: AtomicBool::new(false),
        }
    }

    /// Its shard.
    pub fn shard(&self) -> ShardId {
        self.shard
    }

    /// Its number within the shard.
    pub fn id(&self) -> SaleId {
        self.id
    }

    /// Its code.
    pub fn slug(&self) -> &Slug {
        &self.slug
    }

    /// What changes seldom. Do not keep the guard across a wait.
    pub fn front(&self) -> Guard<Arc<Front>> {
        self.front.load()
    }

    /// The position of the item of that code.
    pub fn item(&self, code: &str) -> Option<ItemIndex> {
        self.front().item(code.as_bytes())
    }

    /// See [`Front::free`].
    pub fn free(&self, item: ItemIndex) -> u16 {
        self.front().free(item)
    }

    /// Another one with every publish; counts from 1 in every process.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Another one whenever something but free, held, paid and withdrawn units changed.
    pub fn page_version(&self) -> u64 {
        self.page_version.load(Ordering::Acquire)
    }

    /// Whether the last order could be refused by [`crate::foresee_refusal`]: so will the next one, probably.
    pub fn refused_last(&self) -> bool {
        self.refused_last.load(Ordering::Relaxed)
    }

    /// Takes note of that. Written only when it changes: all who ask share the memory.
    pub(crate) fn note_refused(&self, refused: bool) {
        if self.refused_last() != refused {
            self.refused_last.store(refused, Ordering::Relaxed);
        }
    }

    /// All of it, as it stood at one position.
    pub fn read(&self) -> SaleSnapshot {
        let stock = self.stock.lock();
        let front = self.front();
        SaleSnapshot {
            terms: front.terms.clone(),
            status: front.status,
            items: front.items.clone(),
            levels: stock.levels.clone(),
            seq: stock.seq,
            page_seq: stock.page_seq,
            version: self.version(),
            page_version: self.page_version(),
        }
    }

    pub(super) fn put(&self, sale: SalePublished) {
        let mut stock = self.stock.lock();
        assert!(sale.items.len() >= stock.levels.len(), "a sale's items are never taken away");
        self.page_changes(&mut stock, sale.seq);
        self.front.store(Arc::new(front_of(&sale)));
        stock.levels = sale.levels;
    }

    pub(super) fn set_status(&self, status: SaleStatus, seq: Seq) {
        let mut stock = self.stock.lock();
        self.page_changes(&mut stock, seq);
        let old = self.front();
        self.front.store(Arc::new(Front {
            terms: old.terms.clone(),
            status,
            items: old.items.clone(),
            codes: old.codes.clone(),
            free: old.free.clone(),
        }));
    }

    pub(super) fn set_levels(&self, levels: &[(ItemIndex, Levels)], seq: Seq) {
        let mut stock = self.stock.lock();
        let place = |item: &ItemIndex| usize::from(item.0);
        if levels.iter().any(|(item, new)| stock.levels[place(item)].stock != new.stock) {
            self.page_changes(&mut stock, seq);
        } else {
            self.changes(&mut stock, seq);
        }
        let front = self.front();
        for (item, new) in levels {
            assert!(new.is_conserved(), "I1 item={item:?} levels={new:?}");
            stock.levels[place(item)] = *new;
            let (free, new) = (&front.free[place(item)], wanted_at_most(new.free));
            // Written only when it changes, which is seldom before the rush for the last units: all who ask share the memory. A level
            // that stays tells nobody anything new, so that no key has to be seen by whoever reads it.
            if free.load(Ordering::Relaxed) != new {
                free.store(new, Ordering::Release);
            }
        }
    }

    fn page_changes(&self, stock: &mut Stock, seq: Seq) {
        stock.page_seq = seq;
        self.page_version.fetch_add(1, Ordering::Release);
        self.changes(stock, seq);
    }

    /// To be called before anything is shown to those who read without the lock: whoever saw it finds the new version,
    /// and so never gets a page that was made before.
    fn changes(&self, stock: &mut Stock, seq: Seq) {
        assert!(seq >= stock.seq, "publishing goes forward: {seq:?} after {:?}", stock.seq);
        stock.seq = seq;
        self.version.fetch_add(1, Ordering::Release);
    }
}

fn front_of(sale: &SalePublished) -> Front {
    Front {
        terms: Arc::new(sale.terms.clone()),
        status: sale.status,
        items: sale.items.clone().into(),
        codes: Arc::new(Codes::new(&sale.items)),
        free: sale.levels.iter().map(|levels| AtomicU16::new(wanted_at_most(levels.free))).collect(),
    }
}

/// As many of the free units as one order can want of an item.
fn wanted_at_most(free: u32) -> u16 {
    u16::try_from(free).unwrap_or(u16::MAX).min(limits::LINE_QUANTITY_MAX)
}
