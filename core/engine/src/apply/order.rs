//! Facts about orders.

use domain::{Amount, KeyDigest, OrderId, OrderState, PaymentId, RefundCause, Surplus, UnixMs, planted};

use crate::snapshot::Extension;
use crate::state::{Deadline, Move, NewOrder, State};

pub(super) fn held(state: &mut State, new: &NewOrder<'_>) {
    assert_eq!(new.id.shard(), state.shard, "order {:?} is another shard's", new.id);
    state.last_order = Some(new.id);
    let slot = state.orders.push(new);
    let at = state.orders.get(slot).first_expires_at();
    state.deadlines.push(new.hold_ttl_s, Deadline { at, slot });
    state.move_units(slot, Move::Hold);
    state.count(slot, true);
}

pub(super) fn extended(state: &mut State, order: OrderId, key: KeyDigest, expires_at: UnixMs) {
    let slot = state.slot(order);
    let seq = state.seq;
    let before = state.extensions.insert(slot, Extension { key, seq, expires_at });
    assert_eq!(before, None, "order {order:?} was extended twice");
    let found = state.orders.get_mut(slot);
    assert_eq!(found.state, OrderState::Held, "I6: order {order:?} was extended");
    found.changed_seq = seq;
    found.set_extended();
    state.deadlines.extend(Deadline { at: expires_at, slot });
    state.trim_deadlines(slot);
}

/// held → cancelled or expired.
pub(super) fn ended(state: &mut State, order: OrderId, to: OrderState) {
    let slot = state.slot(order);
    state.change(slot, to);
    state.end_hold(slot);
    let how = if to == OrderState::Cancelled { Move::Cancel } else { Move::Expire };
    state.give_back(slot, how);
    if planted!(ReleaseHoldTwice) {
        state.move_units(slot, how);
    }
}

pub(super) fn paid(state: &mut State, order: OrderId, payment: PaymentId, amount: Amount) {
    let slot = state.slot(order);
    let late = state.orders.get(slot).state == OrderState::Expired;
    state.take_money(slot, amount);
    state.change(slot, OrderState::Paid);
    state.orders.get_mut(slot).set_payment(payment);
    if late {
        state.orders.get_mut(slot).set_has_units(true);
        state.move_units(slot, Move::PayLate);
        state.count(slot, true);
    } else {
        state.end_hold(slot);
        state.move_units(slot, Move::Pay);
    }
}

pub(super) fn payment_failed(state: &mut State, order: OrderId) {
    let slot = state.slot(order);
    let seq = state.seq;
    let found = state.orders.get_mut(slot);
    found.payments_failed = found.payments_failed.saturating_add(1);
    found.changed_seq = seq;
}

pub(super) fn unmatched(
    state: &mut State,
    order: OrderId,
    (payment, amount): (PaymentId, Amount),
    cause: RefundCause,
) {
    let slot = state.slot(order);
    state.take_money(slot, amount);
    state.change(slot, OrderState::Refunding);
    let found = state.orders.get_mut(slot);
    found.set_payment(payment);
    found.refund_cause = Some(cause);
}

pub(super) fn surplus(state: &mut State, order: OrderId, payment: PaymentId, amount: Amount) {
    let slot = state.slot(order);
    state.take_money(slot, amount);
    let surplus = Surplus { payment, amount, returned: false };
    let before = state.surplus.insert((order, payment), surplus);
    assert_eq!(before, None, "I7: payment {payment:?} came twice as surplus");
    state.orders.get_mut(slot).changed_seq = state.seq;
}

pub(super) fn surplus_returned(state: &mut State, order: OrderId, payment: PaymentId) {
    let slot = state.slot(order);
    let surplus = state.surplus.get_mut(&(order, payment)).expect("a surplus that is returned came before");
    assert!(!surplus.returned, "I7: surplus {payment:?} was returned twice");
    surplus.returned = true;
    let amount = surplus.amount;
    state.return_money(slot, amount);
    state.orders.get_mut(slot).changed_seq = state.seq;
}

pub(super) fn refund_started(state: &mut State, order: OrderId, cause: RefundCause, restock: bool) {
    let slot = state.slot(order);
    state.change(slot, OrderState::Refunding);
    let found = state.orders.get_mut(slot);
    found.refund_cause = Some(cause);
    found.set_restock(restock);
}

pub(super) fn refunded(state: &mut State, order: OrderId) {
    let slot = state.slot(order);
    state.change(slot, OrderState::Refunded);
    let found = state.orders.get(slot);
    let (has_units, restock) = (found.has_units(), found.restock());
    let total = state.total(slot);
    state.return_money(slot, total);
    if has_units {
        state.give_back(
            slot,
            if restock || planted!(AlwaysRestock) { Move::Refund } else { Move::RefundWithdraw },
        );
    }
}

/// An order that has its units is paid again; another one stays refunding.
pub(super) fn refund_failed(state: &mut State, order: OrderId) {
    let slot = state.slot(order);
    if state.orders.get(slot).has_units() {
        state.change(slot, OrderState::Paid);
        state.orders.get_mut(slot).refund_cause = None;
    } else {
        state.orders.get_mut(slot).changed_seq = state.seq;
    }
}

impl State {
    fn slot(&self, order: OrderId) -> u32 {
        self.orders.slot(order).unwrap_or_else(|| panic!("a fact names order {order:?}, which never was"))
    }

    fn change(&mut self, slot: u32, to: OrderState) {
        let seq = self.seq;
        let order = self.orders.get_mut(slot);
        assert!(
            order.state.may_become(to),
            "I6: order {:?} cannot go from {:?} to {to:?}",
            order.id,
            order.state
        );
        order.state = to;
        order.changed_seq = seq;
    }

    fn move_units(&mut self, slot: u32, how: Move) {
        let order = self.orders.get(slot);
        let sale = &mut self.sales[usize::from(order.sale.0)];
        for line in self.orders.lines(order) {
            sale.item_mut(line.item).move_units(how, line.quantity);
        }
    }

    /// The order's units go back, and its buyer may have others.
    fn give_back(&mut self, slot: u32, how: Move) {
        self.orders.get_mut(slot).set_has_units(false);
        self.move_units(slot, how);
        if !planted!(KeepCountingReturnedUnits) {
            self.count(slot, false);
        }
    }

    /// The hold is over, however it ended.
    fn end_hold(&mut self, slot: u32) {
        match self.extensions.get(&slot) {
            Some(extension) => self.deadlines.remove_extended(Deadline { at: extension.expires_at, slot }),
            None => self.trim_deadlines(slot),
        }
    }

    fn trim_deadlines(&mut self, slot: u32) {
        let (orders, deadlines) = (&self.orders, &mut self.deadlines);
        deadlines.trim(orders.get(slot).hold_ttl_s, |deadline| {
            let order = orders.get(deadline.slot);
            order.state == OrderState::Held && !order.is_extended()
        });
    }

    pub(crate) fn total(&self, slot: u32) -> Amount {
        Amount(self.orders.lines(self.orders.get(slot)).map(|line| line.total().0).sum())
    }

    fn take_money(&mut self, slot: u32, amount: Amount) {
        let sale = self.orders.get(slot).sale;
        self.sale_mut(sale).money.taken.0 += amount.0;
    }

    fn return_money(&mut self, slot: u32, amount: Amount) {
        let sale = self.orders.get(slot).sale;
        let money = &mut self.sale_mut(sale).money;
        money.returned.0 += amount.0;
        assert!(money.returned <= money.taken, "I7: more money went back than came: {money:?}");
    }
}
