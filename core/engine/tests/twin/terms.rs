//! Random terms of sales and items: mostly sound, now and then with a fault.

use domain::{
    Command, Currency, ItemIndex, ItemPatch, ItemTerms, SaleId, SalePatch, SaleTerms, Slug, UnixMs, limits,
};
use engine::twin::Twin;

use super::dice::Dice;

const SLUGS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const HOUR_MS: u64 = 3_600_000;

pub(crate) fn create_sale(now: UnixMs, dice: &mut Dice) -> Command {
    let slug = Slug::new(dice.pick(&SLUGS)).unwrap();
    let count = if dice.once_in(30) { 0 } else { 1 + dice.roll(3) };
    let items = (0..count).map(|index| (item_terms(index, dice), first_stock(dice))).collect();
    Command::CreateSale { slug, terms: sale_terms(now, dice).into(), items }
}

pub(crate) fn edit_sale(twin: &Twin, sale: SaleId, now: UnixMs, dice: &mut Dice) -> Command {
    let mut patch = SalePatch::default();
    match dice.roll(9) {
        0 => patch.name = Some(name(dice)),
        1 => patch.opens_at = Some(instant(now, 60_000, dice)),
        2 => patch.closes_at = Some(instant(now, HOUR_MS, dice)),
        3 => patch.hold_ttl_s = Some(hold_ttl_s(dice)),
        4 => patch.per_order_max = Some(limit(dice)),
        5 => patch.per_buyer_max = Some(limit(dice)),
        6 => patch.per_buyer_day_max = Some(limit(dice)),
        _ => {}
    }
    let item_count = u16::try_from(twin.item_count(sale)).unwrap();
    patch.items = (0..dice.roll(4) / 2).map(|_| item_patch(item_count, dice)).collect();
    let added = dice.once_in(3) && item_count < 6;
    patch.items_added = (0..u64::from(added))
        .map(|n| (item_terms(n + u64::from(item_count), dice), first_stock(dice)))
        .collect();
    Command::EditSale { sale, patch: Box::new(patch) }
}

fn item_patch(item_count: u16, dice: &mut Dice) -> ItemPatch {
    let beyond = u16::from(item_count == 0 || dice.once_in(20));
    let item = ItemIndex(dice.roll_u16(item_count + beyond));
    let mut patch =
        ItemPatch { item, name: None, unit_price: None, per_order_max: None, per_buyer_max: None };
    match dice.roll(5) {
        0 => patch.unit_price = Some(dice.roll_u32(1_000)),
        1 => patch.per_order_max = Some(limit(dice)),
        2 => patch.per_buyer_max = Some(limit(dice)),
        3 => patch.name = Some(name(dice)),
        _ => {}
    }
    patch
}

fn sale_terms(now: UnixMs, dice: &mut Dice) -> SaleTerms {
    SaleTerms {
        name: name(dice),
        currency: Currency::new(dice.pick(&["EUR", "USD"])).unwrap(),
        opens_at: instant(now, 60_000, dice),
        closes_at: if dice.once_in(3) { instant(now, HOUR_MS, dice) } else { None },
        hold_ttl_s: hold_ttl_s(dice),
        per_order_max: limit(dice),
        per_buyer_max: limit(dice),
        per_buyer_day_max: limit(dice),
    }
}

fn item_terms(index: u64, dice: &mut Dice) -> ItemTerms {
    let number = if dice.once_in(40) { 0 } else { index };
    ItemTerms {
        code: Slug::new(&format!("i{number}")).unwrap(),
        name: name(dice),
        unit_price: dice.roll_u32(1_000),
        per_order_max: limit(dice),
        per_buyer_max: limit(dice),
    }
}

fn name(dice: &mut Dice) -> Box<str> {
    match dice.roll(60) {
        58 => "".into(),
        59 => "x".repeat(limits::NAME_SIZE_BYTES_MAX + 1).into(),
        short => if short % 2 == 0 { "name" } else { "other" }.into(),
    }
}

/// None half of the time, else soon, now, or a little while ago.
fn instant(now: UnixMs, span_ms: u64, dice: &mut Dice) -> Option<UnixMs> {
    (dice.roll(2) == 1).then(|| UnixMs(now.0 + dice.roll(span_ms) - span_ms / 8))
}

fn hold_ttl_s(dice: &mut Dice) -> u16 {
    if dice.once_in(40) { dice.pick(&[0, limits::HOLD_TTL_S_MAX]) } else { 1 + dice.roll_u16(20) }
}

fn limit(dice: &mut Dice) -> Option<u32> {
    match dice.roll(16) {
        0..=9 => None,
        15 if dice.once_in(8) => Some(0),
        _ => Some(1 + dice.roll_u32(8)),
    }
}

fn first_stock(dice: &mut Dice) -> u32 {
    match dice.roll(40) {
        38 => limits::STOCK_MAX,
        39 => limits::STOCK_MAX + 1,
        some => 20 - u32::try_from(some / 2).unwrap(),
    }
}
