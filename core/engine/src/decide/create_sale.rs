//! Make a new sale.

use alloc::boxed::Box;

use domain::{Fact, ItemIndex, ItemTerms, Refusal, SaleId, SaleTerms, Slug, limits};
use smallvec::smallvec;

use super::{Facts, already_so, terms};
use crate::state::{Sale, State};

pub(super) fn decide(
    state: &State,
    slug: &Slug,
    sale_terms: &SaleTerms,
    items: &[(ItemTerms, u32)],
) -> Result<Facts, Refusal> {
    if let Some(sale) = state.slugs.get(slug) {
        let same = state.sale(*sale).is_some_and(|sale| is_same(sale, sale_terms, items));
        return if same { already_so() } else { Err(Refusal::SaleExists) };
    }
    terms::check(sale_terms, items.iter().map(|(terms, _)| terms))?;
    if items.iter().any(|(_, stock)| *stock > limits::STOCK_MAX) {
        return Err(Refusal::StockOutOfRange);
    }
    let number = u16::try_from(state.sales.len()).ok().filter(|number| *number < limits::SALE_COUNT_MAX);
    let sale = SaleId(number.ok_or(Refusal::CapacityExhausted { limit: "SALE_COUNT_MAX" })?);
    let mut facts: Facts =
        smallvec![Fact::SaleCreated { sale, slug: slug.clone(), terms: Box::new(sale_terms.clone()) }];
    facts.extend(
        (0..).zip(items).map(|(item, (terms, stock))| item_added(sale, ItemIndex(item), terms, *stock)),
    );
    Ok(facts)
}

pub(super) fn item_added(sale: SaleId, item: ItemIndex, terms: &ItemTerms, stock: u32) -> Fact {
    Fact::ItemAdded { sale, item, terms: Box::new(terms.clone()), stock }
}

/// Whether the sale still is what such a command would make.
fn is_same(sale: &Sale, terms: &SaleTerms, items: &[(ItemTerms, u32)]) -> bool {
    let have = sale.items.iter().map(|item| (&*item.terms, item.levels.stock));
    *sale.terms == *terms && have.eq(items.iter().map(|(terms, stock)| (terms, *stock)))
}
