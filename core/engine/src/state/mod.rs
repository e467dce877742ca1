//! What a shard knows: the sum of its facts, laid out for speed.

mod allowances;
mod chunked;
mod count;
mod deadlines;
mod index;
mod later;
pub(crate) mod orders;
mod read;
mod sale;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use domain::{
    ItemIndex, Levels, OrderId, PaymentId, SaleId, Seq, ShardId, Slug, StockReceipt, Surplus, limits,
};

pub(crate) use allowances::{Allowances, Scope};
pub use count::Notes;
pub(crate) use deadlines::{Deadline, Deadlines};
pub(crate) use orders::{NewOrder, Order, Orders};
pub use sale::{Item, Sale};
pub(crate) use sale::{Money, Move};

use crate::snapshot::Extension;

/// The state of one shard. It changes only through [`crate::apply()`].
pub struct State {
    pub(crate) shard: ShardId,
    pub(crate) seq: Seq,
    pub(crate) last_order: Option<OrderId>,
    pub(crate) sales: Vec<Sale>,
    pub(crate) slugs: BTreeMap<Slug, SaleId>,
    pub(crate) orders: Orders,
    /// Extended holds by order slot; few.
    pub(crate) extensions: BTreeMap<u32, Extension>,
    pub(crate) allowances: Allowances,
    pub(crate) deadlines: Deadlines,
    pub(crate) surplus: BTreeMap<(OrderId, PaymentId), Surplus>,
    /// The change of stock that was applied last, for its answer.
    pub(crate) last_stock: Option<StockReceipt>,
}

/// Room to reserve, so that the first orders find it ready.
#[derive(Clone, Copy, Default, Debug)]
pub struct Capacity {
    /// Orders.
    pub orders: usize,
    /// Counters of units by buyer: one for each buyer and limit.
    pub buyers: usize,
    /// Holds of [`Capacity::hold_ttl_s`] at one time.
    pub holds: usize,
    /// The length of the holds that are reserved for.
    pub hold_ttl_s: u16,
}

impl State {
    /// An empty shard. `hash_seed` should be secret, so that nobody can choose names that collide; it changes
    /// no decision.
    pub fn new(shard: ShardId, hash_seed: u64) -> State {
        State::with_capacity(shard, hash_seed, Capacity::default())
    }

    /// An empty shard with room reserved.
    pub fn with_capacity(shard: ShardId, hash_seed: u64, capacity: Capacity) -> State {
        State {
            shard,
            seq: Seq(0),
            last_order: None,
            sales: Vec::new(),
            slugs: BTreeMap::new(),
            orders: Orders::with_capacity(capacity.orders, hash_seed),
            extensions: BTreeMap::new(),
            allowances: Allowances::with_capacity(capacity.buyers, hash_seed),
            deadlines: Deadlines::with_capacity(capacity.holds, capacity.hold_ttl_s),
            surplus: BTreeMap::new(),
            last_stock: None,
        }
    }

    /// The shard.
    pub fn shard(&self) -> ShardId {
        self.shard
    }

    /// The last fact that was applied.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// A sale.
    pub fn sale(&self, sale: SaleId) -> Option<&Sale> {
        self.sales.get(usize::from(sale.0))
    }

    /// All sales, in the order of creation.
    pub fn sales(&self) -> impl Iterator<Item = (SaleId, &Sale)> {
        self.sales.iter().zip(0..limits::SALE_COUNT_MAX).map(|(sale, number)| (SaleId(number), sale))
    }

    /// Where the units of an item are.
    pub fn levels(&self, sale: SaleId, item: ItemIndex) -> Option<Levels> {
        Some(self.sale(sale)?.item(item)?.levels)
    }

    pub(crate) fn sale_mut(&mut self, sale: SaleId) -> &mut Sale {
        &mut self.sales[usize::from(sale.0)]
    }

    pub(crate) fn surplus_of(&self, order: OrderId) -> impl Iterator<Item = &Surplus> {
        let first = (order, PaymentId::from_text(""));
        self.surplus.range(first..).take_while(move |((of, _), _)| *of == order).map(|(_, surplus)| surplus)
    }
}
