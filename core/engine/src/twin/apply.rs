//! What a fact changes.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use domain::{
    Fact, ItemIndex, KeyDigest, OrderId, OrderState, PaymentId, RefundCause, SaleId, SaleStatus,
    StockReceipt, Surplus,
};

use super::{Extension, Item, Order, Sale, Twin, Units};

impl Twin {
    /// Takes a fact in.
    ///
    /// # Panics
    /// When the fact is about a sale, item or order that does not exist, or moves an order against the
    /// table of states.
    pub fn apply(&mut self, fact: &Fact) {
        self.seq = self.seq.next();
        match fact {
            Fact::TermStarted { .. } => {}
            Fact::SaleCreated { .. }
            | Fact::SaleEdited { .. }
            | Fact::SaleMoved { .. }
            | Fact::ItemAdded { .. }
            | Fact::ItemEdited { .. } => self.apply_to_sale(fact),
            Fact::StockChanged { sale, item, change, key } => self.apply_stock(*sale, *item, *change, *key),
            Fact::OrderHeld { .. } => self.apply_held(fact),
            _ => self.apply_to_order(fact),
        }
    }

    fn apply_to_sale(&mut self, fact: &Fact) {
        match fact {
            Fact::SaleCreated { sale, slug, terms } => {
                assert_eq!(usize::from(sale.0), self.sales.len(), "sales are numbered without a gap");
                self.sales.push(Sale {
                    slug: slug.clone(),
                    terms: (**terms).clone(),
                    status: SaleStatus::Scheduled,
                    items: Vec::new(),
                    stock_keys: BTreeMap::new(),
                });
            }
            Fact::SaleEdited { sale, terms } => self.sale_mut(*sale).terms = (**terms).clone(),
            Fact::SaleMoved { sale, to, .. } => {
                let status = &mut self.sale_mut(*sale).status;
                assert!(status.may_become(*to), "{status:?} to {to:?}");
                *status = *to;
            }
            Fact::ItemAdded { sale, item, terms, stock } => {
                let items = &mut self.sale_mut(*sale).items;
                assert_eq!(usize::from(item.0), items.len(), "items are numbered without a gap");
                items.push(Item { terms: (**terms).clone(), first_stock: *stock, changes: Vec::new() });
            }
            Fact::ItemEdited { sale, item, terms } => self.item_mut(*sale, *item).terms = (**terms).clone(),
            _ => unreachable!("not about a sale: {fact:?}"),
        }
    }

    fn apply_stock(&mut self, sale: SaleId, item: ItemIndex, change: i32, key: Option<KeyDigest>) {
        self.item_mut(sale, item).changes.push(change);
        let levels = self.levels(sale, item).expect("the item is there");
        let receipt = StockReceipt { sale, item, change, levels, seq: self.seq };
        if let Some(key) = key {
            self.sale_mut(sale).stock_keys.insert(key, receipt);
        }
    }

    fn apply_held(&mut self, fact: &Fact) {
        let Fact::OrderHeld { order, sale, buyer, key, hold_ttl_s, lines } = fact else {
            unreachable!("not a hold: {fact:?}");
        };
        let held = Order {
            sale: *sale,
            buyer: *buyer,
            key: *key,
            hold_ttl_s: *hold_ttl_s,
            lines: lines.clone(),
            state: OrderState::Held,
            held_seq: self.seq,
            changed_seq: self.seq,
            extension: None,
            payments_failed: 0,
            payment: None,
            refund_cause: None,
            units: Units::Held,
            restock: false,
            surplus: Vec::new(),
        };
        assert!(self.orders.insert(*order, held).is_none(), "an order number is used once");
    }

    fn apply_to_order(&mut self, fact: &Fact) {
        let seq = self.seq;
        let order = self.orders.get_mut(&order_of(fact)).expect("the order is there");
        order.changed_seq = seq;
        match fact {
            Fact::HoldExtended { key, expires_at, .. } => {
                order.extension = Some(Extension { key: *key, seq, expires_at: *expires_at });
            }
            Fact::OrderCancelled { .. } => order.move_to(OrderState::Cancelled, Units::Returned),
            Fact::OrderExpired { .. } => order.move_to(OrderState::Expired, Units::Returned),
            Fact::OrderPaid { payment, .. } => {
                order.move_to(OrderState::Paid, Units::Paid);
                order.payment = Some(*payment);
            }
            Fact::PaymentFailed { .. } => order.payments_failed = order.payments_failed.saturating_add(1),
            Fact::PaymentUnmatched { payment, cause, .. } => {
                order.move_to(OrderState::Refunding, Units::Returned);
                order.payment = Some(*payment);
                order.refund_cause = Some(*cause);
            }
            Fact::PaymentSurplus { payment, amount, .. } => {
                order.surplus.push(Surplus { payment: *payment, amount: *amount, returned: false });
            }
            Fact::SurplusReturned { payment, .. } => order.surplus_mut(*payment).returned = true,
            Fact::RefundStarted { restock, .. } => {
                order.move_to(OrderState::Refunding, Units::Paid);
                order.restock = *restock;
                order.refund_cause = Some(RefundCause::Organiser);
            }
            Fact::OrderRefunded { .. } => {
                let withdraw = order.units == Units::Paid && !order.restock;
                order
                    .move_to(OrderState::Refunded, if withdraw { Units::Withdrawn } else { Units::Returned });
            }
            Fact::RefundFailed { .. } if order.units == Units::Paid => {
                order.move_to(OrderState::Paid, Units::Paid);
                order.refund_cause = None;
            }
            Fact::RefundFailed { .. } => {}
            _ => unreachable!("not about an order: {fact:?}"),
        }
    }

    fn sale_mut(&mut self, sale: SaleId) -> &mut Sale {
        &mut self.sales[usize::from(sale.0)]
    }

    fn item_mut(&mut self, sale: SaleId, item: ItemIndex) -> &mut Item {
        &mut self.sale_mut(sale).items[usize::from(item.0)]
    }
}

impl Order {
    fn move_to(&mut self, state: OrderState, units: Units) {
        assert!(self.state.may_become(state), "{:?} to {state:?}", self.state);
        self.state = state;
        self.units = units;
    }

    fn surplus_mut(&mut self, payment: PaymentId) -> &mut Surplus {
        let mut all = self.surplus.iter_mut();
        all.find(|surplus| surplus.payment == payment).expect("the surplus is there")
    }
}

/// The order that a fact changes.
fn order_of(fact: &Fact) -> OrderId {
    match fact {
        Fact::HoldExtended { order, .. }
        | Fact::OrderCancelled { order, .. }
        | Fact::OrderExpired { order }
        | Fact::OrderPaid { order, .. }
        | Fact::PaymentFailed { order, .. }
        | Fact::PaymentUnmatched { order, .. }
        | Fact::PaymentSurplus { order, .. }
        | Fact::SurplusReturned { order, .. }
        | Fact::RefundStarted { order, .. }
        | Fact::OrderRefunded { order }
        | Fact::RefundFailed { order } => *order,
        _ => unreachable!("not about an order: {fact:?}"),
    }
}
