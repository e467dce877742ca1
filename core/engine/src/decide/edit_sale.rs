//! Change a sale's terms. Orders that exist keep the price and the hold that they were given.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use domain::{
    Fact, ItemIndex, ItemPatch, ItemTerms, Phase, Refusal, SaleId, SalePatch, SaleTerms, UnixMs, limits,
};

use super::create_sale::item_added;
use super::{Facts, terms};
use crate::state::State;

pub(super) fn decide(
    state: &State,
    sale_id: SaleId,
    patch: &SalePatch,
    now: UnixMs,
) -> Result<Facts, Refusal> {
    let sale = state.sale(sale_id).ok_or(Refusal::SaleNotFound)?;
    if sale.phase(now) == Phase::Closed {
        return Err(Refusal::SaleClosed);
    }
    let sale_terms = patched_sale(&sale.terms, patch);
    let mut items: Vec<ItemTerms> = sale.items.iter().map(|item| (*item.terms).clone()).collect();
    for change in &patch.items {
        let item = items.get_mut(usize::from(change.item.0));
        patch_item(item.ok_or(Refusal::ItemNotFound { item: change.item })?, change);
    }
    let added = patch.items_added.iter();
    terms::check(&sale_terms, items.iter().chain(added.clone().map(|(terms, _)| terms)))?;
    if added.clone().any(|(_, stock)| *stock > limits::STOCK_MAX) {
        return Err(Refusal::StockOutOfRange);
    }
    let mut facts = Facts::new();
    if sale_terms != *sale.terms {
        facts.push(Fact::SaleEdited { sale: sale_id, terms: Box::new(sale_terms) });
    }
    let mut seen = BTreeSet::new();
    for item in patch.items.iter().map(|change| change.item).filter(|item| seen.insert(*item)) {
        let terms = &items[usize::from(item.0)];
        if sale.item(item).is_some_and(|old| *old.terms != *terms) {
            facts.push(Fact::ItemEdited { sale: sale_id, item, terms: Box::new(terms.clone()) });
        }
    }
    let free_numbers = (0..).skip(sale.items.len()).map(ItemIndex);
    facts.extend(
        free_numbers.zip(added).map(|(item, (terms, stock))| item_added(sale_id, item, terms, *stock)),
    );
    Ok(facts)
}

fn patched_sale(old: &SaleTerms, patch: &SalePatch) -> SaleTerms {
    SaleTerms {
        name: patch.name.clone().unwrap_or_else(|| old.name.clone()),
        currency: old.currency,
        opens_at: patch.opens_at.unwrap_or(old.opens_at),
        closes_at: patch.closes_at.unwrap_or(old.closes_at),
        hold_ttl_s: patch.hold_ttl_s.unwrap_or(old.hold_ttl_s),
        per_order_max: patch.per_order_max.unwrap_or(old.per_order_max),
        per_buyer_max: patch.per_buyer_max.unwrap_or(old.per_buyer_max),
        per_buyer_day_max: patch.per_buyer_day_max.unwrap_or(old.per_buyer_day_max),
    }
}

fn patch_item(terms: &mut ItemTerms, patch: &ItemPatch) {
    if let Some(name) = &patch.name {
        terms.name = name.clone();
    }
    terms.unit_price = patch.unit_price.unwrap_or(terms.unit_price);
    terms.per_order_max = patch.per_order_max.unwrap_or(terms.per_order_max);
    terms.per_buyer_max = patch.per_buyer_max.unwrap_or(terms.per_buyer_max);
}
