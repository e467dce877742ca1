//! The round of a shard: decide, commit, release.

use std::collections::VecDeque;

use domain::{Answer, Fact, Refusal, Request, Seq, UnixMs, limits, planted};
use engine::State;
use journal::{AppendError, Batch, Journal, TruncateError};
use sequencer::Sequencer;
use views::Catalog;

use crate::publish::Publisher;

/// Requests taken in one round at most: as many as a batch may bring facts.
const REQUEST_COUNT_MAX: usize = limits::BATCH_FACT_COUNT_MAX;

/// Requests for whose memory a round waits together: as many as a round has under a load of single orders, and few enough that all
/// they need stays in a processor's second-level cache.
const PIECE_LEN: usize = 64;

/// A shard at work. `T` is the ticket that says where an outcome goes.
pub struct Shard<J, T> {
    sequencer: Sequencer<T>,
    journal: J,
    publisher: Publisher,
    requests: VecDeque<(T, Request)>,
    batch: Batch,
    committed: bool,
}

/// Outcomes in the order of their requests, with their tickets.
pub type Outcomes<'a, T> = std::vec::Drain<'a, (T, Result<Answer, Refusal>)>;

impl<J: Journal, T> Shard<J, T> {
    /// A shard on a journal and the state that this journal's facts come to; the last was stamped `time`. Publishes
    /// the state, but for its keys, which the catalogue must know already; starts the journal's term with the first round.
    ///
    /// # Panics
    /// When the journal ends elsewhere than the state.
    pub fn new(journal: J, state: State, time: UnixMs, catalog: Catalog) -> Shard<J, T> {
        assert_eq!(journal.tip().seq, state.seq(), "the state is what the journal's facts come to");
        let publisher = Publisher::new(catalog, &state);
        let mut sequencer = Sequencer::new(state, time);
        sequencer.start_term(journal.term());
        let (requests, batch) = (VecDeque::new(), Batch::new());
        Shard { sequencer, journal, publisher, requests, batch, committed: false }
    }

    /// Begins a round at `clock`: lets time act, then decides the requests that come, up to a batch. It takes from `inbox` only what
    /// it is about to decide, and nothing more once that was empty. What does not fit stays there, but for some dozens of requests,
    /// which wait here: whoever has more than a batch passes a reference. Returns how many facts are to be committed.
    ///
    /// # Panics
    /// When the round before was not released.
    pub fn decide(&mut self, clock: UnixMs, inbox: impl Iterator<Item = (T, Request)>) -> usize {
        self.sequencer.begin(clock);
        let mut inbox = inbox.take(REQUEST_COUNT_MAX.saturating_sub(self.requests.len())).fuse();
        while !self.sequencer.is_full() {
            self.requests.extend(inbox.by_ref().take(PIECE_LEN.saturating_sub(self.requests.len())));
            if self.requests.is_empty() {
                break;
            }
            self.take_piece();
        }
        self.sequencer.facts().len()
    }

    /// Decides the next requests, for whose memory it waits together, as long as there is room.
    fn take_piece(&mut self) {
        self.sequencer.foresee(self.requests.iter().map(|(_, request)| request));
        while !self.sequencer.is_full() {
            let Some((ticket, request)) = self.requests.pop_front() else { break };
            self.sequencer.take(ticket, request);
        }
    }

    /// Makes the round's facts durable. Without facts there is nothing to do.
    ///
    /// # Errors
    /// Nothing of the round may be answered, and no further round will work: the process must say so and exit.
    ///
    /// # Panics
    /// When the journal and the engine count differently.
    pub fn commit(&mut self) -> Result<(), AppendError> {
        self.batch.clear();
        for fact in self.sequencer.facts() {
            if planted!(LoseLastFact) && self.batch.len() > 2 {
                break;
            }
            self.batch.push_with(|payload| codec::encode(fact, payload));
        }
        let tip = self.journal.append(&self.batch, self.sequencer.time())?;
        assert_eq!(tip.seq, self.sequencer.state().seq(), "journal and engine count alike");
        self.committed = true;
        Ok(())
    }

    /// Publishes what the round brought, and hands out its outcomes.
    ///
    /// # Panics
    /// When the round was not committed: nothing is answered before it is durable.
    pub fn release(&mut self) -> Outcomes<'_, T> {
        assert!(std::mem::take(&mut self.committed), "nothing is answered before it is durable");
        self.publisher.publish(self.sequencer.state(), self.sequencer.facts());
        self.sequencer.release()
    }

    /// The round's facts; durable between `commit` and `release`.
    pub fn facts(&self) -> &[Fact] {
        self.sequencer.facts()
    }

    /// Requests that were taken from the inbox but wait for the next round.
    pub fn waiting_count(&self) -> usize {
        self.requests.len()
    }

    /// Bytes of the records of the batch that was committed last.
    pub fn batch_size_bytes(&self) -> usize {
        self.batch.size_bytes()
    }

    /// The state; durable between rounds.
    pub fn state(&self) -> &State {
        self.sequencer.state()
    }

    /// The journal.
    pub fn journal(&self) -> &J {
        &self.journal
    }

    /// Drops facts before `seq`, which snapshots stand for, in whole segments; says how many.
    ///
    /// # Errors
    /// As [`Shard::commit`].
    pub fn truncate_before(&mut self, seq: Seq) -> Result<u64, TruncateError> {
        self.journal.truncate_before(seq)
    }
}
