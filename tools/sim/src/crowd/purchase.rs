//! One wish of one buyer, from the first click to the end of its story.

use std::collections::VecDeque;

use domain::{BuyerId, KeyDigest, OrderView, UnixMs, Wishes};

use super::Deed;
use crate::place::SaleRef;

/// How long somebody waits for an answer before asking again.
pub const PATIENCE_MS: u64 = 700;

/// What time it is.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// What really passed.
    pub elapsed_ms: u64,
    /// The latest instant that the machine's clock showed.
    pub latest: UnixMs,
}

/// One wish of one buyer.
#[derive(Clone, Debug)]
pub struct Purchase {
    /// Who.
    pub buyer: BuyerId,
    /// Under which key.
    pub key: KeyDigest,
    /// Of which sale.
    pub sale: SaleRef,
    /// Which units.
    pub wishes: Wishes,
    /// The order as its first answer left the edge, whether or not the buyer got it; and when.
    pub given: Option<(OrderView, u64)>,
    /// The order as it was first answered to the buyer.
    pub order: Option<OrderView>,
    /// How often it was asked for without an answer.
    pub unanswered: u64,
    /// What the buyer, and the organiser after them, will do with the order, one after the other.
    pub todo: VecDeque<Deed>,
    /// What the provider will call about, each in its own time.
    pub calls: Vec<Call>,
    /// When the buyer asks again.
    asks_again_ms: Option<u64>,
    refused: bool,
}

/// A call of the payment provider, made again until it is answered.
#[derive(Clone, Debug)]
pub struct Call {
    /// What it says.
    pub deed: Deed,
    /// How long after the order was made it comes.
    pub delay_ms: u64,
    /// Not before this instant, once it was made.
    asks_again_ms: Option<u64>,
    is_answered: bool,
}

impl Call {
    /// A call that comes so long after the order was made.
    pub fn new(deed: Deed, delay_ms: u64) -> Call {
        Call { deed, delay_ms, asks_again_ms: None, is_answered: false }
    }
}

impl Purchase {
    pub(super) fn new(buyer: BuyerId, key: KeyDigest, sale: SaleRef, wishes: Wishes) -> Purchase {
        Purchase {
            buyer,
            key,
            sale,
            wishes,
            given: None,
            order: None,
            unanswered: 0,
            todo: VecDeque::new(),
            calls: Vec::new(),
            asks_again_ms: None,
            refused: false,
        }
    }

    /// What the buyer asks for now.
    pub(super) fn due(&mut self, moment: Moment) -> Option<Deed> {
        if self.asks_again_ms.is_some_and(|instant| moment.elapsed_ms < instant) {
            return None;
        }
        match &self.order {
            None if self.refused => None,
            None => Some(Deed::Place),
            Some(order) => {
                if self.todo.front() == Some(&Deed::AwaitEnd) && moment.latest >= order.expires_at {
                    self.todo.pop_front();
                }
                self.todo.front().filter(|deed| **deed != Deed::AwaitEnd).cloned()
            }
        }
    }

    /// What the provider says now.
    pub(super) fn calls_due(&self, moment: Moment) -> impl Iterator<Item = (usize, Deed)> {
        let given_ms = self.given.as_ref().map(|(_, given_ms)| *given_ms);
        let is_due = move |call: &Call| {
            let first_ms = given_ms.map(|given_ms| given_ms + call.delay_ms);
            let instant = call.asks_again_ms.or(first_ms);
            !call.is_answered && instant.is_some_and(|instant| instant <= moment.elapsed_ms)
        };
        let calls = self.calls.iter().enumerate().filter(move |(_, call)| is_due(call));
        calls.map(|(index, call)| (index, call.deed.clone()))
    }

    /// The buyer has asked, and waits; says whether no answer had come to the same question before.
    pub fn asked(&mut self, elapsed_ms: u64) -> bool {
        let is_again = self.asks_again_ms.replace(elapsed_ms + PATIENCE_MS).is_some();
        self.unanswered += u64::from(is_again && self.order.is_none());
        is_again
    }

    /// The provider has called, and waits.
    pub fn called(&mut self, call: usize, elapsed_ms: u64) {
        self.calls[call].asks_again_ms = Some(elapsed_ms + PATIENCE_MS);
    }

    /// Somebody was told to come again later.
    pub fn told_to_wait(&mut self, until_ms: u64) {
        self.asks_again_ms = Some(until_ms);
    }

    /// The provider was told to come again later.
    pub fn call_told_to_wait(&mut self, call: usize, until_ms: u64) {
        self.calls[call].asks_again_ms = Some(until_ms);
    }

    /// The buyer got the order.
    pub fn placed(&mut self, first: &OrderView) {
        if self.order.is_none() {
            self.order = Some(first.clone());
            self.asks_again_ms = None;
        }
    }

    /// The answer was no.
    pub fn refuse(&mut self) {
        self.refused |= self.order.is_none();
    }

    /// That deed is done.
    pub fn done(&mut self, deed: &Deed) {
        if self.order.is_some() && self.todo.front() == Some(deed) {
            self.todo.pop_front();
            self.asks_again_ms = None;
        }
    }

    /// That call is answered.
    pub fn call_done(&mut self, call: usize) {
        self.calls[call].is_answered = true;
    }

    pub(super) fn reconsider(&mut self) {
        if self.unanswered > 0 && self.order.is_none() {
            self.refused = false;
        }
    }

    pub(super) fn lose_patience(&mut self) {
        self.asks_again_ms = self.asks_again_ms.map(|_| 0);
        self.calls.iter_mut().for_each(|call| call.asks_again_ms = call.asks_again_ms.map(|_| 0));
    }

    pub(super) fn is_content(&self) -> bool {
        let buyer_is = if self.order.is_some() { self.todo.is_empty() } else { self.refused };
        buyer_is && (self.given.is_none() || self.calls.iter().all(|call| call.is_answered))
    }
}
