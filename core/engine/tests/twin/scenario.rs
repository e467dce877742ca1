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
        terms: plain_sale(),
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
    SaleTerms {
        name: "Many".into(),
        currency: Currency::new("EUR").unwrap(),
        opens_at: None,
        closes_at: None,
        hold_ttl_s: 60,
        per_order_max: None,
        per_buyer_max: None,
        per_buyer_day_max: None,
    }
}

fn plain_item() -> ItemTerms {
    ItemTerms {
        code: Slug::new("one").unwrap(),
        name: "One".into(),
        unit_price: 100,
        per_order_max: None,
        per_buyer_max: None,
    }
}
