//! The writer's thread: the only one that decides about its shard, and the only one that writes its journal.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{Fact, SaleId, UnixMs, limits};
use edge::{Decided, Tip};
use engine::State;
use journal::{AppendError, Journal, TruncateError};
use shard::Shard;

use super::bulk::{Bulks, Way};
use super::clock;
use super::follower::Follow;
use super::inbox::Inbox;
use super::metrics::WriterMetrics;
use super::outbox::{Delivery, Outbox};
use super::pace::Pace;
use super::room::Room;
use super::sync::park_timeout;

/// How long the writer sleeps when nothing comes and nothing is due by then.
const IDLE_MAX_MS: u64 = 100;
/// How long it sleeps when something is due by then: how late a hold may expire on an idle server.
const IDLE_DUE_MAX_MS: u64 = 10;

/// From so many requests in recent batches on there is a load to gather.
const LOAD_REQUEST_COUNT_MIN: usize = 4;

/// How long a batch is gathered at most: some writes' time, and no more than a server takes to answer under such a load.
const GATHER_MAX: Duration = Duration::from_millis(2);
/// From so many requests in recent batches on, batches that follow each other at once are too small for what each costs.
const BUSY_REQUEST_COUNT_MIN: usize = 16;
/// From the beginning of a round to that of the next one, at least, when the writer is busy: a page of orders at 50,000 a second.
const BUSY_ROUND_MIN: Duration = Duration::from_micros(1_250);
/// What an order of one line takes in the journal.
const ORDER_RECORD_SIZE_BYTES: usize = journal::RECORD_HEADER_SIZE_BYTES + codec::ORDER_HELD_SIZE_BYTES;
/// A batch with so many requests is full enough: eight pages of orders, of which padding would be a part in sixteen at most.
const FULL_REQUEST_COUNT: usize = 510;

/// What a writer works with.
pub(crate) struct Writer<J> {
    pub(crate) shard: Shard<J, Way>,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) pace: Arc<Pace>,
    pub(crate) bulks: Bulks,
    pub(crate) outboxes: Arc<[Arc<Outbox>]>,
    pub(crate) metrics: WriterMetrics,
    pub(crate) follow: Arc<Follow>,
    pub(crate) room: Room,
}

/// Why a writer ended before it was told to. Nothing unconfirmed was promised.
#[derive(thiserror::Error, Debug)]
pub(crate) enum WriterError {
    #[error("{0}")]
    Append(#[from] AppendError),
    #[error("{0}")]
    Truncate(#[from] TruncateError),
}

impl<J: Journal> Writer<J> {
    /// Runs until the inbox is closed and empty.
    ///
    /// While one batch is being written, the next one fills the inbox: batching by nature, not by timer.
    pub(crate) fn run(mut self) -> Result<(), WriterError> {
        let mut returns = self.outboxes.iter().map(|_| Vec::new()).collect::<Vec<_>>();
        // Requests in the last batches, those before counting half each time.
        let mut recent_count = 0;
        let mut last_begun = Instant::now();
        self.room.look(self.shard.state());
        loop {
            self.let_fill(recent_count, last_begun);
            last_begun = Instant::now();
            let answered_count = self.round(last_begun, &mut returns)?;
            recent_count = answered_count.max(recent_count / 2);
            self.truncate()?;
            if answered_count > 0 || self.shard.waiting_count() > 0 || !self.bulks.is_empty() {
                continue;
            }
            self.pace.rest();
            if self.inbox.is_closed() && self.inbox.is_empty() {
                return Ok(());
            }
            self.inbox.wait(idle_max(self.shard.state(), clock::now()));
        }
    }

    /// Under load, waits for a fuller batch as long as somebody is awake who may bring more, or the last one was just now: a
    /// write costs the same, however many orders it covers.
    fn let_fill(&self, recent_count: usize, last_begun: Instant) {
        if recent_count < LOAD_REQUEST_COUNT_MIN || !self.bulks.is_empty() || self.inbox.has_bulks() {
            return;
        }
        let begun = Instant::now();
        let is_busy = recent_count >= BUSY_REQUEST_COUNT_MIN;
        loop {
            let left = GATHER_MAX.saturating_sub(begun.elapsed());
            if left.is_zero() || self.inbox.len() >= FULL_REQUEST_COUNT || self.inbox.is_closed() {
                return;
            }
            let early =
                if is_busy { BUSY_ROUND_MIN.saturating_sub(last_begun.elapsed()) } else { Duration::ZERO };
            match (early.is_zero(), self.inbox.is_filled()) {
                (true, true) => return,
                (true, false) => self.inbox.gather(left),
                // It may end early.
                (false, _) => park_timeout(early.min(left)),
            }
        }
    }

    /// One round, which begins now; returns how many requests it answered. What came alone goes first.
    fn round(&mut self, begun: Instant, returns: &mut [Vec<Delivery>]) -> Result<usize, WriterError> {
        self.pace.begin(begun);
        let mut first_since = self.bulks.first_since();
        let is_shared = self.inbox.has_bulks() || !self.bulks.is_empty();
        let share = Share::of_round(self.inbox.len(), is_shared);
        let alone = self.inbox.drain().take(share.alone_count_max).map(|(ticket, request)| {
            first_since.get_or_insert(ticket.since);
            (Way::Alone(ticket), request)
        });
        let requests = alone.chain(self.bulks.take(&self.inbox).take(share.bulk_count_max));
        let fact_count = self.shard.decide(clock::now(), requests);
        let decided = Instant::now();
        self.shard.commit()?;
        let committed = Instant::now();
        if fact_count > 0 {
            // Whoever is answered may ask for a list at once.
            self.follow.durable(self.shard.state().seq());
        }
        tell(self.shard.state(), self.shard.facts());
        if self.shard.facts().iter().any(brings_units) {
            self.room.look(self.shard.state());
        }
        let mut answered_count = 0;
        let journal::Tip { seq, chain, .. } = self.shard.journal().tip();
        let tip = Tip { seq, chain: chain.0 };
        for (way, outcome) in self.shard.release() {
            answered_count += 1;
            match way {
                Way::Alone(ticket) => {
                    returns[ticket.outbox].push(ticket.decided(Decided { outcome, tip }));
                }
                Way::Bulk => self.bulks.answered(outcome),
            }
        }
        self.bulks.deliver(tip);
        self.deliver(returns, answered_count);
        if fact_count > 0 {
            self.room.used(fact_count as u64, self.shard.state());
            self.metrics.batch(fact_count, self.shard.batch_size_bytes());
            self.metrics
                .waited(first_since.map_or(Duration::ZERO, |since| begun.saturating_duration_since(since)));
            self.metrics.decided(decided - begun);
            self.metrics.committed(committed - decided);
        }
        self.metrics.inbox_len(self.inbox.len());
        Ok(answered_count)
    }

    /// Has the answers of a round leave. A lone one to threads that all sleep is handed out here and now: for an order, that takes
    /// less than waking one of them.
    fn deliver(&self, returns: &mut [Vec<Delivery>], answered_count: usize) {
        let is_lone = answered_count == 1 && self.inbox.is_filled();
        for (outbox, deliveries) in self.outboxes.iter().zip(returns) {
            match is_lone {
                true => deliveries.drain(..).for_each(Delivery::hand_out),
                false => outbox.deliver(deliveries),
            }
        }
    }

    /// Drops what snapshots stand for.
    fn truncate(&mut self) -> Result<(), WriterError> {
        if let Some(seq) = self.follow.take_droppable() {
            let segment_count = self.shard.truncate_before(seq)?;
            tracing::info!(before_seq = seq.0, segment_count, "dropped old segments of the journal");
        }
        Ok(())
    }
}

/// How many requests a round takes at most.
#[derive(PartialEq, Eq, Debug)]
struct Share {
    /// Of those that came alone.
    alone_count_max: usize,
    /// Of the orders in bulks, if there are any.
    bulk_count_max: usize,
}

impl Share {
    /// Of a round for which so many wait that came alone, and others in bulks if it is shared. Whoever comes alone during a round of
    /// bulks waits for the next one, and shortens that: then either has half of it.
    fn of_round(alone_count: usize, is_shared: bool) -> Share {
        const WHOLE: usize = limits::BATCH_FACT_COUNT_MAX;
        const HALF: usize = WHOLE / 2;
        match (alone_count, is_shared) {
            (0, true) => Share { alone_count_max: 0, bulk_count_max: WHOLE },
            (_, true) => Share { alone_count_max: alone_count.min(HALF), bulk_count_max: HALF },
            (_, false) => {
                let full_pages = journal::record_count_of_full_pages(alone_count, ORDER_RECORD_SIZE_BYTES);
                Share { alone_count_max: full_pages.clamp(1, WHOLE), bulk_count_max: HALF }
            }
        }
    }
}

/// How long nobody has to look at the clock for the state's sake.
fn idle_max(state: &State, now: UnixMs) -> Duration {
    let is_quiet = engine::decide::is_quiet(state, UnixMs(now.0.saturating_add(IDLE_MAX_MS)));
    Duration::from_millis(if is_quiet { IDLE_MAX_MS } else { IDLE_DUE_MAX_MS })
}

/// Whether there may be more to sell than before.
fn brings_units(fact: &Fact) -> bool {
    matches!(fact, Fact::ItemAdded { .. } | Fact::StockChanged { .. })
}

/// One line for each change of a sale; nothing for orders.
fn tell(state: &State, facts: &[Fact]) {
    let slug = |sale: &SaleId| state.sale(*sale).map(|sale| sale.slug().as_str()).unwrap_or_default();
    for fact in facts {
        match fact {
            Fact::SaleCreated { sale, .. } => tracing::info!(sale = slug(sale), "a sale was created"),
            Fact::SaleEdited { sale, .. } => {
                tracing::info!(sale = slug(sale), "the terms of a sale were changed")
            }
            Fact::SaleMoved { sale, to, cause } => {
                tracing::info!(sale = slug(sale), to = to.name(), ?cause, "a sale was moved");
            }
            Fact::StockChanged { sale, item, change, .. } => {
                let code = state.sale(*sale).and_then(|sale| sale.items().get(usize::from(item.0)));
                let item = code.map(|item| item.terms().code.as_str()).unwrap_or_default();
                tracing::info!(sale = slug(sale), item, change, "the stock was changed");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{Command, Currency, ItemTerms, SaleTerms, ShardId, Slug};

    use super::*;

    #[test]
    fn neither_bulks_nor_single_requests_fill_a_round_for_which_the_other_waits() {
        let (whole, half) = (limits::BATCH_FACT_COUNT_MAX, limits::BATCH_FACT_COUNT_MAX / 2);
        let share = Share::of_round;
        let both = |alone_count_max, bulk_count_max| Share { alone_count_max, bulk_count_max };
        assert_eq!(share(0, true), both(0, whole));
        let shared = [1, 700, whole].map(|count| share(count, true));
        assert_eq!(shared, [both(1, half), both(700, half), both(half, half)]);
        // Where none waits, one may be coming.
        assert_eq!([0, 1].map(|count| share(count, false)), [both(1, half), both(1, half)]);
        let (page, two_pages) = (share(100, false).alone_count_max, share(130, false).alone_count_max);
        assert!(page < 100 && two_pages > page, "whole pages of the journal: {page} and {two_pages}");
    }

    #[test]
    fn writer_looks_often_only_when_something_is_due_soon() {
        let mut state = State::new(ShardId::FIRST, 1);
        let (now, ms) = (UnixMs(UnixMs::EPOCH.0 + 1_000_000), Duration::from_millis);
        assert_eq!(idle_max(&state, now), ms(IDLE_MAX_MS), "nothing is ever due");
        let terms = SaleTerms {
            opens_at: Some(UnixMs(now.0 + IDLE_MAX_MS + 1)),
            ..SaleTerms::new("Concert", Currency::new("EUR").unwrap(), 600)
        };
        let items = vec![(ItemTerms::new(Slug::new("ga").unwrap(), "Standing", 6_000), 1)];
        let create = Command::CreateSale { slug: Slug::new("concert").unwrap(), terms: terms.into(), items };
        for fact in engine::decide(&state, &create, now).unwrap() {
            engine::apply(&mut state, &fact);
        }
        assert_eq!(idle_max(&state, now), ms(IDLE_MAX_MS));
        assert_eq!(idle_max(&state, UnixMs(now.0 + 1)), ms(IDLE_DUE_MAX_MS), "the sale opens by then");
    }
}
