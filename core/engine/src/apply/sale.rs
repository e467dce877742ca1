//! Facts about sales, items and stock.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use domain::{ItemIndex, ItemTerms, KeyDigest, Levels, SaleId, SaleStatus, SaleTerms, Slug, StockReceipt};

use crate::snapshot::Turnover;
use crate::state::{Item, Money, Sale, Scope, State};

pub(super) fn created(state: &mut State, sale: SaleId, slug: &Slug, terms: &SaleTerms) {
    assert_eq!(usize::from(sale.0), state.sales.len(), "sales are numbered without a gap");
    let before = state.slugs.insert(slug.clone(), sale);
    assert_eq!(before, None, "sale {slug} was created twice");
    state.sales.push(Sale {
        slug: slug.clone(),
        terms: Box::new(terms.clone()),
        status: SaleStatus::Scheduled,
        items: Vec::new(),
        stock_keys: BTreeMap::new(),
        money: Money::default(),
        counts_buyers: terms.per_buyer_max.is_some(),
        counts_days: terms.per_buyer_day_max.is_some(),
        limits_tightened: false,
    });
}

pub(super) fn edited(state: &mut State, sale_id: SaleId, terms: &SaleTerms) {
    let sale = state.sale_mut(sale_id);
    sale.limits_tightened |= is_tighter(sale.terms.per_buyer_max, terms.per_buyer_max)
        || is_tighter(sale.terms.per_buyer_day_max, terms.per_buyer_day_max);
    let starts_buyers = terms.per_buyer_max.is_some() && !sale.counts_buyers;
    let starts_days = terms.per_buyer_day_max.is_some() && !sale.counts_days;
    sale.counts_buyers |= starts_buyers;
    sale.counts_days |= starts_days;
    *sale.terms = terms.clone();
    if starts_buyers {
        state.count_again(sale_id, |order| Some((Scope::sale(sale_id), order.units)));
    }
    if starts_days {
        state.count_again(sale_id, |order| Some((Scope::day(sale_id, order.placed_at), order.units)));
    }
}

pub(super) fn item_added(
    state: &mut State,
    (sale, item): (SaleId, ItemIndex),
    terms: &ItemTerms,
    stock: u32,
) {
    let items = &mut state.sale_mut(sale).items;
    assert_eq!(usize::from(item.0), items.len(), "items are numbered without a gap");
    items.push(Item {
        terms: Box::new(terms.clone()),
        levels: Levels { stock, free: stock, ..Levels::default() },
        turnover: Turnover::default(),
        counts_buyers: terms.per_buyer_max.is_some(),
    });
}

pub(super) fn item_edited(state: &mut State, sale_id: SaleId, item_index: ItemIndex, terms: &ItemTerms) {
    let sale = state.sale_mut(sale_id);
    let item = sale.item_mut(item_index);
    let tighter = is_tighter(item.terms.per_buyer_max, terms.per_buyer_max);
    let starts = terms.per_buyer_max.is_some() && !item.counts_buyers;
    item.counts_buyers |= starts;
    *item.terms = terms.clone();
    sale.limits_tightened |= tighter;
    if starts {
        state.count_again(sale_id, |order| {
            let line = order.lines.iter().find(|line| line.item == item_index)?;
            Some((Scope::item(sale_id, item_index), u32::from(line.quantity)))
        });
    }
}

pub(super) fn moved(state: &mut State, sale: SaleId, to: SaleStatus) {
    let status = &mut state.sale_mut(sale).status;
    assert!(status.may_become(to), "sale {sale:?} cannot go from {status:?} to {to:?}");
    *status = to;
}

pub(super) fn stock_changed(
    state: &mut State,
    (sale_id, item_index): (SaleId, ItemIndex),
    change: i32,
    key: Option<KeyDigest>,
) {
    let seq = state.seq;
    let sale = state.sale_mut(sale_id);
    let item = sale.item_mut(item_index);
    item.change_stock(change);
    let receipt = StockReceipt { sale: sale_id, item: item_index, change, levels: item.levels, seq };
    state.last_stock = Some(receipt);
    if let Some(key) = key {
        let before = state.sale_mut(sale_id).stock_keys.insert(key, receipt);
        assert_eq!(before, None, "I3: one key, one change of stock");
    }
}

fn is_tighter(before: Option<u32>, after: Option<u32>) -> bool {
    after.is_some_and(|after| before.is_none_or(|before| after < before))
}
