//! What the edge asks, answered by this process's own shards.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use domain::{OrderCodec, Refusal, Request, ShardId, UnixMs};
use edge::{Backend, Bulk, BulkDecided, CursorInvalid, Decided, OrdersPage, OrdersQuery, Tip, Unavailable};
use gate::{Permit, Pressure};
use tokio::sync::oneshot;
use views::Catalog;

use super::bulk::BulkTicket;
use super::clock;
use super::follower::Follow;
use super::inbox::{Inbox, NotTaken};
use super::outbox::Ticket;
use super::pace::Pace;

thread_local! {
    /// The outbox of this I/O thread.
    static OUTBOX: Cell<usize> = const { Cell::new(0) };
}

/// Says which outbox the requests of this thread wait at.
pub(crate) fn set_outbox(number: usize) {
    OUTBOX.set(number);
}

/// The shards of this process, as the edge sees them.
#[derive(Clone)]
pub(crate) struct LocalBackend(Arc<Parts>);

/// What a backend is made of.
pub(crate) struct Parts {
    pub(crate) catalog: Catalog,
    pub(crate) codec: OrderCodec,
    pub(crate) inboxes: Arc<[Arc<Inbox>]>,
    pub(crate) paces: Vec<Arc<Pace>>,
    pub(crate) follows: Vec<Arc<Follow>>,
}

impl LocalBackend {
    pub(crate) fn new(parts: Parts) -> LocalBackend {
        LocalBackend(Arc::new(parts))
    }

    fn inbox(&self, shard: ShardId) -> Option<&Arc<Inbox>> {
        self.0.inboxes.get(usize::from(shard.get()))
    }
}

/// A request that waits for its writer, or was answered without one.
pub(crate) enum Asked {
    Waiting(oneshot::Receiver<Box<Decided>>),
    /// Taken when it is told.
    Answered(Option<Result<Box<Decided>, Unavailable>>),
}

impl Future for Asked {
    type Output = Result<Box<Decided>, Unavailable>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            // A writer that failed drops its tickets unanswered.
            Asked::Waiting(outcome) => Pin::new(outcome).poll(cx).map_err(|_dropped| Unavailable::Failed),
            Asked::Answered(answer) => Poll::Ready(answer.take().expect("nobody polls for an answer twice")),
        }
    }
}

impl Backend for LocalBackend {
    fn catalog(&self) -> &Catalog {
        &self.0.catalog
    }

    fn now(&self) -> UnixMs {
        clock::now()
    }

    fn now_at(&self, instant: Instant) -> UnixMs {
        clock::now_at(instant)
    }

    type Asked = Asked;

    fn ask(&self, _permit: Permit, shard: ShardId, request: Request, since: Instant) -> Asked {
        // An order number of a shard that is not here was never given out here.
        let Some(inbox) = self.inbox(shard) else {
            let nothing = Decided { outcome: Err(Refusal::OrderNotFound), tip: Tip::default() };
            return Asked::Answered(Some(Ok(Box::new(nothing))));
        };
        let number = OUTBOX.get();
        let (ticket, outcome) = Ticket::new(number, since);
        match inbox.push(ticket, request) {
            Ok(()) => Asked::Waiting(outcome),
            Err(reason) => Asked::Answered(Some(Err(not_taken(reason)))),
        }
    }

    async fn ask_all(&self, _permit: Permit, shard: ShardId, bulk: Bulk) -> Result<BulkDecided, Unavailable> {
        let inbox = self.inbox(shard).expect("the edge found the sale in a shard that is here");
        let (ticket, outcomes) = BulkTicket::new(bulk);
        inbox.push_bulk(ticket).map_err(not_taken)?;
        outcomes.await.map_err(|_dropped| Unavailable::Failed)
    }

    async fn orders(&self, query: OrdersQuery) -> Result<Result<OrdersPage, CursorInvalid>, Unavailable> {
        let OrdersQuery { shard, sale, state, after, count_max } = query;
        let after = match after.map(|code| self.0.codec.decode(&code)) {
            None => None,
            Some(Some(order)) => Some(order),
            Some(None) => return Ok(Err(CursorInvalid)),
        };
        let query = views::OrdersQuery { sale, state, after, count_max: count_max.into() };
        let Some(follow) = self.0.follows.get(usize::from(shard.get())) else {
            return Err(Unavailable::Failed);
        };
        let page = follow.list(query).ok_or(Unavailable::Overloaded { retry_after_s: 1 })?;
        let page = page.await.map_err(|_dropped| Unavailable::Failed)?;
        let code = |order| String::from_utf8_lossy(&self.0.codec.encode(order)).into_owned();
        Ok(Ok(OrdersPage { orders: page.orders, next: page.next.map(code) }))
    }

    fn pressure(&self, shard: ShardId, now: Instant) -> Pressure {
        let inbox_len = self.inbox(shard).map_or(0, |inbox| u32::try_from(inbox.len()).unwrap_or(u32::MAX));
        let pace = self.0.paces.get(usize::from(shard.get()));
        Pressure { inbox_len, round: pace.and_then(|pace| pace.round(now)) }
    }

    fn inbox_len_max(&self) -> u32 {
        self.0.inboxes.first().map_or(0, |inbox| u32::try_from(inbox.len_max()).unwrap_or(u32::MAX))
    }
}

fn not_taken(reason: NotTaken) -> Unavailable {
    match reason {
        NotTaken::Full => Unavailable::Overloaded { retry_after_s: 1 },
        NotTaken::Closed => Unavailable::Stopping,
    }
}
