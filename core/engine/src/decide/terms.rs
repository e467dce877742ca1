//! What terms a sale may have.

use alloc::collections::BTreeSet;

use domain::{ItemTerms, Refusal, SaleTerms, TermsFault, limits};

pub(super) fn check<'a>(
    sale: &SaleTerms,
    items: impl Iterator<Item = &'a ItemTerms> + Clone,
) -> Result<(), Refusal> {
    match fault(sale, items) {
        Some(fault) => Err(Refusal::TermsInvalid(fault)),
        None => Ok(()),
    }
}

fn fault<'a>(sale: &SaleTerms, items: impl Iterator<Item = &'a ItemTerms> + Clone) -> Option<TermsFault> {
    let is_name = |name: &str| (1..=limits::NAME_SIZE_BYTES_MAX).contains(&name.len());
    let item_limits = |item: &ItemTerms| [item.per_order_max, item.per_buyer_max];
    let sale_limits = [sale.per_order_max, sale.per_buyer_max, sale.per_buyer_day_max];
    if !is_name(&sale.name) || !items.clone().all(|item| is_name(&item.name)) {
        return Some(TermsFault::NameLength);
    }
    if sale.hold_ttl_s < limits::HOLD_TTL_S_MIN {
        return Some(TermsFault::HoldOutOfRange);
    }
    if sale_limits.contains(&Some(0)) || items.clone().any(|item| item_limits(item).contains(&Some(0))) {
        return Some(TermsFault::LimitZero);
    }
    if let (Some(opens_at), Some(closes_at)) = (sale.opens_at, sale.closes_at)
        && closes_at <= opens_at
    {
        return Some(TermsFault::ClosesBeforeOpening);
    }
    if !(1..=usize::from(limits::ITEM_COUNT_MAX)).contains(&items.clone().count()) {
        return Some(TermsFault::ItemCount);
    }
    let mut codes = BTreeSet::new();
    items.map(|item| &item.code).any(|code| !codes.insert(code)).then_some(TermsFault::ItemTwice)
}
