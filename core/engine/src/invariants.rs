//! What always holds. Listed here once, by id; used by tests, the simulator, the follower and the kill switch.
//!
//! What is cheap is also asserted where it could break, in release builds too.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use domain::{Amount, BuyerId, OrderState, SaleId};

use crate::foresee::Ahead;
use crate::state::{Allowances, Order, Sale, Scope, State};

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
    let mut sums = Sums::default();
    let mut counted = Allowances::with_capacity(0, COUNTING_SEED);
    let mut orders = state.orders.iter();
    let mut piece = Vec::with_capacity(FORESEEN_COUNT);
    loop {
        let mut ahead = Ahead::default();
        piece.extend(orders.by_ref().take(FORESEEN_COUNT).inspect(|order| {
            ahead.of_order(state, order.sale, order.buyer, order.key);
            ahead.also(counted.place(Scope::sale(order.sale), order.buyer));
        }));
        ahead.fetch();
        if piece.is_empty() {
            break;
        }
        for order in piece.drain(..) {
            check_key(state, order)?;
            sums.add(state, order)?;
            if order.has_units() {
                state.for_each_count(order, |scope, units| counted.add(scope, order.buyer, units));
            }
        }
    }
    check_counts(state, &counted)?;
    check_limits(state)?;
    sums.check(state)
}

/// Orders whose memory is waited for at once.
const FORESEEN_COUNT: usize = 32;
/// Nobody can choose what collides here: the state's own index, with its secret seed, took the same entries.
const COUNTING_SEED: u64 = 0x0C0A_57ED;

/// What orders come to, sale by sale. Grows with the highest sale that is added.
#[derive(Default)]
pub(crate) struct Sums(Vec<SaleSums>);

#[derive(Default)]
struct SaleSums {
    held: Vec<u64>,
    paid: Vec<u64>,
    value: u64,
}

impl Sums {
    /// Adds an order, which must be sound in itself.
    pub(crate) fn add(&mut self, state: &State, order: &Order) -> Result<(), Broken> {
        check_order(order)?;
        let sums = self.of(state, order.sale);
        let is_valued = matches!(order.state, OrderState::Paid | OrderState::Refunding);
        for line in state.orders.lines(order) {
            if is_valued {
                sums.value += line.total().0;
            }
            if order.has_units() {
                let place = if order.state == OrderState::Held { &mut sums.held } else { &mut sums.paid };
                place[usize::from(line.item.0)] += u64::from(line.quantity);
            }
        }
        Ok(())
    }

    /// Compares with what the sales say.
    pub(crate) fn check(mut self, state: &State) -> Result<(), Broken> {
        for ((order, _), surplus) in state.surplus.iter().filter(|(_, surplus)| !surplus.returned) {
            let slot =
                state.orders.slot(*order).ok_or_else(|| broken("I7", format!("surplus of {order:?}")))?;
            let sale = state.orders.get(slot).sale;
            self.of(state, sale).value += surplus.amount.0;
        }
        state.sales().try_for_each(|(id, sale)| check_sale(sale, self.of(state, id)))
    }

    fn of(&mut self, state: &State, sale: SaleId) -> &mut SaleSums {
        let index = usize::from(sale.0);
        if self.0.len() <= index {
            self.0.resize_with(index + 1, SaleSums::default);
        }
        let sums = &mut self.0[index];
        // Items are added to a sale at any time before it closes.
        let item_count = state.sales[index].items.len();
        if sums.held.len() < item_count {
            sums.held.resize(item_count, 0);
            sums.paid.resize(item_count, 0);
        }
        sums
    }
}

fn check_key(state: &State, order: &Order) -> Result<(), Broken> {
    let slot = state.orders.slot_of_key(order.buyer, order.key);
    match slot.map(|slot| state.orders.get(slot).id) == Some(order.id) {
        true => Ok(()),
        false => Err(broken("I3", format!("the key of order {:?} leads to slot {slot:?}", order.id))),
    }
}

fn check_order(order: &Order) -> Result<(), Broken> {
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

fn check_sale(sale: &Sale, sums: &SaleSums) -> Result<(), Broken> {
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
    let (taken, returned) = (sale.money.taken, sale.money.returned);
    match taken.0 == returned.0 + sums.value {
        true => Ok(()),
        false => Err(broken(
            "I7",
            format!("{}: {taken:?} - {returned:?} is not {:?}", sale.slug, Amount(sums.value)),
        )),
    }
}

/// The counters are what the orders come to: none is wrong, and none is too many.
fn check_counts(state: &State, counted: &Allowances) -> Result<(), Broken> {
    let mut sum: u64 = 0;
    for (scope, buyer, units) in counted.iter() {
        let kept = state.allowances.units(scope, buyer);
        if kept != units {
            return Err(broken("I2", format!("{buyer:?} has {units} units in {scope:?}, counted {kept}")));
        }
        sum += u64::from(units);
    }
    let kept: u64 = state.allowances.iter().map(|(.., units)| u64::from(units)).sum();
    match kept == sum {
        true => Ok(()),
        false => Err(broken("I2", format!("buyers have {sum} units, counted {kept}"))),
    }
}

fn check_limits(state: &State) -> Result<(), Broken> {
    match beyond_limit(state).find(|beyond| !state.sales[usize::from(beyond.sale.0)].limits_tightened) {
        None => Ok(()),
        Some(beyond) => Err(broken("I2", format!("{beyond:?}"))),
    }
}

/// Somebody has more than a limit allows. That is right only where a limit was tightened in mid-sale.
#[derive(Debug)]
pub(crate) struct BeyondLimit {
    pub(crate) sale: SaleId,
    #[expect(dead_code, reason = "for people who read what is broken")]
    has: (Scope, BuyerId, u32),
}

pub(crate) fn beyond_limit(state: &State) -> impl Iterator<Item = BeyondLimit> {
    state.allowances.iter().filter_map(|has| {
        let (scope, _, units) = has;
        let limit = state.limit(scope)?;
        (units > limit).then(|| BeyondLimit { sale: scope.sale_id(), has })
    })
}

fn broken(id: &'static str, detail: String) -> Broken {
    Broken { id, detail }
}
