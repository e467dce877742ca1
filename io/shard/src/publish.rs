//! From durable facts to the catalogue that edges read.

use domain::{BuyerId, Fact, ItemIndex, KeyDigest, Levels, OrderId, SaleId, planted};
use engine::State;
use views::{Catalog, KeyWriter, SalePublished};

/// Publishes what a batch of facts changed.
pub(crate) struct Publisher {
    catalog: Catalog,
    keys: KeyWriter,
    /// Items whose levels the batch changed; kept for its memory.
    touched: Vec<(SaleId, ItemIndex)>,
    levels: Vec<(ItemIndex, Levels)>,
}

impl Publisher {
    /// Publishes a whole state, whose keys the catalogue was told.
    pub(crate) fn new(catalog: Catalog, state: &State) -> Publisher {
        let keys = catalog.key_writer(state.shard());
        let publisher = Publisher { catalog, keys, touched: Vec::new(), levels: Vec::new() };
        state.sales().for_each(|(sale, _)| publisher.put_sale(state, sale));
        publisher
    }

    /// Publishes what `facts`, which brought `state` here, changed.
    pub(crate) fn publish(&mut self, state: &State, facts: &[Fact]) {
        self.keys.insert(facts.iter().filter_map(new_key));
        let mut edited: Option<SaleId> = None;
        let mut is_moved = false;
        for fact in facts {
            match fact {
                Fact::OrderExpired { .. } if planted!(ForgetExpiryInCatalog) => {}
                Fact::SaleCreated { sale, .. }
                | Fact::SaleEdited { sale, .. }
                | Fact::ItemAdded { sale, .. }
                | Fact::ItemEdited { sale, .. } => {
                    // A sale of many items is put once, when its facts end.
                    if let Some(before) = edited.replace(*sale).filter(|before| before != sale) {
                        self.put_sale(state, before);
                    }
                }
                Fact::OrderHeld { sale, lines, .. } => {
                    lines.iter().for_each(|line| self.touch((*sale, line.item)));
                }
                Fact::OrderCancelled { order, .. }
                | Fact::OrderExpired { order }
                | Fact::OrderPaid { order, .. }
                | Fact::OrderRefunded { order } => self.touch_order(state, *order),
                Fact::SaleMoved { .. } => is_moved = true,
                Fact::StockChanged { sale, item, .. } => self.touch((*sale, *item)),
                _ => {}
            }
        }
        if let Some(sale) = edited {
            self.put_sale(state, sale);
        }
        if is_moved {
            self.put_statuses(state, facts);
        }
        self.put_levels(state);
    }

    fn touch_order(&mut self, state: &State, order: OrderId) {
        state.items_of(order).for_each(|place| self.touch(place));
    }

    fn touch(&mut self, place: (SaleId, ItemIndex)) {
        // A hot item touched thousands of times in a row is one entry.
        if self.touched.last() != Some(&place) {
            self.touched.push(place);
        }
    }

    fn put_sale(&self, state: &State, sale: SaleId) {
        let found = state.sale(sale).expect("a fact names a sale that exists");
        self.catalog.put_sale(SalePublished {
            shard: state.shard(),
            sale,
            slug: found.slug().clone(),
            terms: found.terms().clone(),
            status: found.status(),
            items: found.items().iter().map(|item| item.terms().clone()).collect(),
            levels: found.items().iter().map(|item| item.levels()).collect(),
            seq: state.seq(),
        });
    }

    fn put_statuses(&self, state: &State, facts: &[Fact]) {
        for fact in facts {
            if let Fact::SaleMoved { sale, to, .. } = fact {
                self.catalog.set_status(state.shard(), *sale, *to, state.seq());
            }
        }
    }

    fn put_levels(&mut self, state: &State) {
        self.touched.sort_unstable();
        self.touched.dedup();
        for of_sale in self.touched.chunk_by(|left, right| left.0 == right.0) {
            let level = |(sale, item): &(SaleId, ItemIndex)| Some((*item, state.levels(*sale, *item)?));
            self.levels.clear();
            self.levels.extend(of_sale.iter().filter_map(level));
            self.catalog.set_levels(state.shard(), of_sale[0].0, &self.levels, state.seq());
        }
        self.touched.clear();
    }
}

/// The buyer and key of a new order.
fn new_key(fact: &Fact) -> Option<(BuyerId, KeyDigest)> {
    match fact {
        Fact::OrderHeld { buyer, key, .. } if !planted!(ForgetKeyInFilter) => Some((*buyer, *key)),
        _ => None,
    }
}
