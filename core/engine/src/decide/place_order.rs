//! Claim units: the hot command.

use domain::{
    BuyerId, Fact, ItemIndex, KeyDigest, Line, Lines, OrderId, Phase, Refusal, SaleId, SaleTerms, UnixMs,
    Wish, Wishes, limits, planted,
};

use super::{Facts, already_so, one};
use crate::state::{Sale, Scope, State};

pub(super) struct Wanted<'a> {
    pub(super) sale: SaleId,
    pub(super) buyer: BuyerId,
    pub(super) key: KeyDigest,
    pub(super) wishes: &'a Wishes,
}

pub(super) fn decide(state: &State, wanted: Wanted<'_>, now: UnixMs) -> Result<Facts, Refusal> {
    let Wanted { sale: sale_id, buyer, key, wishes } = wanted;
    if let Some(slot) = state.orders.slot_of_key(buyer, key).filter(|_| !planted!(SkipKeyLookup)) {
        let same = planted!(AcceptReusedKey) || state.orders.is_for(state.orders.get(slot), sale_id, wishes);
        return if same { already_so() } else { Err(Refusal::IdempotencyKeyReused) };
    }
    let sale = state.sale(sale_id).ok_or(Refusal::SaleNotFound)?;
    check_open(sale, now)?;
    check_items(sale, wishes)?;
    check_quantities(sale, wishes)?;
    let order = OrderId::next(state.shard, now, state.last_order);
    let claim = Claim { sale_id, sale, buyer, placed_at: order.placed_at() };
    check_limits(state, &claim, wishes.iter().copied())?;
    check_stock(sale, wishes.iter().copied())?;
    if !state.orders.has_room() {
        return Err(Refusal::CapacityExhausted { limit: "ORDER_COUNT_MAX" });
    }
    let hold_ttl_s = sale.terms.hold_ttl_s;
    one(Fact::OrderHeld { order, sale: sale_id, buyer, key, hold_ttl_s, lines: price(sale, wishes) })
}

/// Who claims units of what, since when.
pub(super) struct Claim<'a> {
    pub(super) sale_id: SaleId,
    pub(super) sale: &'a Sale,
    pub(super) buyer: BuyerId,
    pub(super) placed_at: UnixMs,
}

/// The buyer's limits: of the sale, of the day, of each item.
pub(super) fn check_limits(
    state: &State,
    claim: &Claim<'_>,
    wishes: impl Iterator<Item = Wish> + Clone,
) -> Result<(), Refusal> {
    let Claim { sale_id, sale, buyer, placed_at } = *claim;
    let SaleTerms { per_buyer_max, per_buyer_day_max, .. } = *sale.terms;
    let wanted_sum: u32 = wishes.clone().map(|wish| u32::from(wish.quantity)).sum();
    let check = |bound: Bound, wanted: u32| {
        let Bound { scope, limit: Some(limit), item, per_day } = bound else { return Ok(()) };
        let taken = state.allowances.units(scope, buyer);
        let limit_counted = u64::from(limit) + u64::from(planted!(LimitOffByOne));
        let fits = u64::from(taken) + u64::from(wanted) <= limit_counted;
        if fits { Ok(()) } else { Err(Refusal::BuyerLimitReached { item, per_day, limit, taken }) }
    };
    let of_sale = Bound { scope: Scope::sale(sale_id), limit: per_buyer_max, item: None, per_day: false };
    check(of_sale, wanted_sum)?;
    let of_day = Scope::day(sale_id, placed_at);
    check(Bound { scope: of_day, limit: per_buyer_day_max, item: None, per_day: true }, wanted_sum)?;
    for Wish { item, quantity } in wishes {
        let limit = sale.item(item).and_then(|item| item.terms.per_buyer_max);
        let scope = Scope::item(sale_id, item);
        check(Bound { scope, limit, item: Some(item), per_day: false }, quantity.into())?;
    }
    Ok(())
}

/// One limit for each buyer.
struct Bound {
    scope: Scope,
    limit: Option<u32>,
    item: Option<ItemIndex>,
    per_day: bool,
}

/// All of it or none of it: every line must find its units free.
pub(super) fn check_stock(sale: &Sale, mut wishes: impl Iterator<Item = Wish>) -> Result<(), Refusal> {
    let more = u32::from(planted!(StockOffByOne));
    let free = |wish: &Wish| sale.item(wish.item).map_or(0, |item| item.levels.free + more);
    if planted!(CheckFirstLineOnly) && wishes.next().is_some_and(|wish| free(&wish) >= wish.quantity.into()) {
        return Ok(());
    }
    match wishes.find(|wish| free(wish) < wish.quantity.into()) {
        Some(wish) => Err(Refusal::StockExhausted { wish, left: free(&wish) }),
        None => Ok(()),
    }
}

fn check_open(sale: &Sale, now: UnixMs) -> Result<(), Refusal> {
    match sale.phase(now) {
        Phase::Open => Ok(()),
        Phase::NotYetOpen { opens_at } => Err(Refusal::SaleNotOpen { opens_at }),
        Phase::Paused => Err(Refusal::SalePaused),
        Phase::Closed => Err(Refusal::SaleClosed),
    }
}

fn check_items(sale: &Sale, wishes: &Wishes) -> Result<(), Refusal> {
    match wishes.iter().find(|wish| sale.item(wish.item).is_none()) {
        Some(wish) => Err(Refusal::ItemNotFound { item: wish.item }),
        None => Ok(()),
    }
}

fn check_quantities(sale: &Sale, wishes: &Wishes) -> Result<(), Refusal> {
    for wish in wishes {
        let per_order_max = sale.item(wish.item).and_then(|item| item.terms.per_order_max);
        let bound = u32::from(limits::LINE_QUANTITY_MAX);
        let quantity_max = per_order_max.unwrap_or(bound).min(bound);
        if wish.quantity == 0 || u32::from(wish.quantity) > quantity_max {
            return Err(Refusal::QuantityOutOfRange { item: Some(wish.item), quantity_max });
        }
    }
    let sum: u32 = wishes.iter().map(|wish| u32::from(wish.quantity)).sum();
    match sale.terms.per_order_max {
        Some(quantity_max) if sum > quantity_max => {
            Err(Refusal::QuantityOutOfRange { item: None, quantity_max })
        }
        _ => Ok(()),
    }
}

fn price(sale: &Sale, wishes: &Wishes) -> Lines {
    let line = |wish: &Wish| {
        let item = sale.item(wish.item).expect("check_items found it");
        Line { item: wish.item, quantity: wish.quantity, unit_price: item.terms.unit_price }
    };
    match wishes.as_slice() {
        [wish] => Lines::one(line(wish)),
        many => Lines::new(many.iter().map(line).collect()).expect("wishes have different items"),
    }
}
