//! Commands of a buyer: place an order, extend its hold, give it up.

use alloc::vec;
use alloc::vec::Vec;

use domain::{
    Actor, BuyerId, Fact, ItemIndex, KeyDigest, Line, Lines, OrderId, OrderState, Phase, Refusal, SaleId,
    UnixMs, Wish, Wishes, limits,
};

use super::{Order, Sale, Twin};

/// What a buyer wants.
pub(super) struct Placing<'a> {
    pub(super) sale: SaleId,
    pub(super) buyer: BuyerId,
    pub(super) key: KeyDigest,
    pub(super) wishes: &'a Wishes,
}

impl Twin {
    pub(super) fn place_order(&self, wanted: &Placing<'_>, now: UnixMs) -> Result<Vec<Fact>, Refusal> {
        if let Some((_, earlier)) = self.order_by_key(wanted.buyer, wanted.key) {
            let wishes: Vec<Wish> = earlier.lines.iter().map(Line::wish).collect();
            let same = earlier.sale == wanted.sale && wishes == wanted.wishes.as_slice();
            return if same { Ok(vec![]) } else { Err(Refusal::IdempotencyKeyReused) };
        }
        let sale = self.find_sale(wanted.sale).ok_or(Refusal::SaleNotFound)?;
        match sale.phase(now) {
            Phase::NotYetOpen { opens_at } => return Err(Refusal::SaleNotOpen { opens_at }),
            Phase::Paused => return Err(Refusal::SalePaused),
            Phase::Closed => return Err(Refusal::SaleClosed),
            Phase::Open => {}
        }
        sale.check_items(wanted.wishes)?;
        sale.check_quantities(wanted.wishes)?;
        let last = self.orders.keys().next_back().copied();
        let order = OrderId::next(self.shard, now, last);
        self.check_limits(wanted.sale, wanted.buyer, order.placed_at(), wanted.wishes.as_slice())?;
        self.check_free(wanted.sale, wanted.wishes.as_slice())?;
        if self.orders.len() >= limits::ORDER_COUNT_MAX {
            return Err(Refusal::CapacityExhausted { limit: "ORDER_COUNT_MAX" });
        }
        Ok(vec![Fact::OrderHeld {
            order,
            sale: wanted.sale,
            buyer: wanted.buyer,
            key: wanted.key,
            hold_ttl_s: sale.terms.hold_ttl_s,
            lines: sale.lines(wanted.wishes),
        }])
    }

    pub(super) fn extend_hold(
        &self,
        id: OrderId,
        buyer: BuyerId,
        key: KeyDigest,
        now: UnixMs,
    ) -> Result<Vec<Fact>, Refusal> {
        let order = self.order_seen_by(id, Actor::Buyer(buyer))?;
        if let Some(extension) = &order.extension {
            return if extension.key == key { Ok(vec![]) } else { Err(Refusal::HoldAlreadyExtended) };
        }
        let from = order.state_at(id, now);
        if from != OrderState::Held {
            return Err(Refusal::OrderState { from, to: OrderState::Held });
        }
        Ok(vec![Fact::HoldExtended { order: id, key, expires_at: now.plus_s(order.hold_ttl_s) }])
    }

    pub(super) fn cancel_order(&self, id: OrderId, by: Actor, now: UnixMs) -> Result<Vec<Fact>, Refusal> {
        let order = self.order_seen_by(id, by)?;
        let from = order.state_at(id, now);
        match from {
            OrderState::Cancelled => Ok(vec![]),
            OrderState::Held => {
                Ok(vec![Fact::OrderCancelled { order: id, by_organiser: by == Actor::Organiser }])
            }
            _ => Err(Refusal::OrderState { from, to: OrderState::Cancelled }),
        }
    }

    pub(super) fn order_by_key(&self, buyer: BuyerId, key: KeyDigest) -> Option<(OrderId, &Order)> {
        let mut orders = self.orders.iter().map(|(id, order)| (*id, order));
        orders.find(|(_, order)| order.buyer == buyer && order.key == key)
    }

    fn order_seen_by(&self, id: OrderId, by: Actor) -> Result<&Order, Refusal> {
        let order = self.orders.get(&id).ok_or(Refusal::OrderNotFound)?;
        match by {
            Actor::Buyer(buyer) if buyer != order.buyer => Err(Refusal::OrderNotFound),
            _ => Ok(order),
        }
    }

    /// Whether the buyer may have these units on top: limits of the sale, of the day, of each item.
    pub(super) fn check_limits(
        &self,
        id: SaleId,
        buyer: BuyerId,
        placed_at: UnixMs,
        wishes: &[Wish],
    ) -> Result<(), Refusal> {
        let sale = self.find_sale(id).expect("the caller found the sale");
        let own = self.orders.iter().filter(|(_, o)| o.sale == id && o.buyer == buyer && o.has_units());
        let own: Vec<(OrderId, &Order)> = own.map(|(id, order)| (*id, order)).collect();
        let wanted = wishes.iter().map(|wish| u64::from(wish.quantity)).sum();

        let taken = own.iter().map(|(_, order)| order.unit_count()).sum();
        check_limit(Limit { item: None, per_day: false, max: sale.terms.per_buyer_max }, taken, wanted)?;

        let same_day = own.iter().filter(|(id, _)| id.placed_at().day() == placed_at.day());
        let taken = same_day.map(|(_, order)| order.unit_count()).sum();
        check_limit(Limit { item: None, per_day: true, max: sale.terms.per_buyer_day_max }, taken, wanted)?;

        for wish in wishes {
            let taken = own.iter().map(|(_, order)| order.units_of(wish.item)).sum();
            let max = sale.items[usize::from(wish.item.0)].terms.per_buyer_max;
            check_limit(Limit { item: Some(wish.item), per_day: false, max }, taken, wish.quantity.into())?;
        }
        Ok(())
    }

    /// Whether all of these units are free.
    pub(super) fn check_free(&self, sale: SaleId, wishes: &[Wish]) -> Result<(), Refusal> {
        for wish in wishes {
            let left = self.levels(sale, wish.item).expect("the caller found the items").free;
            if left < u32::from(wish.quantity) {
                return Err(Refusal::StockExhausted { wish: *wish, left });
            }
        }
        Ok(())
    }
}

impl Sale {
    fn check_items(&self, wishes: &Wishes) -> Result<(), Refusal> {
        match wishes.iter().find(|wish| usize::from(wish.item.0) >= self.items.len()) {
            Some(wish) => Err(Refusal::ItemNotFound { item: wish.item }),
            None => Ok(()),
        }
    }

    fn check_quantities(&self, wishes: &Wishes) -> Result<(), Refusal> {
        for wish in wishes {
            let of_all = u32::from(limits::LINE_QUANTITY_MAX);
            let of_item = self.items[usize::from(wish.item.0)].terms.per_order_max;
            let quantity_max = of_item.unwrap_or(of_all).min(of_all);
            if wish.quantity == 0 || u32::from(wish.quantity) > quantity_max {
                return Err(Refusal::QuantityOutOfRange { item: Some(wish.item), quantity_max });
            }
        }
        let sum: u32 = wishes.iter().map(|wish| u32::from(wish.quantity)).sum();
        match self.terms.per_order_max {
            Some(quantity_max) if sum > quantity_max => {
                Err(Refusal::QuantityOutOfRange { item: None, quantity_max })
            }
            _ => Ok(()),
        }
    }

    fn lines(&self, wishes: &Wishes) -> Lines {
        let line = |wish: &Wish| {
            let ItemIndex(index) = wish.item;
            let unit_price = self.items[usize::from(index)].terms.unit_price;
            Line { item: wish.item, quantity: wish.quantity, unit_price }
        };
        Lines::new(wishes.iter().map(line).collect())
            .expect("wishes have 1-16 lines of known, different items")
    }
}

struct Limit {
    item: Option<ItemIndex>,
    per_day: bool,
    max: Option<u32>,
}

fn check_limit(limit: Limit, taken: u64, wanted: u64) -> Result<(), Refusal> {
    let Limit { item, per_day, max } = limit;
    match max {
        Some(max) if taken + wanted > u64::from(max) => {
            let taken = u32::try_from(taken).expect("a buyer has fewer units than 32 bits count");
            Err(Refusal::BuyerLimitReached { item, per_day, limit: max, taken })
        }
        _ => Ok(()),
    }
}
