//! Whether terms contradict themselves.

use alloc::collections::BTreeSet;

use domain::{ItemTerms, SaleTerms, TermsFault, limits};

/// The first fault of the terms, in the documented order.
pub(super) fn check(terms: &SaleTerms, items: &[&ItemTerms]) -> Result<(), TermsFault> {
    let mut names = core::iter::once(&terms.name).chain(items.iter().map(|item| &item.name));
    let sale_limits = [terms.per_order_max, terms.per_buyer_max, terms.per_buyer_day_max];
    let item_limits = items.iter().flat_map(|item| [item.per_order_max, item.per_buyer_max]);
    let mut all_limits = sale_limits.into_iter().chain(item_limits);
    let mut codes = BTreeSet::new();

    if names.any(|name| name.is_empty() || name.len() > limits::NAME_SIZE_BYTES_MAX) {
        return Err(TermsFault::NameLength);
    }
    if !(limits::HOLD_TTL_S_MIN..=limits::HOLD_TTL_S_MAX).contains(&terms.hold_ttl_s) {
        return Err(TermsFault::HoldOutOfRange);
    }
    if all_limits.any(|limit| limit == Some(0)) {
        return Err(TermsFault::LimitZero);
    }
    if let (Some(opens_at), Some(closes_at)) = (terms.opens_at, terms.closes_at)
        && closes_at <= opens_at
    {
        return Err(TermsFault::ClosesBeforeOpening);
    }
    if items.is_empty() || items.len() > usize::from(limits::ITEM_COUNT_MAX) {
        return Err(TermsFault::ItemCount);
    }
    if !items.iter().all(|item| codes.insert(&item.code)) {
        return Err(TermsFault::ItemTwice);
    }
    Ok(())
}
