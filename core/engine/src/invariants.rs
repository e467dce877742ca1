//! What always holds. Listed here once, by id; used by tests, the simulator, the follower and the kill switch.
//!
//! What is cheap is also asserted where it could break, in release builds too.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use domain::{Amount, BuyerId, ItemIndex, OrderState, SaleId};

use crate::state::{Order, Sale, Scope, State};

/// The invariants: id and what it says. I5 is the journal's: its tests, the simulator and the crash tests check it.
pub const IDS: [(&str, &str); 7] = [
    ("I1", "stock = free + held + paid + withdrawn, for every item"),
    ("I2", "a buyer's units are counted right and within the limit"),
    ("I3", "one idempotency key, one outcome"),
    ("I4", "every unit that returns has exactly one cause"),
    ("I5", "an acknowledged fact is in every later recovery"),
    ("I6", "order states move only along the table"),
    (
        "I7",
        "money taken - money returned = value of paid orders, of refunds under way and of surplus payments",
    ),
];

/// An invariant that does not hold: a bug. The sale must stop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// Which: one of [`IDS`].
    pub id: &'static str,
    /// Where and how.
    pub detail: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is broken: {}", self.id, self.detail)
    }
}

/// Checks everything by counting again from the orders: O(orders), for tests and followers.
///
/// # Errors
/// The first invariant found broken.
pub fn check(state: &State) -> Result<(), Broken> {
    let mut sums: Vec<SaleSums> = state.sales.iter().map(SaleSums::new).collect();
    for order in state.orders.iter() {
        check_order(state, order)?;
        sums[usize::from(order.sale.0)].add(state, order);
    }
    for ((order, _), surplus) in state.surplus.iter().filter(|(_, surplus)| !surplus.returned) {
        let slot = state.orders.slot(*order).ok_or_else(|| broken("I7", format!("surplus of {order:?}")))?;
        sums[usize::from(state.orders.get(slot).sale.0)].value += surplus.amount.0;
    }
    state.sales().zip(&sums).try_for_each(|((id, sale), sums)| check_sale(state, (id, sale), sums))
}

/// What the orders of a sale come to.
struct SaleSums {
    held: Vec<u64>,
    paid: Vec<u64>,
    value: u64,
    /// Only where units are counted.
    units: BTreeMap<(ScopeKey, BuyerId), u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ScopeKey {
    Sale,
    Day(u16),
    Item(ItemIndex),
}

impl SaleSums {
    fn new(sale: &Sale) -> SaleSums {
        let zeros = vec![0; sale.items.len()];
        SaleSums { held: zeros.clone(), paid: zeros, value: 0, units: BTreeMap::new() }
    }

    fn add(&mut self, state: &State, order: &Order) {
        let sale = &state.sales[usize::from(order.sale.0)];
        if matches!(order.state, OrderState::Paid | OrderState::Refunding) {
            self.value += state.orders.lines(order).map(|line| line.total().0).sum::<u64>();
        }
        if !order.has_units() {
            return;
        }
        for line in state.orders.lines(order) {
            let index = usize::from(line.item.0);
            let units = u64::from(line.quantity);
            let place = if order.state == OrderState::Held { &mut self.held } else { &mut self.paid };
            place[index] += units;
            let day = ScopeKey::Day(order.placed_at().day());
            let scopes = [
                (sale.counts_buyers, ScopeKey::Sale),
                (sale.counts_days, day),
                (sale.items[index].counts_buyers, ScopeKey::Item(line.item)),
            ];
            for (_, scope) in scopes.into_iter().filter(|(counts, _)| *counts) {
                *self.units.entry((scope, order.buyer)).or_default() += units;
            }
        }
    }
}

fn check_order(state: &State, order: &Order) -> Result<(), Broken> {
    let slot = state.orders.slot_of_key(order.buyer, order.key);
    if slot.map(|slot| state.orders.get(slot).id) != Some(order.id) {
        return Err(broken("I3", format!("the key of order {:?} leads to slot {slot:?}", order.id)));
    }
    let (units_fit, money_fits) = match order.state {
        OrderState::Held => (order.has_units(), order.payment().is_none()),
        OrderState::Paid => (order.has_units(), order.payment().is_some()),
        OrderState::Refunding => (true, order.payment().is_some() && order.refund_cause.is_some()),
        OrderState::Refunded => (!order.has_units(), order.payment().is_some()),
        OrderState::Cancelled | OrderState::Expired => (!order.has_units(), order.payment().is_none()),
    };
    match units_fit && money_fits {
        true => Ok(()),
        false => Err(broken(
            "I6",
            format!("order {:?} is {:?}: units {units_fit}, money {money_fits}", order.id, order.state),
        )),
    }
}

fn check_sale(state: &State, (id, sale): (SaleId, &Sale), sums: &SaleSums) -> Result<(), Broken> {
    for (index, item) in sale.items.iter().enumerate() {
        let (levels, turnover, name) = (item.levels, item.turnover, &item.terms.code);
        if !levels.is_conserved() {
            return Err(broken("I1", format!("{}/{name}: {levels:?}", sale.slug)));
        }
        let counted = (sums.held[index], sums.paid[index]);
        if counted != (levels.held.into(), levels.paid.into()) {
            return Err(broken(
                "I1",
                format!("{}/{name}: orders hold, have {counted:?}; {levels:?}", sale.slug),
            ));
        }
        let returned = turnover.cancelled + turnover.expired + turnover.refunded;
        if turnover.taken != counted.0 + counted.1 + returned {
            return Err(broken("I4", format!("{}/{name}: {turnover:?}, {levels:?}", sale.slug)));
        }
    }
    check_limits(state, (id, sale), sums)?;
    let (taken, returned) = (sale.money.taken, sale.money.returned);
    match taken.0 == returned.0 + sums.value {
        true => Ok(()),
        false => Err(broken(
            "I7",
            format!("{}: {taken:?} - {returned:?} is not {:?}", sale.slug, Amount(sums.value)),
        )),
    }
}

fn check_limits(state: &State, (id, sale): (SaleId, &Sale), sums: &SaleSums) -> Result<(), Broken> {
    for ((key, buyer), units) in &sums.units {
        let (scope, limit) = match *key {
            ScopeKey::Sale => (Scope::sale(id), sale.terms.per_buyer_max),
            ScopeKey::Day(day) => (Scope::of_day(id, day), sale.terms.per_buyer_day_max),
            ScopeKey::Item(item) => {
                (Scope::item(id, item), sale.items[usize::from(item.0)].terms.per_buyer_max)
            }
        };
        let counted = u64::from(state.allowances.units(scope, *buyer));
        let within = sale.limits_tightened || limit.is_none_or(|limit| *units <= limit.into());
        if counted != *units || !within {
            let detail =
                format!("{}: {buyer:?} has {units} units, counted {counted}, limit {limit:?}", sale.slug);
            return Err(broken("I2", detail));
        }
    }
    Ok(())
}

fn broken(id: &'static str, detail: String) -> Broken {
    Broken { id, detail }
}
