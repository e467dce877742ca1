//! How many units a buyer has, where there is a limit.

use core::hash::BuildHasher;

use domain::{BuyerId, ItemIndex, SaleId, UnixMs, limits};
use foldhash::fast::FixedState;

use super::chunked::Chunked;
use super::index::Index;

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
        Scope::of_day(sale, placed_at.day())
    }

    pub(crate) fn of_day(sale: SaleId, day: u16) -> Scope {
        Scope::pack(2, sale, day)
    }

    pub(crate) fn item(sale: SaleId, item: ItemIndex) -> Scope {
        Scope::pack(3, sale, item.0)
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
}

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
        }
    }

    /// See [`Index::touch`].
    pub(crate) fn touch(&self, scope: Scope, buyer: BuyerId) {
        self.index.touch(self.hash(scope, buyer));
    }

    /// Units that the buyer has.
    pub(crate) fn units(&self, scope: Scope, buyer: BuyerId) -> u32 {
        self.slot(scope, buyer).map_or(0, |slot| self.entries.get(slot).units)
    }

    /// The buyer has `quantity` units more.
    pub(crate) fn add(&mut self, scope: Scope, buyer: BuyerId, quantity: u32) {
        if let Some(slot) = self.slot(scope, buyer) {
            self.entries.get_mut(slot).units += quantity;
            return;
        }
        let slot = u32::try_from(self.entries.len()).expect("fewer counters than 2^32");
        self.entries.push(Allowance { buyer, scope, units: quantity });
        self.index.insert(self.hash(scope, buyer), slot);
    }

    /// The buyer has `quantity` units fewer.
    pub(crate) fn subtract(&mut self, scope: Scope, buyer: BuyerId, quantity: u32) {
        let slot = self.slot(scope, buyer).expect("units that are given back were counted");
        let entry = self.entries.get_mut(slot);
        assert!(entry.units >= quantity, "I2: {buyer:?} has {} units, gives back {quantity}", entry.units);
        entry.units -= quantity;
    }

    fn slot(&self, scope: Scope, buyer: BuyerId) -> Option<usize> {
        let is_it = |slot: u32| {
            let entry = self.entries.get(slot as usize);
            entry.buyer == buyer && entry.scope == scope
        };
        self.index.find(self.hash(scope, buyer), is_it).map(|slot| slot as usize)
    }

    fn hash(&self, scope: Scope, buyer: BuyerId) -> u64 {
        self.hasher.hash_one((u128::from_le_bytes(*buyer.0.as_bytes()), scope.0))
    }
}
