//! The only thing the edge knows of the rest of Onrush.

use std::future::Future;
use std::time::Instant;

use domain::{Answer, OrderState, OrderView, OrderWanted, Refusal, Request, SaleId, Seq, ShardId, UnixMs};
use gate::{Permit, Pressure};

/// Whoever decides and remembers. The edge does not know where.
pub trait Backend: Clone + Send + Sync + 'static {
    /// Every sale, in memory.
    fn catalog(&self) -> &views::Catalog;

    /// The clock of this process.
    fn now(&self) -> UnixMs;

    /// The same at an instant of just now, if that spares a look at it.
    fn now_at(&self, _instant: Instant) -> UnixMs {
        self.now()
    }

    /// What waits for a shard's writer. The answer comes in a box, since it is handed on several times.
    type Asked: Future<Output = Result<Box<Decided>, Unavailable>> + Send + Unpin;

    /// Has a shard's writer decide; ready when the answer is durable. The permit says that the gate was asked; it is used
    /// up. It came at `since`. Requests of one shard are decided in the order of these calls, if one thread makes them.
    fn ask(&self, permit: Permit, shard: ShardId, request: Request, since: Instant) -> Self::Asked;

    /// Has a shard's writer decide a whole bulk, one order after the other, as if each had been asked for alone;
    /// waits until all of it is durable. The permit is for all of it.
    fn ask_all(
        &self,
        permit: Permit,
        shard: ShardId,
        bulk: Bulk,
    ) -> impl Future<Output = Result<BulkDecided, Unavailable>> + Send;

    /// A page of a sale's orders, from a view.
    fn orders(
        &self,
        query: OrdersQuery,
    ) -> impl Future<Output = Result<Result<OrdersPage, CursorInvalid>, Unavailable>> + Send;

    /// How hard a shard's writer is pressed, now. The gate asks for every request, so the answer must cost next to nothing.
    fn pressure(&self, shard: ShardId, now: Instant) -> Pressure;

    /// How many requests may wait for a shard's writer.
    fn inbox_len_max(&self) -> u32;
}

/// What a shard's writer decided, and how much was durable when it said so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decided {
    /// The answer, or the refusal.
    pub outcome: Result<Answer, Refusal>,
    /// Where the shard's journal ended then: at the record that the answer rests on, or behind it.
    pub tip: Tip,
}

/// Many orders of one sale that came in one request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bulk {
    /// Which sale.
    pub sale: SaleId,
    /// The orders: from 1 to [`domain::limits::BULK_ORDER_COUNT_MAX`].
    pub orders: Vec<OrderWanted>,
}

/// What a shard's writer decided about a bulk, and how much was durable when it said so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BulkDecided {
    /// For each order, in order, the answer or the refusal.
    pub outcomes: Vec<Result<Answer, Refusal>>,
    /// Where the shard's journal ended then: behind every record that an answer rests on.
    pub tip: Tip,
}

/// The last durable record of a journal; all zeros when there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tip {
    /// Its position.
    pub seq: Seq,
    /// The hash chain's value behind its block.
    pub chain: [u8; 32],
}

/// Which orders to list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrdersQuery {
    /// The sale's shard.
    pub shard: ShardId,
    /// The sale's number there.
    pub sale: SaleId,
    /// Only orders in this state; `None`: all.
    pub state: Option<OrderState>,
    /// Continues after the page that named this cursor; `None`: from the first order. At most
    /// [`CURSOR_SIZE_BYTES_MAX`] bytes, and anybody may have made it up.
    pub after: Option<String>,
    /// At most so many orders.
    pub count_max: u16,
}

/// Longest cursor that is taken.
pub const CURSOR_SIZE_BYTES_MAX: usize = 64;

/// Some of a sale's orders.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrdersPage {
    /// The orders.
    pub orders: Vec<OrderView>,
    /// Where the next page continues; opaque text for an address. `None`: nothing is left.
    pub next: Option<String>,
}

/// The cursor is not one that a page named.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CursorInvalid;

/// Nobody can answer now. What was asked may or may not have happened; the same key brings the same answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unavailable {
    /// Too much to do. Nothing happened.
    #[error("too many requests are waiting")]
    Overloaded {
        /// When to ask again.
        retry_after_s: u16,
    },
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
    /// The shard's writer failed; an operator has to act.
    #[error("the shard does not work")]
    Failed,
}
