//! How many units a buyer has, where there is a limit.

use alloc::vec::Vec;
use core::hash::BuildHasher;

use domain::{BuyerId, ItemIndex, SaleId, UnixMs, limits};
use foldhash::fast::FixedState;

use super::Sale;
use super::chunked::Chunked;
use super::index::{Index, PART_COUNT, split};
use super::later::Later;

/// What a limit is counted over: a whole sale, one day of a sale, or one item. Packed as
/// kind (4 bits), sale (12 bits), item or day (16 bits).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Scope(u32);

const _: () = assert!(limits::SALE_COUNT_MAX <= 1 << 12);

impl Scope {
    pub(crate) fn sale(sale: SaleId) -> Scope {
        Scope::pack(1, sale, 0)
    }

    pub(crate) fn day(sale: SaleId, placed_at: UnixMs) -> Scope {
        Scope::pack(2, sale, placed_at.day())
    }

    pub(crate) fn item(sale: SaleId, item: ItemIndex) -> Scope {
        Scope::pack(3, sale, item.0)
    }

    /// The sale that it is about.
    pub(crate) fn sale_id(self) -> SaleId {
        SaleId(u16::try_from(self.0 >> 16 & 0xFFF).expect("twelve bits"))
    }

    /// The limit that `sale`, whose scope this is, sets.
    pub(crate) fn limit(self, sale: &Sale) -> Option<u32> {
        let item = ItemIndex(u16::try_from(self.0 & 0xFFFF).expect("sixteen bits"));
        match self.0 >> 28 {
            1 => sale.terms.per_buyer_max,
            2 => sale.terms.per_buyer_day_max,
            _ => sale.item(item)?.terms.per_buyer_max,
        }
    }

    fn pack(kind: u32, sale: SaleId, detail: u16) -> Scope {
        Scope(kind << 28 | u32::from(sale.0) << 16 | u32::from(detail))
    }
}

/// Units of live orders by scope and buyer. A buyer who never had any takes no room.
pub(crate) struct Allowances {
    hasher: FixedState,
    index: Index,
    entries: Chunked<Allowance>,
    /// Changes that are not counted yet, while nobody decides.
    later: Option<Later<Change>>,
    /// Changes that were noted apart; they come first.
    noted: Vec<Later<Change>>,
}

/// A buyer has so many units more, or fewer.
pub(crate) struct Change {
    buyer: BuyerId,
    scope: Scope,
    /// How many; the highest bit says that they are fewer.
    units: u32,
}

const FEWER: u32 = 1 << 31;

const _: () = assert!(size_of::<(u32, Change)>() == 28);

/// Changes that are written down at most, 28 bytes each, before they are counted.
const LATER_COUNT_MAX: usize = 12 << 20;

struct Allowance {
    buyer: BuyerId,
    scope: Scope,
    units: u32,
}

const _: () = assert!(size_of::<Allowance>() == 24);

impl Allowances {
    pub(crate) fn with_capacity(capacity: usize, hash_seed: u64) -> Allowances {
        Allowances {
            hasher: FixedState::with_seed(hash_seed),
            index: Index::with_capacity(capacity),
            entries: Chunked::with_capacity(capacity),
            later: None,
            noted: Vec::new(),
        }
    }

    /// See [`Index::place`].
    pub(crate) fn place(&self, scope: Scope, buyer: BuyerId) -> &u64 {
        self.index.place(self.hash(scope, buyer))
    }

    /// Every counter with its scope, its buyer and the units, in the order in which they were begun.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Scope, BuyerId, u32)> {
        self.entries.iter().map(|entry| (entry.scope, entry.buyer, entry.units))
    }

    /// Units that the buyer has.
    pub(crate) fn units(&self, scope: Scope, buyer: BuyerId) -> u32 {
        self.slot(split(self.hash(scope, buyer)), scope, buyer).map_or(0, |slot| self.entries.get(slot).units)
    }

    /// The buyer has `quantity` units more.
    pub(crate) fn add(&mut self, scope: Scope, buyer: BuyerId, quantity: u32) {
        self.change(Change { buyer, scope, units: quantity });
    }

    /// The buyer has `quantity` units fewer.
    pub(crate) fn subtract(&mut self, scope: Scope, buyer: BuyerId, quantity: u32) {
        self.change(Change { buyer, scope, units: quantity | FEWER });
    }

    /// How many notes there are.
    pub(crate) fn note_count(&self) -> usize {
        self.noted.iter().chain(&self.later).map(Later::len).sum()
    }

    /// From now on changes are only written down. Nothing may be looked up until [`Allowances::settle`].
    pub(crate) fn defer(&mut self) {
        self.later = Some(Later::new());
    }

    /// Writes down in `later` that the buyer has `quantity` units more, to be given to [`Allowances::add_noted`].
    pub(crate) fn note(&self, later: &mut Later<Change>, scope: Scope, buyer: BuyerId, quantity: u32) {
        later.push(self.hash(scope, buyer), Change { buyer, scope, units: quantity });
    }

    /// Takes changes that were noted.
    pub(crate) fn add_noted(&mut self, noted: Later<Change>) {
        self.noted.push(noted);
    }

    /// Counts the changes that were written down.
    pub(crate) fn settle(&mut self) {
        let mut laters = core::mem::take(&mut self.noted);
        laters.extend(self.later.take());
        self.count_all(&mut laters);
    }

    fn change(&mut self, change: Change) {
        let hash = self.hash(change.scope, change.buyer);
        let Some(later) = &mut self.later else { return self.count(split(hash), &change) };
        later.push(hash, change);
        if later.len() >= LATER_COUNT_MAX {
            self.settle();
            self.defer();
        }
    }

    fn count_all(&mut self, laters: &mut [Later<Change>]) {
        for part in 0..PART_COUNT {
            // Many changes are about buyers that have some: growing once more costs little, too large a table would stay.
            let noted_count: usize = laters.iter_mut().map(|later| later.parts_mut()[part].len()).sum();
            self.index.parts_mut()[part].reserve(noted_count / 2);
            for later in &mut *laters {
                let noted = core::mem::take(&mut later.parts_mut()[part]);
                noted.into_iter().for_each(|(hash, change)| self.count((part, hash), &change));
            }
        }
    }

    fn count(&mut self, at: (usize, u32), change: &Change) {
        let Change { buyer, scope, units } = *change;
        let (quantity, taken) = (units & !FEWER, units & FEWER == 0);
        match (self.slot(at, scope, buyer), taken) {
            (Some(slot), true) => self.entries.get_mut(slot).units += quantity,
            (Some(slot), false) => {
                let units = &mut self.entries.get_mut(slot).units;
                assert!(*units >= quantity, "I2: {buyer:?} has {units} units, gives back {quantity}");
                *units -= quantity;
            }
            (None, true) => {
                let slot = u32::try_from(self.entries.len()).expect("fewer counters than 2^32");
                self.entries.push(Allowance { buyer, scope, units: quantity });
                self.index.parts_mut()[at.0].insert(at.1, slot);
            }
            (None, false) => panic!("I2: {buyer:?} gives back {quantity} units that were never counted"),
        }
    }

    fn slot(&self, (part, hash): (usize, u32), scope: Scope, buyer: BuyerId) -> Option<usize> {
        let is_it = |slot: u32| {
            let entry = self.entries.get(slot as usize);
            entry.buyer == buyer && entry.scope == scope
        };
        self.index.part(part).find(hash, is_it).map(|slot| slot as usize)
    }

    fn hash(&self, scope: Scope, buyer: BuyerId) -> u64 {
        self.hasher.hash_one((u128::from_le_bytes(*buyer.0.as_bytes()), scope.0))
    }
}
