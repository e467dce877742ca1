//! What all routes share: who asks, whether the gate lets it in, and the way to the writer and back.

use std::sync::Arc;
use std::time::Instant;

use domain::{Actor, Answer, BuyerId, OrderCodec, OrderId, OrderView, Request, ShardId, UnixMs, limits};
use gate::{Permit, Refused, Shedder, Work};
use http::HeaderMap;
use tokio::sync::Semaphore;
use views::SaleEntry;

use crate::auth::Auth;
use crate::backend::{Backend, Bulk, BulkDecided, Decided, Tip};
use crate::body::{BodyLimit, Outcome};
use crate::config::Config;
use crate::hot::page::Pages;
use crate::metrics::Metrics;
use crate::payments::PaymentDesk;
use crate::problem::Problem;
use crate::receipt::Receipt;
use crate::request::HotHeaders;

/// What an edge is made of besides its backend.
pub struct EdgeParts {
    /// Bounds and deadlines.
    pub config: Config,
    /// Tells who asks.
    pub auth: Auth,
    /// Turns order numbers into the codes that buyers see.
    pub codec: OrderCodec,
    /// Where buyers pay; `None`: nowhere.
    pub payments: Option<PaymentDesk>,
    /// Where everything is counted.
    pub metrics: Metrics,
}

/// An order as the writer told it, and how far the journal reached then.
pub(crate) struct Told {
    pub(crate) view: OrderView,
    pub(crate) tip: Tip,
}

/// The edge: shared by all I/O threads.
pub struct Edge<B> {
    pub(crate) backend: B,
    pub(crate) config: Config,
    pub(crate) auth: Auth,
    pub(crate) codec: OrderCodec,
    pub(crate) payments: Option<PaymentDesk>,
    pub(crate) metrics: Metrics,
    pub(crate) pages: Pages,
    /// A bulk has its turn from before its body is read until its answer is made: so few are in memory.
    pub(crate) bulk_turns: Semaphore,
    shedder: Shedder,
}

impl<B: Backend> Edge<B> {
    /// An edge before that backend.
    pub fn new(backend: B, parts: EdgeParts) -> Edge<B> {
        let EdgeParts { config, auth, codec, payments, metrics } = parts;
        let shedder = Shedder {
            inbox_len_max: backend.inbox_len_max(),
            round_len_max: u32::try_from(limits::BATCH_FACT_COUNT_MAX).unwrap_or(u32::MAX),
            wait_us_max: u64::try_from(config.inbox_wait_max.as_micros()).unwrap_or(u64::MAX),
        };
        let bulk_turns = Semaphore::new(config.bulk_count_max);
        Edge { backend, config, auth, codec, payments, metrics, pages: Pages::default(), bulk_turns, shedder }
    }

    /// Where everything is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(crate) fn buyer(&self, headers: &HotHeaders<'_>, now: UnixMs) -> Result<BuyerId, Problem> {
        self.auth.buyer(headers.authorization, now).map_err(|fault| Problem::auth(&fault))
    }

    pub(crate) fn organiser(&self, headers: &HeaderMap) -> Result<(), Problem> {
        self.auth.organiser(headers, self.backend.now()).map_err(|fault| Problem::auth(&fault))
    }

    pub(crate) fn integrator(&self, headers: &HeaderMap) -> Result<(), Problem> {
        self.auth.integrator(headers, self.backend.now()).map_err(|fault| Problem::auth(&fault))
    }

    pub(crate) fn actor(&self, headers: &HeaderMap) -> Result<Actor, Problem> {
        self.auth.actor(headers, self.backend.now()).map_err(|fault| Problem::auth(&fault))
    }

    /// The sale of that code.
    pub(crate) fn sale(&self, slug: impl AsRef<[u8]>) -> Result<Arc<SaleEntry>, Problem> {
        self.backend.catalog().sale(slug).ok_or_else(Problem::sale_not_found)
    }

    /// A sale's page, ready.
    pub(crate) fn page(&self, slug: impl AsRef<[u8]>, headers: &HotHeaders<'_>) -> Outcome {
        Ok(self.pages.page(&*self.sale(slug)?, headers))
    }

    /// A sale's levels, ready.
    pub(crate) fn stock(&self, slug: impl AsRef<[u8]>, headers: &HotHeaders<'_>) -> Outcome {
        Ok(self.pages.stock(&*self.sale(slug)?, headers))
    }

    /// The sale that an order belongs to.
    pub(crate) fn sale_of(&self, order: &OrderView) -> Arc<SaleEntry> {
        let sale = self.backend.catalog().sale_by_id(order.order.shard(), order.sale);
        sale.expect("a sale is published before its first order is answered")
    }

    /// The order of that code.
    pub(crate) fn order_id(&self, code: &str) -> Result<OrderId, Problem> {
        self.codec.decode(code).ok_or_else(Problem::order_not_found)
    }

    /// The receipt of an answer about an order.
    pub(crate) fn receipt(&self, view: &OrderView, tip: Tip) -> Receipt {
        let order = self.codec.encode(view.order);
        Receipt { shard: view.order.shard(), order, seq: view.seq, tip }
    }

    pub(crate) fn body_limit(&self) -> BodyLimit {
        let Config { body_size_bytes_max: size_bytes_max, body_deadline: deadline, .. } = self.config;
        BodyLimit { size_bytes_max, deadline }
    }

    pub(crate) fn definition_limit(&self) -> BodyLimit {
        BodyLimit { size_bytes_max: self.config.definition_size_bytes_max, ..self.body_limit() }
    }

    pub(crate) fn bulk_limit(&self) -> BodyLimit {
        BodyLimit { size_bytes_max: self.config.bulk_size_bytes_max, ..self.body_limit() }
    }

    /// The longest bulk that can ever come in: a small inbox has not room for every one.
    pub(crate) fn bulk_len_max(&self) -> usize {
        let room = usize::try_from(self.shedder.room(Work::Order)).unwrap_or(usize::MAX);
        limits::BULK_ORDER_COUNT_MAX.min(room)
    }

    /// Asks the gate, then the writer.
    pub(crate) async fn submit(
        &self,
        work: Work,
        shard: ShardId,
        request: Request,
    ) -> Result<Box<Decided>, Problem> {
        let since = Instant::now();
        let permit = self.admit(work, shard, 1, since).map_err(Problem::shed)?;
        self.backend.ask(permit, shard, request, since).await.map_err(Problem::unavailable)
    }

    /// The same for a bulk: all of it comes in, or nothing. Bulks do not crowd each other out, since each has its
    /// turn; they need room beside what came alone, which goes first.
    pub(crate) async fn submit_all(&self, shard: ShardId, bulk: Bulk) -> Result<BulkDecided, Problem> {
        let count = u32::try_from(bulk.orders.len()).unwrap_or(u32::MAX);
        let permit = self.admit(Work::Order, shard, count, Instant::now()).map_err(Problem::shed)?;
        self.backend.ask_all(permit, shard, bulk).await.map_err(Problem::unavailable)
    }

    /// Asks the gate about so many requests at once.
    pub(crate) fn admit(
        &self,
        work: Work,
        shard: ShardId,
        count: u32,
        now: Instant,
    ) -> Result<Permit, Refused> {
        let admitted = self.shedder.admit_many(work, self.backend.pressure(shard, now), count);
        admitted.inspect_err(|refused| {
            self.metrics.shed(refused.reason);
        })
    }

    /// The same for what is answered with an order.
    pub(crate) async fn submit_for_order(
        &self,
        work: Work,
        order: OrderId,
        request: Request,
    ) -> Result<Told, Problem> {
        let Decided { outcome, tip } = *self.submit(work, order.shard(), request).await?;
        match outcome {
            Ok(Answer::Order(view)) => Ok(Told { view, tip }),
            Ok(other) => unreachable!("asked about an order, answered {other:?}"),
            Err(refusal) => Err(Problem::refusal(&refusal, None)),
        }
    }
}
