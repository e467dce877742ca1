//! What sales and items are called: facts name them by their numbers.

use std::collections::BTreeMap;

use domain::{Amount, Currency, Fact, ItemIndex, SaleId, Slug};
use engine::State;

/// The codes of all sales and items that were heard of. Bounded by the number of items; codes never change.
#[derive(Default)]
pub(crate) struct Titles(BTreeMap<SaleId, Title>);

struct Title {
    slug: Slug,
    currency: Currency,
    items: Vec<Slug>,
}

impl Titles {
    /// Those of a state.
    pub(crate) fn of(state: &State) -> Titles {
        let title = |(id, sale): (SaleId, &engine::state::Sale)| {
            let items = sale.items().iter().map(|item| item.terms().code.clone()).collect();
            (id, Title { slug: sale.slug().clone(), currency: sale.terms().currency, items })
        };
        Titles(state.sales().map(title).collect())
    }

    /// Remembers what a fact gives a name to.
    pub(crate) fn hear(&mut self, fact: &Fact) {
        match fact {
            Fact::SaleCreated { sale, slug, terms } => {
                let title = Title { slug: slug.clone(), currency: terms.currency, items: Vec::new() };
                self.0.insert(*sale, title);
            }
            Fact::ItemAdded { sale, terms, .. } => {
                if let Some(title) = self.0.get_mut(sale) {
                    title.items.push(terms.code.clone());
                }
            }
            _ => {}
        }
    }

    /// A sale's code.
    pub(crate) fn sale(&self, sale: SaleId) -> String {
        self.0.get(&sale).map_or_else(|| format!("number {}", sale.0), |title| title.slug.to_string())
    }

    /// An item's code.
    pub(crate) fn item(&self, sale: SaleId, item: ItemIndex) -> String {
        let code = self.0.get(&sale).and_then(|title| title.items.get(usize::from(item.0)));
        code.map_or_else(|| format!("item {}", item.0), Slug::to_string)
    }

    /// An amount: in minor units, since the journal does not say how many of them make one of the currency.
    pub(crate) fn money(&self, sale: SaleId, amount: Amount) -> String {
        let currency = self.0.get(&sale).map_or("", |title| title.currency.as_str());
        format!("{} {currency} in minor units", amount.0)
    }

    /// The sale of that code.
    pub(crate) fn find_sale(&self, slug: &str) -> Option<SaleId> {
        self.0.iter().find(|(_, title)| title.slug.as_str() == slug).map(|(sale, _)| *sale)
    }

    /// The item of that code.
    pub(crate) fn find_item(&self, sale: SaleId, code: &str) -> Option<ItemIndex> {
        let place = self.0.get(&sale)?.items.iter().position(|item| item.as_str() == code)?;
        u16::try_from(place).ok().map(ItemIndex)
    }
}
