//! Waiting for memory once for many commands.

use core::hint::black_box;

use domain::{BuyerId, Command, KeyDigest, SaleId};
use smallvec::SmallVec;

use crate::state::{Scope, State};

/// Brings near what deciding the commands will need first, and decides nothing. With millions of buyers an order
/// costs little but waits for memory; whoever has several commands at hand calls this for some dozens of them, then decides
/// them one by one, and they have waited together. What is brought near for thousands is gone again, from the caches and from
/// the translations of addresses, when the last of them has its turn.
pub fn foresee<'a>(state: &'a State, commands: impl Iterator<Item = &'a Command>) {
    let mut ahead = Ahead::default();
    for command in commands {
        if let Command::PlaceOrder { sale, buyer, key, wishes } = command {
            ahead.of_order(state, *sale, *buyer, *key);
            // With thousands of items, theirs is memory that nobody looked at for a while.
            if let Some(item) = wishes.iter().next().and_then(|wish| state.sale(*sale)?.item(wish.item)) {
                black_box(item.terms.unit_price);
            }
        }
    }
    ahead.fetch();
}

/// Places in memory. First all of them are found, and then all are fetched, with as few instructions as can be between two of them:
/// a processor looks only some hundred instructions ahead, and waits at the same time for what it finds there. There is room for
/// both places of 64 orders; more are kept elsewhere.
#[derive(Default)]
pub(crate) struct Ahead<'a>(SmallVec<[&'a u64; 128]>);

impl<'a> Ahead<'a> {
    /// What an order of this sale is looked up by.
    pub(crate) fn of_order(&mut self, state: &'a State, sale: SaleId, buyer: BuyerId, key: KeyDigest) {
        self.0.push(state.orders.place_of_key(buyer, key));
        if state.sale(sale).is_some_and(|sale| sale.counts_buyers) {
            self.0.push(state.allowances.place(Scope::sale(sale), buyer));
        }
    }

    pub(crate) fn also(&mut self, place: &'a u64) {
        self.0.push(place);
    }

    /// Fetches them.
    pub(crate) fn fetch(self) {
        black_box(self.0.iter().fold(0, |sum, place| sum ^ **place));
    }
}
