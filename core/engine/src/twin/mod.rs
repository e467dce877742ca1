//! The naive twin: the rules of a sale a second time, written from the words of the issue and of
//! `core/domain`, not from the engine. Tests let both decide the same commands and compare fact by fact.
//!
//! It is as simple as can be: every level, limit and sum is counted anew from the list of orders whenever
//! it is asked for, so there is nothing in it that could fall out of step. It may not share a line with
//! the engine, nor be used by anything but tests. Start with [`Twin::decide`].

mod answer;
mod apply;
mod orders;
mod payments;
mod sales;
mod terms;
mod tick;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use domain::{
    Amount, BuyerId, Command, Fact, ItemIndex, ItemTerms, KeyDigest, Levels, Lines, OrderId, OrderState,
    OrderView, PaymentId, Phase, RefundCause, Refusal, SaleId, SaleStatus, SaleTerms, Seq, ShardId, Slug,
    StockReceipt, Surplus, UnixMs,
};

/// Everything that happened in one shard, as plain lists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Twin {
    shard: ShardId,
    seq: Seq,
    sales: Vec<Sale>,
    orders: BTreeMap<OrderId, Order>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Sale {
    slug: Slug,
    terms: SaleTerms,
    status: SaleStatus,
    items: Vec<Item>,
    stock_keys: BTreeMap<KeyDigest, StockReceipt>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Item {
    terms: ItemTerms,
    first_stock: u32,
    /// Every change of stock since then.
    changes: Vec<i32>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Order {
    sale: SaleId,
    buyer: BuyerId,
    key: KeyDigest,
    hold_ttl_s: u16,
    lines: Lines,
    state: OrderState,
    held_seq: Seq,
    changed_seq: Seq,
    extension: Option<Extension>,
    payments_failed: u8,
    payment: Option<PaymentId>,
    refund_cause: Option<RefundCause>,
    units: Units,
    restock: bool,
    surplus: Vec<Surplus>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Extension {
    key: KeyDigest,
    seq: Seq,
    expires_at: UnixMs,
}

/// Where the units of an order are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Units {
    Held,
    Paid,
    /// Back on sale.
    Returned,
    /// Out of the sale for good.
    Withdrawn,
}

impl Twin {
    /// A shard in which nothing has happened yet.
    pub fn new(shard: ShardId) -> Twin {
        Twin { shard, seq: Seq(0), sales: Vec::new(), orders: BTreeMap::new() }
    }

    /// What a command brings at `now`; no facts: it is so already.
    ///
    /// # Errors
    /// The first reason against it, in the documented order.
    pub fn decide(&self, command: &Command, now: UnixMs) -> Result<Vec<Fact>, Refusal> {
        match command {
            Command::CreateSale { slug, terms, items } => self.create_sale(slug, terms, items),
            Command::EditSale { sale, patch } => self.edit_sale(*sale, patch, now),
            Command::MoveSale { sale, to } => self.move_sale(*sale, *to, now),
            Command::ChangeStock { sale, item, change, key } => {
                self.change_stock(*sale, *item, *change, *key)
            }
            Command::PlaceOrder { sale, buyer, key, wishes } => {
                self.place_order(&orders::Placing { sale: *sale, buyer: *buyer, key: *key, wishes }, now)
            }
            Command::ExtendHold { order, buyer, key } => self.extend_hold(*order, *buyer, *key, now),
            Command::CancelOrder { order, by } => self.cancel_order(*order, *by, now),
            Command::RecordPayment { order, payment, amount, currency, result } => {
                let paying = payments::Paying { payment: *payment, amount: *amount, currency: *currency };
                self.record_payment(*order, &paying, *result, now)
            }
            Command::RecordRefund { order, surplus, step } => {
                self.record_refund(*order, *surplus, *step, now)
            }
            Command::Tick => Ok(self.tick(now)),
        }
    }

    /// The position of the last fact.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// How many sales there are.
    pub fn sale_count(&self) -> usize {
        self.sales.len()
    }

    /// How many items a sale has; 0 when there is no such sale.
    pub fn item_count(&self, sale: SaleId) -> usize {
        self.find_sale(sale).map_or(0, |sale| sale.items.len())
    }

    /// A sale's terms and status.
    pub fn sale(&self, sale: SaleId) -> Option<(&SaleTerms, SaleStatus)> {
        self.find_sale(sale).map(|sale| (&sale.terms, sale.status))
    }

    /// Every order's number, in order.
    pub fn order_ids(&self) -> impl Iterator<Item = OrderId> + '_ {
        self.orders.keys().copied()
    }

    /// An order as it stands.
    pub fn order(&self, order: OrderId) -> Option<OrderView> {
        self.orders.get(&order).map(|found| found.view(order))
    }

    /// Where the units of an item are, counted from the orders.
    pub fn levels(&self, sale: SaleId, item: ItemIndex) -> Option<Levels> {
        let found = self.find_item(sale, item)?;
        let taken_out: u64 =
            found.changes.iter().filter(|c| **c < 0).map(|c| u64::from(c.unsigned_abs())).sum();
        let stock = found.stock();
        let held = self.units_of_item(sale, item, Units::Held);
        let paid = self.units_of_item(sale, item, Units::Paid);
        let withdrawn = taken_out + self.units_of_item(sale, item, Units::Withdrawn);
        let fit = |count: u64| u32::try_from(count).expect("no level exceeds STOCK_MAX");
        Some(Levels {
            stock: fit(stock),
            free: fit(stock - held - paid - withdrawn),
            held: fit(held),
            paid: fit(paid),
            withdrawn: fit(withdrawn),
        })
    }

    /// All money that came in for a sale, and all that went back.
    pub fn money(&self, sale: SaleId) -> (Amount, Amount) {
        let (mut taken, mut returned) = (0, 0);
        for order in self.orders.values().filter(|order| order.sale == sale) {
            let total = order.lines.total().0;
            taken += if order.payment.is_some() { total } else { 0 };
            returned += if order.state == OrderState::Refunded { total } else { 0 };
            for surplus in &order.surplus {
                taken += surplus.amount.0;
                returned += if surplus.returned { surplus.amount.0 } else { 0 };
            }
        }
        (Amount(taken), Amount(returned))
    }

    fn units_of_item(&self, sale: SaleId, item: ItemIndex, place: Units) -> u64 {
        let orders = self.orders.values().filter(|order| order.sale == sale && order.units == place);
        orders.map(|order| order.units_of(item)).sum()
    }

    fn find_sale(&self, sale: SaleId) -> Option<&Sale> {
        self.sales.get(usize::from(sale.0))
    }

    fn find_item(&self, sale: SaleId, item: ItemIndex) -> Option<&Item> {
        self.find_sale(sale)?.items.get(usize::from(item.0))
    }
}

impl Sale {
    fn phase(&self, now: UnixMs) -> Phase {
        self.status.phase(&self.terms, now)
    }
}

impl Item {
    /// All units there ever were.
    fn stock(&self) -> u64 {
        let added = self.changes.iter().filter(|c| **c > 0).map(|c| u64::from(c.unsigned_abs()));
        u64::from(self.first_stock) + added.sum::<u64>()
    }
}

impl Order {
    /// When the hold ends at first, and when it ends by now.
    fn first_expires_at(&self, id: OrderId) -> UnixMs {
        id.placed_at().plus_s(self.hold_ttl_s)
    }

    fn expires_at(&self, id: OrderId) -> UnixMs {
        match &self.extension {
            Some(extension) => extension.expires_at,
            None => self.first_expires_at(id),
        }
    }

    /// Whether the hold is over, though no tick has said so yet.
    fn is_due(&self, id: OrderId, now: UnixMs) -> bool {
        self.state == OrderState::Held && self.expires_at(id) <= now
    }

    /// The state as it counts at `now`: a hold that is due is over.
    fn state_at(&self, id: OrderId, now: UnixMs) -> OrderState {
        if self.is_due(id, now) { OrderState::Expired } else { self.state }
    }

    /// Whether its units count against the buyer's limits.
    fn has_units(&self) -> bool {
        matches!(self.units, Units::Held | Units::Paid)
    }

    fn units_of(&self, item: ItemIndex) -> u64 {
        self.lines.iter().filter(|line| line.item == item).map(|line| u64::from(line.quantity)).sum()
    }

    fn unit_count(&self) -> u64 {
        self.lines.iter().map(|line| u64::from(line.quantity)).sum()
    }

    fn view(&self, id: OrderId) -> OrderView {
        let mut surplus = self.surplus.clone();
        surplus.sort_by_key(|surplus| surplus.payment);
        OrderView {
            order: id,
            sale: self.sale,
            buyer: self.buyer,
            state: self.state,
            lines: self.lines.clone(),
            expires_at: self.expires_at(id),
            seq: self.changed_seq,
            extended: self.extension.is_some(),
            payments_failed: self.payments_failed,
            payment: self.payment,
            refund_cause: self.refund_cause,
            surplus,
        }
    }
}
