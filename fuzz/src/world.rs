//! The whole edge before a shop in memory that says yes to everything and remembers what it was asked.

use std::cell::RefCell;
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::Bytes;
use domain::{
    Answer, BuyerId, Command, Currency, ItemIndex, ItemTerms, Levels, Line, Lines, OrderCodec, OrderId,
    OrderState, OrderView, Refusal, Request, SaleId, SaleStatus, SaleTerms, Seq, ShardId, Slug, StockReceipt,
    UnixMs, Wishes,
};
use edge::auth::{
    AdminKey, Auth, BuyerTokens, IntegratorKey, IssueKey, RoleKeys, TokenAlgorithm, TokenClaims, TokenRules,
};
use edge::fuzzing::Door;
use edge::{
    Backend, Bulk, BulkDecided, CursorInvalid, Decided, Edge, EdgeParts, Metrics, OrdersPage, OrdersQuery,
    Tip, Unavailable,
};
use http_body_util::{BodyExt, Full};
use prometheus_client::registry::Registry;
use tokio::runtime::Runtime;
use views::{Catalog, SalePublished};

/// The one sale.
pub(crate) const SALE: &str = "concert";
/// Its items; of the last one nothing is left.
pub(crate) const ITEMS: [&str; 3] = ["general", "vip", "gone"];
/// The organiser's key.
pub(crate) const ADMIN_KEY: &str = "onrush_admin_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// The integrator's.
pub(crate) const INTEGRATOR_KEY: &str = "onrush_integrator_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

const NOW: UnixMs = UnixMs(1_796_151_600_000);
const PRICE: u32 = 500;
const SECRET: &[u8] = b"a secret that the fuzzer does not know";

/// An answer with its body.
pub(crate) type Answered = http::Response<Bytes>;

/// The edge, its shop, and what runs it.
pub(crate) struct World {
    /// Where requests go in.
    pub(crate) door: Door<Shop>,
    /// Who decides.
    pub(crate) shop: Shop,
    /// Waits for answers.
    pub(crate) runtime: Runtime,
    /// `Bearer` and a token of a buyer.
    pub(crate) buyer: String,
    /// The code of the one order.
    pub(crate) order_code: String,
}

/// Calls `f` with the world of this thread.
pub(crate) fn with<T>(f: impl FnOnce(&World) -> T) -> T {
    thread_local!(static WORLD: RefCell<World> = RefCell::new(World::new()));
    WORLD.with_borrow(f)
}

impl World {
    fn new() -> World {
        let shop = Shop { catalog: catalog(), asked: Arc::default(), asked_in_bulk: Arc::default() };
        let algorithm = TokenAlgorithm::Hs256 { secret: SECRET.to_vec() };
        let rules = TokenRules { algorithm, audience: None, issuer: None };
        let tokens = BuyerTokens::new(&rules).expect("long enough");
        let keys = RoleKeys {
            admins: vec![AdminKey::parse(ADMIN_KEY).expect("a key").hash()],
            integrators: vec![IntegratorKey::parse(INTEGRATOR_KEY).expect("a key").hash()],
        };
        let claims = TokenClaims { sub: "alice".into(), exp: NOW.0 / 1_000 + 60, aud: None, iss: None };
        let token = IssueKey::hs256(SECRET).and_then(|key| key.issue(&claims)).expect("long enough");
        let codec = OrderCodec::new([7; 16]);
        let order_code = codec.encode(order_id()).iter().map(|byte| char::from(*byte)).collect();
        let parts = EdgeParts {
            config: edge::Config::default(),
            auth: Auth::new(tokens, keys),
            codec,
            payments: None,
            metrics: Metrics::new(&mut Registry::default()),
        };
        let edge = Arc::new(Edge::new(shop.clone(), parts));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("a runtime without threads");
        World { door: Door::new(edge), shop, runtime, buyer: format!("Bearer {token}"), order_code }
    }

    /// The router's answer, and what the shop was asked for it.
    pub(crate) fn respond(&self, request: http::Request<Full<Bytes>>) -> (Answered, Option<Request>) {
        self.asked_by(|| {
            self.runtime.block_on(async { collect(self.door.respond_by_router(request).await).await })
        })
    }

    /// The answer to a bulk, and what the shop was asked for it.
    pub(crate) fn respond_in_bulk(&self, request: http::Request<Full<Bytes>>) -> (Answered, Option<Bulk>) {
        self.shop.asked_in_bulk.lock().expect("no panic under the lock").take();
        let (answer, _) = self.respond(request);
        (answer, self.shop.asked_in_bulk.lock().expect("no panic under the lock").take())
    }

    /// What `work` brings, and what the shop was asked for it.
    pub(crate) fn asked_by<T>(&self, work: impl FnOnce() -> T) -> (T, Option<Request>) {
        self.shop.asked.lock().expect("no panic under the lock").take();
        let outcome = work();
        (outcome, self.shop.asked.lock().expect("no panic under the lock").take())
    }
}

async fn collect(response: http::Response<edge::Body>) -> Answered {
    let (head, body) = response.into_parts();
    let body = body.collect().await.expect("the body is made of bytes that are there").to_bytes();
    http::Response::from_parts(head, body)
}

fn order_id() -> OrderId {
    OrderId::next(ShardId::FIRST, NOW, None)
}

fn catalog() -> Catalog {
    let catalog = Catalog::new(NonZeroU16::MIN, 12);
    let item = |code| ItemTerms::new(Slug::new(code).expect("a code"), "An item", PRICE);
    let levels = |code| match code {
        "gone" => Levels { stock: 9, paid: 9, ..Levels::default() },
        _ => Levels { stock: 1_000_000, free: 1_000_000, ..Levels::default() },
    };
    catalog.put_sale(SalePublished {
        shard: ShardId::FIRST,
        sale: SaleId(0),
        slug: Slug::new(SALE).expect("a code"),
        terms: SaleTerms::new("A sale", Currency::new("EUR").expect("three capitals"), 600),
        status: SaleStatus::Open,
        items: ITEMS.map(item).to_vec(),
        levels: ITEMS.map(levels).to_vec(),
        seq: Seq(1),
    });
    catalog
}

/// The shop.
#[derive(Clone)]
pub(crate) struct Shop {
    catalog: Catalog,
    /// The last thing asked.
    asked: Arc<Mutex<Option<Request>>>,
    /// The last bulk asked for.
    asked_in_bulk: Arc<Mutex<Option<Bulk>>>,
}

impl Shop {
    fn decide(&self, request: &Request) -> Result<Answer, Refusal> {
        let (sale, seq) = (SaleId(0), Seq(2));
        match request {
            Request::Command(Command::PlaceOrder { wishes, .. }) => place(wishes).map(Answer::Order),
            Request::Command(Command::CreateSale { .. }) => Ok(Answer::Sale { sale, seq, created: true }),
            Request::Command(Command::EditSale { .. } | Command::MoveSale { .. }) => {
                Ok(Answer::Sale { sale, seq, created: false })
            }
            Request::Command(Command::ChangeStock { sale, item, change, .. }) => {
                let levels = Levels::default();
                Ok(Answer::Stock(StockReceipt { sale: *sale, item: *item, change: *change, levels, seq }))
            }
            _ => Ok(Answer::Order(order(Lines::one(Line {
                item: ItemIndex(0),
                quantity: 1,
                unit_price: PRICE,
            })))),
        }
    }
}

fn place(wishes: &Wishes) -> Result<OrderView, Refusal> {
    let line = |wish: &domain::Wish| {
        let known = usize::from(wish.item.0) < ITEMS.len();
        let line = Line { item: wish.item, quantity: wish.quantity, unit_price: PRICE };
        if known { Ok(line) } else { Err(Refusal::ItemNotFound { item: wish.item }) }
    };
    let lines = wishes.into_iter().map(line).collect::<Result<Vec<Line>, Refusal>>()?;
    Ok(order(Lines::new(lines).expect("an order's wishes are sound")))
}

fn order(lines: Lines) -> OrderView {
    OrderView {
        order: order_id(),
        sale: SaleId(0),
        buyer: BuyerId::from_text("alice"),
        state: OrderState::Held,
        lines,
        expires_at: NOW.plus_s(600),
        seq: Seq(2),
        extended: false,
        payments_failed: 0,
        payment: None,
        refund_cause: None,
        surplus: Vec::new(),
    }
}

impl Backend for Shop {
    fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn now(&self) -> UnixMs {
        NOW
    }

    type Asked = std::future::Ready<Result<Box<Decided>, Unavailable>>;

    fn ask(&self, _permit: gate::Permit, shard: ShardId, request: Request, _since: Instant) -> Self::Asked {
        assert_eq!(shard, ShardId::FIRST);
        let outcome = self.decide(&request);
        *self.asked.lock().expect("no panic under the lock") = Some(request);
        std::future::ready(Ok(Box::new(Decided { outcome, tip: Tip::default() })))
    }

    async fn ask_all(
        &self,
        _permit: gate::Permit,
        shard: ShardId,
        bulk: Bulk,
    ) -> Result<BulkDecided, Unavailable> {
        assert_eq!(shard, ShardId::FIRST);
        let requests = bulk.orders.iter().map(|order| order.clone().of_sale(bulk.sale));
        let outcomes = requests.map(|request| self.decide(&request)).collect();
        *self.asked_in_bulk.lock().expect("no panic under the lock") = Some(bulk);
        Ok(BulkDecided { outcomes, tip: Tip { seq: Seq(2), chain: [7; 32] } })
    }

    async fn orders(&self, _query: OrdersQuery) -> Result<Result<OrdersPage, CursorInvalid>, Unavailable> {
        Ok(Ok(OrdersPage { orders: Vec::new(), next: None }))
    }

    fn pressure(&self, _shard: ShardId, _now: Instant) -> gate::Pressure {
        gate::Pressure::default()
    }

    fn inbox_len_max(&self) -> u32 {
        1_000
    }
}
