//! Worlds that random commands are too few to build.

use domain::{
    BuyerId, Command, Currency, ItemIndex, ItemTerms, KeyDigest, SaleId, SaleStatus, SaleTerms, Slug, UnixMs,
    Wish, Wishes,
};

use super::pair::Pair;

/// Every hold of [`many_holds`] is due by then.
pub(crate) const AFTER_ALL_HOLDS: UnixMs = UnixMs(UnixMs::EPOCH.0 + 90 * UnixMs::DAY_MS);

/// A sale with that many holds, of one unit each.
pub(crate) fn many_holds(pair: &mut Pair, count: usize) -> Result<(), String> {
    let stock = u32::try_from(count).unwrap();
    pair.execute(&Command::CreateSale {
        slug: Slug::new("many").unwrap(),
        terms: plain_sale().into(),
        items: vec![(plain_item(), stock)],
    })?;
    pair.execute(&Command::MoveSale { sale: SaleId(0), to: SaleStatus::Open })?;
    for number in 0..count {
        pair.now.0 += u64::try_from(number % 3).unwrap();
        pair.execute(&Command::PlaceOrder {
            sale: SaleId(0),
            buyer: BuyerId::from_text(&format!("b{number}")),
            key: KeyDigest(1),
            wishes: Wishes::one(Wish { item: ItemIndex(0), quantity: 1 }),
        })?;
    }
    Ok(())
}

fn plain_sale() -> SaleTerms {
    SaleTerms::new("Many", Currency::new("EUR").unwrap(), 60)
}

fn plain_item() -> ItemTerms {
    ItemTerms::new(Slug::new("one").unwrap(), "One", 100)
}
