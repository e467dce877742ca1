//! One order for all: stamps time, decides each request on what the earlier ones left, gathers one batch of
//! facts, and holds every answer back until that batch is durable.
//!
//! Steps, no threads: whoever owns a [`Sequencer`] calls [`begin`](Sequencer::begin), then
//! [`take`](Sequencer::take) for each request, writes [`facts`](Sequencer::facts) to the journal, and calls
//! [`release`](Sequencer::release) when, and only when, they are durable. It knows neither journal nor clock.
#![no_std]

extern crate alloc;

mod standing;

use alloc::vec::Vec;

use domain::{Answer, Command, Fact, Refusal, Request, Term, UnixMs, limits, planted};
use engine::State;

use standing::Standing;

/// What a request comes to: the answer, or the refusal.
pub type Outcome = Result<Answer, Refusal>;

/// The sequencer of one shard. `T` is the ticket that says where an outcome goes.
pub struct Sequencer<T> {
    state: State,
    time: UnixMs,
    facts: Vec<Fact>,
    held_back: Vec<(T, Outcome)>,
    standing: Standing,
}

impl<T> Sequencer<T> {
    /// Goes on from a recovered state whose last fact was stamped `time`.
    pub fn new(state: State, time: UnixMs) -> Sequencer<T> {
        Sequencer { state, time, facts: Vec::new(), held_back: Vec::new(), standing: Standing::Idle }
    }

    /// The leader's first fact. It goes into the first batch.
    ///
    /// # Panics
    /// When a batch was begun already.
    pub fn start_term(&mut self, term: Term) {
        assert_eq!(self.standing, Standing::Idle, "a term starts before the first batch");
        self.commit(Fact::TermStarted { term });
    }

    /// Begins a batch: stamps it and lets the clock act first, so that every request finds sales opened and holds
    /// expired as of now. Time never runs backwards: a clock that jumped back stands still here.
    ///
    /// # Panics
    /// When the batch before was not released.
    pub fn begin(&mut self, clock: UnixMs) {
        self.standing = self.standing.begin();
        self.time = if planted!(LetTimeRunBack) { clock } else { self.time.max(clock) };
        if !engine::decide::is_quiet(&self.state, self.time) {
            let facts = engine::decide(&self.state, &Command::Tick, self.time);
            facts.expect("a tick is never refused").into_iter().for_each(|fact| self.commit(fact));
        }
    }

    /// Takes the next request.
    ///
    /// # Panics
    /// When no batch was begun.
    pub fn take(&mut self, ticket: T, request: Request) {
        assert_eq!(self.standing, Standing::Filling, "a request comes between begin and seal");
        let outcome = match request {
            Request::Command(command) => self.decide(&command),
            Request::ShowOrder { order, by } => engine::show_order(&self.state, order, by).map(Answer::Order),
        };
        self.held_back.push((ticket, outcome));
    }

    /// Whether the batch should be written before more is taken.
    pub fn is_full(&self) -> bool {
        self.facts.len() >= limits::BATCH_FACT_COUNT_MAX
            || self.held_back.len() >= limits::BATCH_FACT_COUNT_MAX
    }

    /// The facts of the batch, to be made durable in this order. Empty when nothing changed.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// The batch's stamp.
    pub fn time(&self) -> UnixMs {
        self.time
    }

    /// Fetches what deciding these requests will need, some dozens ahead of [`Sequencer::take`].
    pub fn foresee<'a>(&'a self, requests: impl Iterator<Item = &'a Request>) {
        let command = |request: &'a Request| match request {
            Request::Command(command) => Some(command),
            Request::ShowOrder { .. } => None,
        };
        engine::foresee(&self.state, requests.filter_map(command));
    }

    /// The batch's facts are durable: hands out the outcomes in the order of the requests.
    ///
    /// # Panics
    /// When no batch was begun.
    pub fn release(&mut self) -> alloc::vec::Drain<'_, (T, Outcome)> {
        self.standing = self.standing.release();
        self.facts.clear();
        self.held_back.drain(..)
    }

    /// The state with the batch's facts: durable only between `release` and `begin`.
    pub fn state(&self) -> &State {
        &self.state
    }

    fn decide(&mut self, command: &Command) -> Outcome {
        let facts = engine::decide(&self.state, command, self.time)?;
        facts.iter().for_each(|fact| engine::apply(&mut self.state, fact));
        let answer = engine::answer(&self.state, command, &facts);
        self.facts.extend(facts);
        Ok(answer)
    }

    fn commit(&mut self, fact: Fact) {
        engine::apply(&mut self.state, &fact);
        self.facts.push(fact);
    }
}

#[cfg(test)]
mod tests;
