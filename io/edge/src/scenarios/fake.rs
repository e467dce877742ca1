//! A backend in memory: a few lines of rules, a record of what it was asked, and trouble on demand.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use domain::{
    Actor, Answer, BuyerId, Command, ItemIndex, KeyDigest, Levels, Line, Lines, OrderId, OrderState,
    OrderView, PaymentResult, RefundCause, RefundStep, Refusal, Request, SaleId, SaleStatus, Seq, ShardId,
    StockReceipt, UnixMs, Wishes,
};
use gate::{Permit, Pressure};
use parking_lot::Mutex;
use views::{Catalog, SalePublished};

use crate::backend::{
    Backend, Bulk, BulkDecided, CursorInvalid, Decided, OrdersPage, OrdersQuery, Tip, Unavailable,
};

/// 2026-12-01T19:00:00Z.
pub(super) const START: UnixMs = UnixMs(1_796_151_600_000);

/// Of a journal that nobody keeps.
const TIP: Tip = Tip { seq: Seq(0), chain: [0xC4; 32] };

#[derive(Clone)]
pub(super) struct Fake {
    catalog: Catalog,
    pub(super) state: Arc<Mutex<State>>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) now: UnixMs,
    pub(super) trouble: Option<Trouble>,
    pub(super) pressure: Pressure,
    pub(super) asked: Vec<String>,
    pub(super) orders: BTreeMap<OrderId, OrderView>,
    keys: Vec<(BuyerId, KeyDigest, Wishes, OrderView)>,
    seq: u64,
}

#[derive(Clone, Copy)]
pub(super) enum Trouble {
    Unavailable(Unavailable),
    Refused(Refusal),
    Panic,
    /// No answer, ever.
    Silence,
}

impl Fake {
    pub(super) fn new() -> Fake {
        let catalog = Catalog::new(NonZeroU16::MIN, 12);
        let state = State { now: START, ..State::default() };
        Fake { catalog, state: Arc::new(Mutex::new(state)) }
    }

    fn decide(&self, state: &mut State, request: Request) -> Result<Answer, Refusal> {
        match request {
            Request::ShowOrder { order, by } => Ok(Answer::Order(owned(state, order, by)?.clone())),
            Request::Command(command) => {
                state.seq += 1;
                self.command(state, command)
            }
        }
    }

    fn command(&self, state: &mut State, command: Command) -> Result<Answer, Refusal> {
        let seq = Seq(state.seq);
        match command {
            Command::CreateSale { .. } | Command::EditSale { .. } | Command::MoveSale { .. } => {
                self.sale_command(seq, command)
            }
            Command::ChangeStock { sale, item, change, .. } => self.change_stock(seq, (sale, item), change),
            Command::PlaceOrder { sale, buyer, key, wishes } => {
                self.place(state, OrderView { sale, buyer, ..blank(state) }, key, wishes)
            }
            Command::ExtendHold { order, buyer, .. } => {
                let end = state.now.plus_s(600);
                let view = owned(state, order, Actor::Buyer(buyer))?;
                (view.expires_at, view.extended, view.seq) = (end, true, seq);
                Ok(Answer::Order(view.clone()))
            }
            Command::CancelOrder { order, by } => {
                let view = owned(state, order, by)?;
                go(view, OrderState::Cancelled, seq)
            }
            Command::RecordPayment { order, payment, amount, currency, result } => {
                let view = owned(state, order, Actor::Organiser)?;
                if view.total() != amount {
                    return Err(Refusal::AmountMismatch { expected: view.total(), currency });
                }
                if result == PaymentResult::Failed {
                    view.payments_failed += 1;
                    return Ok(Answer::Order(view.clone()));
                }
                view.payment = Some(payment);
                go(view, OrderState::Paid, seq)
            }
            Command::RecordRefund { order, step, .. } => {
                let view = owned(state, order, Actor::Organiser)?;
                view.refund_cause = Some(RefundCause::Organiser);
                let to = match step {
                    RefundStep::Start { .. } => OrderState::Refunding,
                    RefundStep::Succeeded => OrderState::Refunded,
                    RefundStep::Failed => OrderState::Paid,
                };
                go(view, to, seq)
            }
            Command::Tick => unreachable!("nobody ticks over HTTP"),
        }
    }

    fn sale_command(&self, seq: Seq, command: Command) -> Result<Answer, Refusal> {
        let shard = ShardId::FIRST;
        let id = |sale, created| Ok(Answer::Sale { sale, seq, created });
        match command {
            Command::CreateSale { slug, terms, items } => {
                let sale = SaleId(u16::try_from(self.catalog.sales().len()).unwrap());
                if let Some(entry) = self.catalog.sale(slug.as_str()) {
                    let same = entry.front().terms.as_ref() == terms.as_ref();
                    return if same { id(entry.id(), false) } else { Err(Refusal::SaleExists) };
                }
                let status = SaleStatus::Scheduled;
                let (items, units): (Vec<_>, Vec<_>) = items.into_iter().unzip();
                let levels =
                    units.into_iter().map(|stock| Levels { stock, free: stock, ..Levels::default() });
                let levels = levels.collect();
                self.catalog.put_sale(SalePublished {
                    shard,
                    sale,
                    slug,
                    terms: *terms,
                    status,
                    items,
                    levels,
                    seq,
                });
                id(sale, true)
            }
            Command::EditSale { sale, patch } => {
                let entry = self.catalog.sale_by_id(shard, sale).unwrap();
                let now = entry.read();
                let mut terms = (*now.terms).clone();
                terms.name = patch.name.unwrap_or(terms.name);
                let (slug, status) = (entry.slug().clone(), now.status);
                let (items, levels) = (now.items.to_vec(), now.levels);
                self.catalog.put_sale(SalePublished { shard, sale, slug, terms, status, items, levels, seq });
                id(sale, false)
            }
            Command::MoveSale { sale, to } => {
                let from = self.catalog.sale_by_id(shard, sale).unwrap().front().status;
                if from != to && !from.may_become(to) {
                    return Err(Refusal::SaleState { from, to });
                }
                self.catalog.set_status(shard, sale, to, seq);
                id(sale, false)
            }
            other => unreachable!("not about a sale: {other:?}"),
        }
    }

    fn change_stock(&self, seq: Seq, of: (SaleId, ItemIndex), change: i32) -> Result<Answer, Refusal> {
        let (sale, item) = of;
        let mut levels = self.levels(sale, item);
        let units = change.unsigned_abs();
        if change > 0 {
            levels.stock += units;
            levels.free += units;
        } else {
            let left = levels.free;
            levels.free = left.checked_sub(units).ok_or(Refusal::StockExhausted {
                wish: domain::Wish { item, quantity: u16::try_from(units).unwrap() },
                left,
            })?;
            levels.withdrawn += units;
        }
        self.catalog.set_levels(ShardId::FIRST, sale, &[(item, levels)], seq);
        Ok(Answer::Stock(StockReceipt { sale, item, change, levels, seq }))
    }

    fn place(
        &self,
        state: &mut State,
        blank: OrderView,
        key: KeyDigest,
        wishes: Wishes,
    ) -> Result<Answer, Refusal> {
        let (buyer, sale) = (blank.buyer, blank.sale);
        if let Some((_, _, first, view)) = state.keys.iter().find(|known| (known.0, known.1) == (buyer, key))
        {
            let same = *first == wishes;
            return if same { Ok(Answer::Order(view.clone())) } else { Err(Refusal::IdempotencyKeyReused) };
        }
        let entry = self.catalog.sale_by_id(ShardId::FIRST, sale).unwrap();
        let mut lines = Vec::new();
        let mut levels = Vec::new();
        for wish in &wishes {
            let (item, quantity) = (wish.item, wish.quantity);
            let front = entry.front();
            let terms = front.item_terms(item).ok_or(Refusal::ItemNotFound { item })?;
            let mut after = self.levels(sale, item);
            let left = after.free;
            let free = left.checked_sub(u32::from(quantity));
            after.free = free.ok_or(Refusal::StockExhausted { wish: *wish, left })?;
            after.held += u32::from(quantity);
            lines.push(Line { item, quantity, unit_price: terms.unit_price });
            levels.push((item, after));
        }
        let view = OrderView { lines: Lines::new(lines).unwrap(), ..blank };
        self.catalog.key_writer(ShardId::FIRST).insert([(buyer, key)]);
        self.catalog.set_levels(ShardId::FIRST, sale, &levels, view.seq);
        state.orders.insert(view.order, view.clone());
        state.keys.push((buyer, key, wishes, view.clone()));
        Ok(Answer::Order(view))
    }

    fn levels(&self, sale: SaleId, item: ItemIndex) -> Levels {
        self.catalog.sale_by_id(ShardId::FIRST, sale).unwrap().read().levels[usize::from(item.0)]
    }
}

fn blank(state: &State) -> OrderView {
    let last = state.orders.keys().next_back().copied();
    OrderView {
        order: OrderId::next(ShardId::FIRST, state.now, last),
        sale: SaleId::UNKNOWN,
        buyer: BuyerId::from_text(""),
        state: OrderState::Held,
        lines: Lines::one(Line { item: ItemIndex(0), quantity: 1, unit_price: 0 }),
        expires_at: state.now.plus_s(600),
        seq: Seq(state.seq),
        extended: false,
        payments_failed: 0,
        payment: None,
        refund_cause: None,
        surplus: Vec::new(),
    }
}

fn owned(state: &mut State, order: OrderId, by: Actor) -> Result<&mut OrderView, Refusal> {
    let view = state.orders.get_mut(&order).ok_or(Refusal::OrderNotFound)?;
    match by {
        Actor::Buyer(buyer) if buyer != view.buyer => Err(Refusal::OrderNotFound),
        _ => Ok(view),
    }
}

fn go(view: &mut OrderView, to: OrderState, seq: Seq) -> Result<Answer, Refusal> {
    if view.state != to {
        if !view.state.may_become(to) {
            return Err(Refusal::OrderState { from: view.state, to });
        }
        (view.state, view.seq) = (to, seq);
    }
    Ok(Answer::Order(view.clone()))
}

impl Backend for Fake {
    fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn now(&self) -> UnixMs {
        self.state.lock().now
    }

    type Asked = Pin<Box<dyn Future<Output = Result<Box<Decided>, Unavailable>> + Send>>;

    fn ask(&self, _permit: Permit, shard: ShardId, request: Request, _since: Instant) -> Self::Asked {
        assert_eq!(shard, ShardId::FIRST);
        let fake = self.clone();
        Box::pin(async move {
            let trouble = fake.state.lock().trouble.take();
            match trouble {
                Some(Trouble::Unavailable(cause)) => return Err(cause),
                Some(Trouble::Refused(refusal)) => {
                    return Ok(Box::new(Decided { outcome: Err(refusal), tip: TIP }));
                }
                Some(Trouble::Panic) => panic!("a bug, on demand"),
                Some(Trouble::Silence) => std::future::pending().await,
                None => {}
            }
            let mut state = fake.state.lock();
            state.asked.push(format!("{request:?}"));
            let outcome = fake.decide(&mut state, request);
            // As a writer does it: the journal ends with this batch, whatever the answer rests on.
            Ok(Box::new(Decided { outcome, tip: Tip { seq: Seq(state.seq), ..TIP } }))
        })
    }

    async fn ask_all(&self, _permit: Permit, shard: ShardId, bulk: Bulk) -> Result<BulkDecided, Unavailable> {
        assert_eq!(shard, ShardId::FIRST);
        if let Some(Trouble::Unavailable(cause)) = self.state.lock().trouble.take() {
            return Err(cause);
        }
        let mut state = self.state.lock();
        let mut decide = |order: domain::OrderWanted| {
            let request = order.of_sale(bulk.sale);
            state.asked.push(format!("{request:?}"));
            self.decide(&mut state, request)
        };
        let outcomes = bulk.orders.into_iter().map(&mut decide).collect();
        Ok(BulkDecided { outcomes, tip: Tip { seq: Seq(state.seq), ..TIP } })
    }

    async fn orders(&self, query: OrdersQuery) -> Result<Result<OrdersPage, CursorInvalid>, Unavailable> {
        let state = self.state.lock();
        let from = match query.after.map(|cursor| cursor.parse::<usize>()) {
            None => 0,
            Some(Ok(from)) => from,
            Some(Err(_)) => return Ok(Err(CursorInvalid)),
        };
        let of_state = |view: &&OrderView| query.state.is_none_or(|state| state == view.state);
        let all: Vec<OrderView> = state.orders.values().filter(of_state).cloned().collect();
        let until = all.len().min(from + usize::from(query.count_max));
        let next = (until < all.len()).then(|| until.to_string());
        Ok(Ok(OrdersPage { orders: all[from..until].to_vec(), next }))
    }

    fn pressure(&self, _shard: ShardId, _now: Instant) -> Pressure {
        self.state.lock().pressure
    }

    fn inbox_len_max(&self) -> u32 {
        1_000
    }
}
