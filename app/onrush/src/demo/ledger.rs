//! The clients' own record of what they were told. It is written from answers only, and compared with the
//! journal at the end.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::wire::OrderAnswer;

/// Latencies above this are recorded as this: a minute in microseconds.
const LATENCY_US_MAX: u64 = 60_000_000;

/// What the crowd was told.
pub(crate) struct Ledger {
    /// Every acknowledged order by its code.
    pub(crate) orders: BTreeMap<String, OrderEntry>,
    /// The order that each key brought, with the number of answers.
    keys: BTreeMap<Key, KeyEntry>,
    pub(crate) counts: Counts,
    /// Refusals of order requests by their code.
    pub(crate) refused: BTreeMap<String, u64>,
    /// Answers that nobody should get: faults of the server, and refusals that the plan does not bring about.
    pub(crate) faults: BTreeMap<String, u64>,
    /// From the instant at which an order was meant to be sent to its answer, in microseconds.
    latency_us: Histogram<u64>,
    opening: Instant,
    acknowledged_by_second: Vec<u64>,
    last_acknowledged: Option<Instant>,
}

/// A buyer's idempotency key: the buyer's number and the attempt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Key {
    pub(crate) buyer: u32,
    pub(crate) attempt: u32,
}

/// An acknowledged order.
#[derive(Clone, Debug)]
pub(crate) struct OrderEntry {
    pub(crate) key: Key,
    /// The first answer.
    pub(crate) first: OrderAnswer,
    /// The state in the latest answer.
    pub(crate) state: String,
}

struct KeyEntry {
    first: OrderAnswer,
    answers: u32,
    has_second_outcome: bool,
}

/// Counted as it happens.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Counts {
    pub(crate) arrived: u64,
    pub(crate) came_back: u64,
    pub(crate) gave_up: u64,
    pub(crate) order_requests: u64,
    /// Requests that found the server too busy, and came again.
    pub(crate) put_off: u64,
    /// Requests without an answer. What became of them is unknown until they are asked again.
    pub(crate) unanswered: u64,
    pub(crate) keys_clicked_twice: u64,
}

/// The latencies so far, in milliseconds.
#[derive(Clone, Copy, Default, Debug, serde::Serialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

impl Ledger {
    pub(crate) fn new(opening: Instant) -> Ledger {
        Ledger {
            orders: BTreeMap::new(),
            keys: BTreeMap::new(),
            counts: Counts::default(),
            refused: BTreeMap::new(),
            faults: BTreeMap::new(),
            latency_us: Histogram::new_with_max(LATENCY_US_MAX, 3).expect("the bounds are legal"),
            opening,
            acknowledged_by_second: Vec::new(),
            last_acknowledged: None,
        }
    }

    /// An order request was answered, whatever the answer.
    pub(crate) fn answered(&mut self, intended: Instant) {
        self.counts.order_requests += 1;
        let waited_us = u64::try_from(intended.elapsed().as_micros()).unwrap_or(LATENCY_US_MAX);
        self.latency_us.saturating_record(waited_us);
    }

    /// An order was acknowledged.
    pub(crate) fn acknowledged(&mut self, key: Key, answer: &OrderAnswer) {
        match self.keys.entry(key) {
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.answers += 1;
                known.has_second_outcome |= known.first != *answer;
            }
            Entry::Vacant(place) => {
                place.insert(KeyEntry { first: answer.clone(), answers: 1, has_second_outcome: false });
            }
        }
        if !self.orders.contains_key(&answer.order) {
            self.count_order();
            let entry = OrderEntry { key, first: answer.clone(), state: answer.state.clone() };
            self.orders.insert(answer.order.clone(), entry);
        }
    }

    fn count_order(&mut self) {
        let now = Instant::now();
        self.last_acknowledged = Some(now);
        let second = now.saturating_duration_since(self.opening).as_secs();
        let second = usize::try_from(second).expect("a demo is shorter than 136 years");
        if self.acknowledged_by_second.len() <= second {
            self.acknowledged_by_second.resize(second + 1, 0);
        }
        self.acknowledged_by_second[second] += 1;
    }

    /// The latest word about an order.
    pub(crate) fn seen(&mut self, answer: &OrderAnswer) {
        match self.orders.get_mut(&answer.order) {
            Some(entry) => entry.state.clone_from(&answer.state),
            None => self.fault("an answer about an order that was never acknowledged"),
        }
    }

    /// An order request was refused.
    pub(crate) fn refused(&mut self, code: &str) {
        *self.refused.entry(code.to_owned()).or_default() += 1;
    }

    /// Something was answered that should not be.
    pub(crate) fn fault(&mut self, what: &str) {
        *self.faults.entry(what.to_owned()).or_default() += 1;
    }

    /// Keys whose answers were not all the same one.
    pub(crate) fn keys_with_two_outcomes(&self) -> u64 {
        let two = self.keys.values().filter(|entry| entry.has_second_outcome).count();
        u64::try_from(two).expect("a count fits")
    }

    /// Keys that brought an order and were answered more than once.
    pub(crate) fn keys_answered_again(&self) -> u64 {
        let again = self.keys.values().filter(|entry| entry.answers > 1).count();
        u64::try_from(again).expect("a count fits")
    }

    /// The units of the orders that the clients last saw in that state.
    pub(crate) fn unit_count(&self, state: &str) -> u64 {
        let fits = self.orders.values().filter(|entry| entry.state == state);
        fits.map(|entry| u64::from(entry.first.unit_count())).sum()
    }

    /// From the opening to the last acknowledged order.
    pub(crate) fn selling_time(&self) -> Duration {
        self.last_acknowledged.map_or(Duration::ZERO, |last| last.saturating_duration_since(self.opening))
    }

    /// The most orders that were acknowledged in one second.
    pub(crate) fn orders_per_second_peak(&self) -> u64 {
        self.acknowledged_by_second.iter().copied().max().unwrap_or(0)
    }

    pub(crate) fn latency(&self) -> Latency {
        let to_ms = |us: u64| f64::from(u32::try_from(us).unwrap_or(u32::MAX)) / 1_000.0;
        let at = |quantile| to_ms(self.latency_us.value_at_quantile(quantile));
        let max = to_ms(self.latency_us.max());
        Latency { p50: at(0.5), p99: at(0.99), p999: at(0.999), max }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::wire::TotalAnswer;

    fn answer(order: &str, seq: u64) -> OrderAnswer {
        OrderAnswer {
            order: order.to_owned(),
            state: "held".to_owned(),
            lines: Vec::new(),
            total: TotalAnswer { amount: 1, currency: "EUR".to_owned() },
            expires_at: String::new(),
            seq,
            payments_failed: 0,
        }
    }

    const KEY: Key = Key { buyer: 1, attempt: 0 };

    #[test]
    fn same_answer_twice_is_one_outcome() {
        let mut ledger = Ledger::new(Instant::now());
        ledger.acknowledged(KEY, &answer("A", 1));
        ledger.acknowledged(KEY, &answer("A", 1));
        assert_eq!((ledger.keys_with_two_outcomes(), ledger.keys_answered_again()), (0, 1));
        assert_eq!(ledger.orders.len(), 1);
    }

    #[test]
    fn second_order_under_a_key_and_a_changed_answer_are_second_outcomes() {
        let mut ledger = Ledger::new(Instant::now());
        ledger.acknowledged(KEY, &answer("A", 1));
        ledger.acknowledged(KEY, &answer("B", 2));
        let other = Key { buyer: 2, ..KEY };
        ledger.acknowledged(other, &answer("C", 3));
        ledger.acknowledged(other, &answer("C", 4));
        assert_eq!(ledger.keys_with_two_outcomes(), 2);
        assert_eq!(ledger.orders.len(), 3);
    }

    #[test]
    fn word_about_an_unknown_order_is_a_fault() {
        let mut ledger = Ledger::new(Instant::now());
        ledger.seen(&answer("A", 1));
        assert_eq!(ledger.faults.values().sum::<u64>(), 1);
    }
}
