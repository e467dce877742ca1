//! Orders as they are shown.

use alloc::vec::Vec;
use core::ops::{ControlFlow, Range};

use domain::{BuyerId, ItemIndex, KeyDigest, OrderId, OrderState, OrderView, SaleId, UnixMs};

use super::{Order, State};

impl State {
    /// How many orders there are, in whatever state.
    pub fn order_count(&self) -> usize {
        self.orders.len()
    }

    /// An order as it stands.
    pub fn order(&self, id: OrderId) -> Option<OrderView> {
        self.orders.slot(id).map(|slot| self.view(slot))
    }

    /// Buyers and keys of the orders at these positions, as far as there are any.
    pub fn keys(&self, positions: Range<usize>) -> impl Iterator<Item = (BuyerId, KeyDigest)> {
        let end = positions.end.min(self.orders.len());
        let slots =
            (positions.start..end).map(|slot| u32::try_from(slot).expect("ORDER_COUNT_MAX is below 2^32"));
        slots.map(|slot| self.orders.get(slot)).map(|order| (order.buyer, order.key))
    }

    /// The order that a buyer placed under a key.
    pub fn order_by_key(&self, buyer: BuyerId, key: KeyDigest) -> Option<OrderId> {
        self.orders.slot_of_key(buyer, key).map(|slot| self.orders.get(slot).id)
    }

    /// The items that an order is about; none when there is no such order.
    pub fn items_of(&self, id: OrderId) -> impl Iterator<Item = (SaleId, ItemIndex)> {
        let order = self.orders.slot(id).map(|slot| self.orders.get(slot));
        order.into_iter().flat_map(|order| self.orders.lines(order).map(|line| (order.sale, line.item)))
    }

    /// Orders of one sale from number `from` on, passed to `f` one by one until it breaks or
    /// `look_count_max` orders, of whatever sale, were looked at. Returns the number to go on from, or `None`
    /// at the end.
    pub fn orders_from(
        &self,
        sale: SaleId,
        from: OrderId,
        look_count_max: usize,
        mut f: impl FnMut(OrderView) -> ControlFlow<()>,
    ) -> Option<OrderId> {
        let first = self.orders.first_from(from);
        let end = self.orders.len().min(first + look_count_max);
        for index in first..end {
            let slot = u32::try_from(index).expect("ORDER_COUNT_MAX is below 2^32");
            let order = self.orders.get(slot);
            if order.sale == sale && f(self.view(slot)).is_break() {
                return OrderId::from_raw(order.id.raw() + 1);
            }
        }
        let next = u32::try_from(end).expect("ORDER_COUNT_MAX is below 2^32");
        (end < self.orders.len()).then(|| self.orders.get(next).id)
    }

    /// When the hold of an order ends or ended.
    pub(crate) fn expires_at(&self, slot: u32) -> UnixMs {
        let order = self.orders.get(slot);
        match order.is_extended() {
            true => self.extensions[&slot].expires_at,
            false => order.first_expires_at(),
        }
    }

    /// Where an order stands at `now`: a hold that is due is over, whether or not a `Tick` has said so yet.
    pub(crate) fn standing(&self, slot: u32, now: UnixMs) -> OrderState {
        match self.orders.get(slot).state {
            OrderState::Held if self.expires_at(slot) <= now => OrderState::Expired,
            state => state,
        }
    }

    /// The order as it stands.
    pub(crate) fn view(&self, slot: u32) -> OrderView {
        let order = self.orders.get(slot);
        OrderView {
            state: order.state,
            expires_at: self.expires_at(slot),
            seq: order.changed_seq,
            extended: order.is_extended(),
            payments_failed: order.payments_failed,
            payment: order.payment(),
            refund_cause: order.refund_cause,
            surplus: match self.surplus.is_empty() {
                true => Vec::new(),
                false => self.surplus_of(order.id).copied().collect(),
            },
            ..self.first_view(order)
        }
    }

    /// The order as it was answered when it was placed.
    pub(crate) fn first_view(&self, order: &Order) -> OrderView {
        OrderView {
            order: order.id,
            sale: order.sale,
            buyer: order.buyer,
            state: OrderState::Held,
            lines: self.orders.lines_owned(order),
            expires_at: order.first_expires_at(),
            seq: order.held_seq,
            extended: false,
            payments_failed: 0,
            payment: None,
            refund_cause: None,
            surplus: Vec::new(),
        }
    }
}
