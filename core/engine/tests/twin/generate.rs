//! What is tried next: small worlds (few sales, items, buyers, keys), so that collisions and limits happen.

use domain::{
    Actor, Amount, BuyerId, Command, Currency, ItemIndex, KeyDigest, OrderId, OrderState, OrderView,
    PaymentId, PaymentResult, RefundStep, SaleId, SaleStatus, ShardId, UnixMs, Wish, Wishes, limits,
};
use engine::twin::Twin;

use super::dice::Dice;
use super::terms;

const BUYERS: [&str; 4] = ["ann", "bob", "cyd", "dee"];
const PAYMENTS: [&str; 4] = ["p0", "p1", "p2", "p3"];
const KEY_COUNT: u64 = 64;

/// Remembers what was tried, to try some of it again.
#[derive(Default)]
pub(crate) struct Generator {
    history: Vec<Command>,
}

impl Generator {
    /// The next command and when it comes.
    pub(crate) fn next(&mut self, twin: &Twin, now: UnixMs, mut dice: Dice) -> (UnixMs, Command) {
        let now = advance(twin, now, &mut dice);
        let again = !self.history.is_empty() && dice.once_in(12);
        let command = if again { dice.pick(&self.history) } else { command(twin, now, &mut dice) };
        self.history.push(command.clone());
        (now, command)
    }
}

fn advance(twin: &Twin, now: UnixMs, dice: &mut Dice) -> UnixMs {
    let by = |ms| UnixMs(now.0 + ms);
    match dice.roll(16) {
        0..=6 => now,
        7..=9 => by(dice.roll(400)),
        10 | 11 => by(dice.roll(5_000)),
        12 => by(dice.roll(40_000)),
        13 => {
            let held =
                twin.order_ids().filter_map(|id| twin.order(id)).filter(|o| o.state == OrderState::Held);
            let ends: Vec<UnixMs> = held.map(|order| order.expires_at).collect();
            just_at(&ends, now, dice)
        }
        14 => {
            let sales = (0..twin.sale_count()).map(|n| twin.sale(SaleId(u16::try_from(n).unwrap())).unwrap());
            let instants: Vec<UnixMs> =
                sales.flat_map(|(terms, _)| [terms.opens_at, terms.closes_at]).flatten().collect();
            just_at(&instants, now, dice)
        }
        _ if dice.once_in(8) => by(dice.roll(2 * UnixMs::DAY_MS)),
        _ => now,
    }
}

/// One of the instants, or the millisecond before it, unless it is over.
fn just_at(instants: &[UnixMs], now: UnixMs, dice: &mut Dice) -> UnixMs {
    if instants.is_empty() {
        return now;
    }
    let instant = dice.pick(instants);
    UnixMs(instant.0 - dice.roll(2)).max(now)
}

fn command(twin: &Twin, now: UnixMs, dice: &mut Dice) -> Command {
    if twin.sale_count() == 0 {
        return terms::create_sale(now, dice);
    }
    let kind = dice.roll(32);
    match (kind, any_order(twin, dice)) {
        (0..=12, _) => place_order(twin, dice),
        (13 | 14, Some(order)) => extend_hold(&order, dice),
        (15..=17, Some(order)) => cancel_order(&order, dice),
        (18..=22, Some(order)) => record_payment(twin, &order, dice),
        (23..=25, Some(order)) => record_refund(&order, dice),
        (26, _) => Command::Tick,
        (27, _) => terms::create_sale(now, dice),
        (28, _) => terms::edit_sale(twin, any_sale(twin, dice), now, dice),
        (29, _) => change_stock(twin, dice),
        _ => move_sale(twin, dice),
    }
}

fn any_sale(twin: &Twin, dice: &mut Dice) -> SaleId {
    if dice.once_in(40) {
        return SaleId::UNKNOWN;
    }
    let count = u16::try_from(twin.sale_count()).unwrap();
    // The newest sales more often: the oldest are closed.
    let back = if dice.roll(2) == 0 { 0 } else { dice.roll_u16(count) };
    SaleId(count - 1 - back)
}

fn any_item(twin: &Twin, sale: SaleId, dice: &mut Dice) -> ItemIndex {
    let count = u16::try_from(twin.item_count(sale)).unwrap();
    match count {
        0 => ItemIndex(0),
        _ if dice.once_in(40) => dice.pick(&[ItemIndex::UNKNOWN, ItemIndex(count)]),
        _ => ItemIndex(dice.roll_u16(count)),
    }
}

fn any_order(twin: &Twin, dice: &mut Dice) -> Option<OrderView> {
    let ids: Vec<OrderId> = twin.order_ids().collect();
    let (last, recent) = (ids.last()?, &ids[ids.len().saturating_sub(8)..]);
    let id = match dice.roll(4) {
        0 => *last,
        1 | 2 => dice.pick(recent),
        _ => dice.pick(&ids),
    };
    twin.order(id)
}

fn buyer(dice: &mut Dice) -> BuyerId {
    BuyerId::from_text(dice.pick(&BUYERS))
}

fn buyer_of(order: &OrderView, dice: &mut Dice) -> BuyerId {
    if dice.once_in(12) { buyer(dice) } else { order.buyer }
}

/// The order's number, or seldom one that does not exist.
fn number_of(order: &OrderView, dice: &mut Dice) -> OrderId {
    if dice.once_in(40) {
        return OrderId::next(ShardId::FIRST, UnixMs(UnixMs::EPOCH.0 + dice.roll(9)), None);
    }
    order.order
}

fn place_order(twin: &Twin, dice: &mut Dice) -> Command {
    let (sale, buyer, key) = (any_sale(twin, dice), buyer(dice), KeyDigest(dice.roll(KEY_COUNT)));
    let count = [1, 1, 2, 3][usize::try_from(dice.roll(4)).unwrap()];
    let wishes: Vec<Wish> = (0..count).map(|_| wish(twin, sale, dice)).collect();
    let first = wishes[0];
    let wishes = Wishes::new(wishes).unwrap_or_else(|_| Wishes::one(first));
    Command::PlaceOrder { sale, buyer, key, wishes }
}

fn wish(twin: &Twin, sale: SaleId, dice: &mut Dice) -> Wish {
    let quantity = match dice.roll(40) {
        0..=31 => 1 + dice.roll_u16(3),
        32..=37 => 1 + dice.roll_u16(12),
        38 => 0,
        _ => limits::LINE_QUANTITY_MAX + 1,
    };
    Wish { item: any_item(twin, sale, dice), quantity }
}

fn extend_hold(order: &OrderView, dice: &mut Dice) -> Command {
    let (order, buyer) = (number_of(order, dice), buyer_of(order, dice));
    Command::ExtendHold { order, buyer, key: KeyDigest(dice.roll(3)) }
}

fn cancel_order(order: &OrderView, dice: &mut Dice) -> Command {
    let by = if dice.once_in(4) { Actor::Organiser } else { Actor::Buyer(buyer_of(order, dice)) };
    Command::CancelOrder { order: number_of(order, dice), by }
}

fn record_payment(twin: &Twin, order: &OrderView, dice: &mut Dice) -> Command {
    let total = order.total().0;
    let amount = Amount(if dice.once_in(20) { total + 1 } else { total });
    let own_currency = twin.sale(order.sale).unwrap().0.currency;
    let currency = if dice.once_in(20) { Currency::new("XXX").unwrap() } else { own_currency };
    let result = if dice.once_in(4) { PaymentResult::Failed } else { PaymentResult::Succeeded };
    let payment = PaymentId::from_text(dice.pick(&PAYMENTS));
    Command::RecordPayment { order: number_of(order, dice), payment, amount, currency, result }
}

fn record_refund(order: &OrderView, dice: &mut Dice) -> Command {
    let step = match dice.roll(5) {
        0 => RefundStep::Start { restock: true },
        1 => RefundStep::Start { restock: false },
        2 | 3 => RefundStep::Succeeded,
        _ => RefundStep::Failed,
    };
    let surplus = match order.surplus.first() {
        Some(surplus) if dice.roll(2) == 0 => Some(surplus.payment),
        _ if dice.once_in(10) => Some(PaymentId::from_text(dice.pick(&PAYMENTS))),
        _ => None,
    };
    Command::RecordRefund { order: number_of(order, dice), surplus, step }
}

fn change_stock(twin: &Twin, dice: &mut Dice) -> Command {
    let sale = any_sale(twin, dice);
    let item = any_item(twin, sale, dice);
    let few = i32::try_from(dice.roll(9)).unwrap();
    let change = match dice.roll(16) {
        0..=7 => few,
        8..=13 => -few,
        14 => i32::try_from(limits::STOCK_MAX).unwrap(),
        _ => i32::MIN,
    };
    let key = (dice.roll(2) == 0).then(|| KeyDigest(dice.roll(4)));
    Command::ChangeStock { sale, item, change, key }
}

fn move_sale(twin: &Twin, dice: &mut Dice) -> Command {
    let to = match dice.roll(24) {
        0..=19 => SaleStatus::Open,
        20 | 21 => SaleStatus::Paused,
        22 => SaleStatus::Scheduled,
        _ => SaleStatus::Closed,
    };
    Command::MoveSale { sale: any_sale(twin, dice), to }
}
