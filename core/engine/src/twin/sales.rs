//! Commands of the organiser: make, edit and move a sale, change stock.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use domain::{
    Cause, Fact, ItemIndex, ItemPatch, ItemTerms, KeyDigest, Phase, Refusal, SaleId, SalePatch, SaleStatus,
    SaleTerms, Slug, UnixMs, Wish, limits,
};

use super::{Sale, Twin, terms};

impl Twin {
    pub(super) fn create_sale(
        &self,
        slug: &Slug,
        terms: &SaleTerms,
        items: &[(ItemTerms, u32)],
    ) -> Result<Vec<Fact>, Refusal> {
        if let Some(existing) = self.sales.iter().find(|sale| sale.slug == *slug) {
            return if is_as_wanted(existing, terms, items) { Ok(vec![]) } else { Err(Refusal::SaleExists) };
        }
        let item_terms: Vec<&ItemTerms> = items.iter().map(|(terms, _)| terms).collect();
        terms::check(terms, &item_terms).map_err(Refusal::TermsInvalid)?;
        check_first_stock(items)?;
        if self.sales.len() >= usize::from(limits::SALE_COUNT_MAX) {
            return Err(Refusal::CapacityExhausted { limit: "SALE_COUNT_MAX" });
        }
        let sale = SaleId(u16::try_from(self.sales.len()).expect("at most SALE_COUNT_MAX"));
        let mut facts = vec![Fact::SaleCreated { sale, slug: slug.clone(), terms: Box::new(terms.clone()) }];
        facts.extend(items_added(sale, 0, items));
        Ok(facts)
    }

    pub(super) fn edit_sale(&self, id: SaleId, patch: &SalePatch, now: UnixMs) -> Result<Vec<Fact>, Refusal> {
        let sale = self.find_sale(id).ok_or(Refusal::SaleNotFound)?;
        if sale.phase(now) == Phase::Closed {
            return Err(Refusal::SaleClosed);
        }
        let mut facts = Vec::new();
        let new_terms = patched_sale(&sale.terms, patch);
        if new_terms != sale.terms {
            facts.push(Fact::SaleEdited { sale: id, terms: Box::new(new_terms.clone()) });
        }
        let mut items: Vec<ItemTerms> = sale.items.iter().map(|item| item.terms.clone()).collect();
        for item_patch in &patch.items {
            let item = item_patch.item;
            let old = items.get_mut(usize::from(item.0)).ok_or(Refusal::ItemNotFound { item })?;
            let new = patched_item(old, item_patch);
            if new != *old {
                *old = new.clone();
                facts.push(Fact::ItemEdited { sale: id, item, terms: Box::new(new) });
            }
        }
        facts.extend(items_added(id, items.len(), &patch.items_added));
        let all: Vec<&ItemTerms> =
            items.iter().chain(patch.items_added.iter().map(|(terms, _)| terms)).collect();
        terms::check(&new_terms, &all).map_err(Refusal::TermsInvalid)?;
        check_first_stock(&patch.items_added)?;
        Ok(facts)
    }

    pub(super) fn move_sale(&self, id: SaleId, to: SaleStatus, now: UnixMs) -> Result<Vec<Fact>, Refusal> {
        let sale = self.find_sale(id).ok_or(Refusal::SaleNotFound)?;
        let from = if sale.phase(now) == Phase::Closed { SaleStatus::Closed } else { sale.status };
        if to == from {
            return Ok(vec![]);
        }
        if !from.may_become(to) {
            return Err(Refusal::SaleState { from, to });
        }
        Ok(vec![Fact::SaleMoved { sale: id, to, cause: Cause::Organiser }])
    }

    pub(super) fn change_stock(
        &self,
        id: SaleId,
        item: ItemIndex,
        change: i32,
        key: Option<KeyDigest>,
    ) -> Result<Vec<Fact>, Refusal> {
        let sale = self.find_sale(id).ok_or(Refusal::SaleNotFound)?;
        if let Some(receipt) = key.and_then(|key| sale.stock_keys.get(&key)) {
            let same = receipt.item == item && receipt.change == change;
            return if same { Ok(vec![]) } else { Err(Refusal::IdempotencyKeyReused) };
        }
        let levels = self.levels(id, item).ok_or(Refusal::ItemNotFound { item })?;
        let size = change.unsigned_abs();
        if change == 0 {
            return Err(Refusal::QuantityOutOfRange { item: Some(item), quantity_max: limits::STOCK_MAX });
        }
        if change > 0 && u64::from(levels.stock) + u64::from(size) > u64::from(limits::STOCK_MAX) {
            return Err(Refusal::StockOutOfRange);
        }
        if change < 0 && size > levels.free {
            let quantity = u16::try_from(size).unwrap_or(u16::MAX);
            return Err(Refusal::StockExhausted { wish: Wish { item, quantity }, left: levels.free });
        }
        if key.is_some() && sale.stock_keys.len() >= limits::STOCK_KEY_COUNT_MAX {
            return Err(Refusal::CapacityExhausted { limit: "STOCK_KEY_COUNT_MAX" });
        }
        Ok(vec![Fact::StockChanged { sale: id, item, change, key }])
    }
}

/// Whether somebody who wants to make this sale finds it, as it stands now, as they want it.
fn is_as_wanted(existing: &Sale, terms: &SaleTerms, items: &[(ItemTerms, u32)]) -> bool {
    let own = existing.items.iter().map(|item| (&item.terms, item.stock()));
    let wanted = items.iter().map(|(terms, stock)| (terms, u64::from(*stock)));
    existing.terms == *terms && own.eq(wanted)
}

fn check_first_stock(items: &[(ItemTerms, u32)]) -> Result<(), Refusal> {
    let too_much = items.iter().any(|(_, stock)| *stock > limits::STOCK_MAX);
    if too_much { Err(Refusal::StockOutOfRange) } else { Ok(()) }
}

fn items_added(sale: SaleId, first: usize, items: &[(ItemTerms, u32)]) -> Vec<Fact> {
    let fact = |(position, (terms, stock)): (usize, &(ItemTerms, u32))| Fact::ItemAdded {
        sale,
        // More than ITEM_COUNT_MAX are refused before the fact leaves.
        item: ItemIndex(u16::try_from(position).unwrap_or(u16::MAX)),
        terms: Box::new(terms.clone()),
        stock: *stock,
    };
    (first..).zip(items).map(fact).collect()
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

fn patched_item(old: &ItemTerms, patch: &ItemPatch) -> ItemTerms {
    ItemTerms {
        code: old.code.clone(),
        name: patch.name.clone().unwrap_or_else(|| old.name.clone()),
        unit_price: patch.unit_price.unwrap_or(old.unit_price),
        per_order_max: patch.per_order_max.unwrap_or(old.per_order_max),
        per_buyer_max: patch.per_buyer_max.unwrap_or(old.per_buyer_max),
    }
}
