//! The sales of a world: some with instants, some with limits.

use domain::{Currency, ItemTerms, SaleTerms, Slug, UnixMs};

use crate::dice::Dice;

/// A sale that an organiser will make.
#[derive(Clone, Debug)]
pub struct SaleShape {
    /// Its code, which says in which shard it will be.
    pub slug: Slug,
    /// What holds for it.
    pub terms: SaleTerms,
    /// Its items with their first stock.
    pub items: Vec<(ItemTerms, u32)>,
}

impl SaleShape {
    /// The sale of that number in a world that begins at `start`.
    pub(super) fn new(index: u64, start: UnixMs, dice: &mut Dice) -> SaleShape {
        let item_count = dice.between(1, 4);
        let slug = format!("rush-{index}-{}", dice.below(100));
        SaleShape {
            slug: Slug::new(&slug).expect("a legal code"),
            terms: terms(start, dice),
            items: (0..item_count).map(|index| item(index, dice)).collect(),
        }
    }
}

fn terms(start: UnixMs, dice: &mut Dice) -> SaleTerms {
    let opens_at = (dice.below(3) == 0).then(|| UnixMs(start.0 + dice.between(200, 6_000)));
    let closes_at = (dice.below(5) == 0).then(|| UnixMs(start.0 + dice.between(6_001, 30_000)));
    SaleTerms {
        name: "Rush".into(),
        currency: Currency::new("EUR").expect("three capital letters"),
        opens_at,
        closes_at,
        hold_ttl_s: u16::try_from(dice.between(1, 12)).expect("it is small"),
        per_order_max: limit(dice, 6),
        per_buyer_max: limit(dice, 3),
        per_buyer_day_max: limit(dice, 3),
    }
}

fn item(index: u64, dice: &mut Dice) -> (ItemTerms, u32) {
    let terms = ItemTerms {
        code: Slug::new(&format!("item-{index}")).expect("a legal code"),
        name: "Item".into(),
        unit_price: u32::try_from(dice.between(1, 9_999)).expect("it is small"),
        per_order_max: limit(dice, 6),
        per_buyer_max: limit(dice, 3),
    };
    (terms, u32::try_from(dice.between(1, 120)).expect("it is small"))
}

/// A limit, in one of so many cases.
fn limit(dice: &mut Dice, cases: u64) -> Option<u32> {
    let max = u32::try_from(dice.between(3, 12)).expect("it is small");
    (dice.below(cases) == 0).then_some(max)
}
