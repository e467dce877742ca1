//! From the state to entries.

use domain::{ItemIndex, SaleId, limits};

use super::{Entry, Head, ItemEntry, OrderEntry, SaleEntry};
use crate::state::{Item, Order, Sale, State};

/// The entries of a snapshot, in their order. Each is made as it is asked for.
pub fn export(state: &State) -> impl Iterator<Item = Entry> {
    let head = Head {
        shard: state.shard,
        seq: state.seq,
        last_order: state.last_order,
        sale_count: u16::try_from(state.sales.len()).expect("SALE_COUNT_MAX is below 2^16"),
        order_count: state.orders.len() as u64,
    };
    let orders = state.orders.iter().zip(0..).map(|(order, slot)| order_entry(state, slot, order));
    let surplus =
        state.surplus.iter().map(|((order, _), surplus)| Entry::Surplus { order: *order, surplus: *surplus });
    core::iter::once(Entry::Head(head))
        .chain(state.sales().flat_map(|(id, sale)| sale_entries(id, sale)))
        .chain(orders)
        .chain(surplus)
}

fn sale_entries(id: SaleId, sale: &Sale) -> impl Iterator<Item = Entry> {
    let entry = SaleEntry {
        sale: id,
        slug: sale.slug.clone(),
        terms: (*sale.terms).clone(),
        status: sale.status,
        money_taken: sale.money.taken,
        money_returned: sale.money.returned,
    };
    let items = sale.items.iter().zip(0..limits::ITEM_COUNT_MAX);
    let keys = sale.stock_keys.iter().map(|(key, receipt)| Entry::StockKey { key: *key, receipt: *receipt });
    core::iter::once(Entry::Sale(entry))
        .chain(items.map(move |(item, index)| item_entry(id, ItemIndex(index), item)))
        .chain(keys)
}

fn item_entry(sale: SaleId, item: ItemIndex, found: &Item) -> Entry {
    let terms = (*found.terms).clone();
    Entry::Item(ItemEntry { sale, item, terms, levels: found.levels, turnover: found.turnover })
}

fn order_entry(state: &State, slot: u32, order: &Order) -> Entry {
    Entry::Order(OrderEntry {
        order: order.id,
        sale: order.sale,
        buyer: order.buyer,
        key: order.key,
        hold_ttl_s: order.hold_ttl_s,
        lines: state.orders.lines_owned(order),
        state: order.state,
        held_seq: order.held_seq,
        changed_seq: order.changed_seq,
        extension: if order.is_extended() { state.extensions.get(&slot).copied() } else { None },
        payments_failed: order.payments_failed,
        payment: order.payment(),
        refund_cause: order.refund_cause,
        has_units: order.has_units(),
        restock: order.restock(),
    })
}
