//! Waiting for memory once for many commands.

use domain::{BuyerId, Command, KeyDigest, SaleId};

use crate::state::{Scope, State};

/// Touches what deciding the command will need first, and decides nothing. With millions of buyers an order
/// costs little but waits for memory; whoever has several commands at hand calls this for all of them, then decides
/// them one by one, and they have waited together.
pub fn foresee(state: &State, command: &Command) {
    if let Command::PlaceOrder { sale, buyer, key, wishes } = command {
        touch(state, *sale, *buyer, *key);
        // With thousands of items, theirs is memory that nobody looked at for a while.
        if let Some(item) = wishes.iter().next().and_then(|wish| state.sale(*sale)?.item(wish.item)) {
            core::hint::black_box(item.terms.unit_price);
        }
    }
}

pub(crate) fn touch(state: &State, sale: SaleId, buyer: BuyerId, key: KeyDigest) {
    state.orders.touch_key(buyer, key);
    if state.sale(sale).is_some_and(|sale| sale.counts_buyers) {
        state.allowances.touch(Scope::sale(sale), buyer);
    }
}
