//! A store as the edge sees it.

use std::num::NonZeroU16;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use domain::{
    Answer, BuyerId, Command, Currency, ItemIndex, ItemTerms, Levels, Line, Lines, OrderId, OrderState,
    OrderView, Refusal, Request, SaleId, SaleStatus, SaleTerms, Seq, ShardId, Slug, UnixMs, Wish,
};
use edge::{Backend, Bulk, BulkDecided, CursorInvalid, Decided, OrdersPage, OrdersQuery, Tip, Unavailable};
use gate::{Permit, Pressure};
use parking_lot::Mutex;
use views::{Catalog, SalePublished};

use crate::store::{Order, Placed, Store};

const SALE: SaleId = SaleId(0);
const SALE_CODE: &str = "bench";
const UNIT_PRICE: u32 = 12_000;
/// As in the sale that Onrush sells in the benchmark.
const PER_BUYER_MAX: u32 = 4;
const HOLD_TTL_S: u16 = 3_600;
/// As Onrush's own.
const KEY_FILTER_BITS_LOG2: u32 = 27;
/// A store says by its answers how busy it is; the gate lets everything in.
const INBOX_LEN_MAX: u32 = 16_384;

/// The edge's backend: one sale, whose orders the store decides.
#[derive(Clone)]
pub(crate) struct StoreBackend(Arc<Inner>);

struct Inner {
    store: Store,
    catalog: Catalog,
    order_last: Mutex<Option<OrderId>>,
    seq: AtomicU64,
}

impl StoreBackend {
    pub(crate) fn new(store: Store, items: u16, stock: u32) -> StoreBackend {
        let catalog = Catalog::new(NonZeroU16::MIN, KEY_FILTER_BITS_LOG2);
        catalog.put_sale(sale(items, stock));
        StoreBackend(Arc::new(Inner { store, catalog, order_last: Mutex::new(None), seq: AtomicU64::new(1) }))
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    fn next_order(&self) -> OrderId {
        let mut last = self.0.order_last.lock();
        let order = OrderId::next(ShardId::FIRST, self.now(), *last);
        *last = Some(order);
        order
    }

    async fn place(&self, order: OrderId, buyer: BuyerId, key: u64, wish: Wish) -> anyhow::Result<Decided> {
        let expires_at = self.now().plus_s(HOLD_TTL_S);
        let wanted = Order {
            number: order.raw().cast_signed(),
            item: wish.item.0,
            quantity: wish.quantity,
            buyer: *buyer.0.as_bytes(),
            key: key.cast_signed(),
            per_buyer_max: PER_BUYER_MAX,
            expires_at: expires_at.0.cast_signed(),
        };
        let seq = Seq(self.0.seq.fetch_add(1, Ordering::Relaxed));
        let outcome = match self.0.store.place(wanted).await? {
            Placed::Held => Ok(view(order, buyer, wish, expires_at, seq)),
            Placed::Known { number, item, quantity, expires_at } => {
                let first = Wish { item: ItemIndex(item), quantity };
                let order = OrderId::from_raw(number.cast_unsigned()).unwrap_or(order);
                let expires_at = UnixMs(expires_at.cast_unsigned());
                if first == wish {
                    Ok(view(order, buyer, wish, expires_at, seq))
                } else {
                    Err(Refusal::IdempotencyKeyReused)
                }
            }
            Placed::Exhausted { left } => Err(Refusal::StockExhausted { wish, left }),
            Placed::OverLimit { taken } => {
                let limit = PER_BUYER_MAX;
                Err(Refusal::BuyerLimitReached { item: None, per_day: false, limit, taken })
            }
        };
        let tip = Tip { seq, chain: [0; 32] };
        Ok(Decided { outcome: outcome.map(Answer::Order), tip })
    }

    async fn answer(&self, request: Request) -> Result<Decided, Unavailable> {
        // Nothing else is measured: orders of one line.
        let Request::Command(Command::PlaceOrder { buyer, key, wishes, .. }) = request else {
            return Err(Unavailable::Failed);
        };
        let [wish] = wishes.as_slice() else { return Err(Unavailable::Failed) };
        if wish.item == ItemIndex::UNKNOWN {
            return Ok(Decided {
                outcome: Err(Refusal::ItemNotFound { item: wish.item }),
                tip: Tip::default(),
            });
        }
        self.place(self.next_order(), buyer, key.0, *wish).await.map_err(|error| {
            eprintln!("peer: the store failed: {error:#}");
            Unavailable::Failed
        })
    }
}

impl Backend for StoreBackend {
    fn catalog(&self) -> &Catalog {
        &self.0.catalog
    }

    fn now(&self) -> UnixMs {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    type Asked = Pin<Box<dyn Future<Output = Result<Box<Decided>, Unavailable>> + Send>>;

    fn ask(&self, _permit: Permit, _shard: ShardId, request: Request, _since: Instant) -> Self::Asked {
        let backend = self.clone();
        Box::pin(async move { backend.answer(request).await.map(Box::new) })
    }

    async fn ask_all(&self, _: Permit, _: ShardId, _: Bulk) -> Result<BulkDecided, Unavailable> {
        // Nothing else is measured: orders that come alone.
        Err(Unavailable::Failed)
    }

    async fn orders(&self, _query: OrdersQuery) -> Result<Result<OrdersPage, CursorInvalid>, Unavailable> {
        Err(Unavailable::Failed)
    }

    fn pressure(&self, _shard: ShardId, _now: Instant) -> Pressure {
        let inbox_len = if matches!(self.0.store, Store::Full) { INBOX_LEN_MAX } else { 0 };
        Pressure { inbox_len, round: None }
    }

    fn inbox_len_max(&self) -> u32 {
        INBOX_LEN_MAX
    }
}

fn view(order: OrderId, buyer: BuyerId, wish: Wish, expires_at: UnixMs, seq: Seq) -> OrderView {
    OrderView {
        order,
        sale: SALE,
        buyer,
        state: OrderState::Held,
        lines: Lines::one(Line { item: wish.item, quantity: wish.quantity, unit_price: UNIT_PRICE }),
        expires_at,
        seq,
        extended: false,
        payments_failed: 0,
        payment: None,
        refund_cause: None,
        surplus: Vec::new(),
    }
}

/// The sale that the benchmark defines for Onrush, too.
fn sale(items: u16, stock: u32) -> SalePublished {
    let code = |text: &str| Slug::new(text).expect("the codes of the benchmark are codes");
    let currency = Currency::new("EUR").expect("EUR is a currency");
    let item = |number| ItemTerms::new(code(&format!("i{number:04}")), &format!("Item {number}"), UNIT_PRICE);
    let levels = Levels { stock, free: stock, ..Levels::default() };
    SalePublished {
        shard: ShardId::FIRST,
        sale: SALE,
        slug: code(SALE_CODE),
        terms: SaleTerms {
            per_order_max: Some(PER_BUYER_MAX),
            per_buyer_max: Some(PER_BUYER_MAX),
            ..SaleTerms::new("Bench", currency, HOLD_TTL_S)
        },
        status: SaleStatus::Open,
        items: (0..items).map(item).collect(),
        levels: vec![levels; items.into()],
        seq: Seq(1),
    }
}
