//! The charges that the simulator knows of, bounded: the oldest settled ones are forgotten first.

use std::collections::{HashMap, VecDeque};

use super::wire::{ChargeAnswer, ChargeBody};
use crate::provider::ChargeStatus;

/// The charges, by payment and by idempotency key.
pub(crate) struct Book {
    charges: HashMap<String, Entry>,
    payment_by_key: HashMap<String, String>,
    /// Payments in the order in which they were entered.
    oldest: VecDeque<String>,
    charge_count_max: usize,
}

struct Entry {
    body: ChargeBody,
    status: ChargeStatus,
    /// Whether a callback is still to come.
    waits: bool,
}

/// What became of entering a charge.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Entered {
    New(ChargeAnswer),
    Known(ChargeAnswer),
    KeyReused,
    Full,
}

impl Book {
    pub(crate) fn new(charge_count_max: usize) -> Book {
        let (charges, payment_by_key, oldest) = (HashMap::new(), HashMap::new(), VecDeque::new());
        Book { charges, payment_by_key, oldest, charge_count_max }
    }

    /// Enters a charge under the name `payment`. The same key with the same charge is the same charge.
    pub(crate) fn enter(&mut self, payment: &str, body: ChargeBody) -> Entered {
        if let Some(known) = self.payment_by_key.get(&body.idempotency_key) {
            return match self.charges.get(known) {
                Some(entry) if entry.body == body => Entered::Known(entry.answer(known)),
                _ => Entered::KeyReused,
            };
        }
        if !self.make_room() {
            return Entered::Full;
        }
        let entry = Entry { status: ChargeStatus::Pending, waits: true, body };
        let answer = entry.answer(payment);
        self.payment_by_key.insert(entry.body.idempotency_key.clone(), payment.to_owned());
        self.oldest.push_back(payment.to_owned());
        self.charges.insert(payment.to_owned(), entry);
        Entered::New(answer)
    }

    pub(crate) fn get(&self, payment: &str) -> Option<ChargeAnswer> {
        self.charges.get(payment).map(|entry| entry.answer(payment))
    }

    /// The charge's fate is known from now on.
    pub(crate) fn settle(&mut self, payment: &str, status: ChargeStatus) {
        if let Some(entry) = self.charges.get_mut(payment) {
            entry.status = status;
        }
    }

    /// No callback will come any more: the charge may be forgotten when room is needed.
    pub(crate) fn finish(&mut self, payment: &str) {
        if let Some(entry) = self.charges.get_mut(payment) {
            entry.waits = false;
        }
    }

    fn make_room(&mut self) -> bool {
        if self.charges.len() < self.charge_count_max {
            return true;
        }
        let is_done = |payment: &String| self.charges.get(payment).is_none_or(|entry| !entry.waits);
        let Some(place) = self.oldest.iter().position(is_done) else { return false };
        if let Some(entry) = self.oldest.remove(place).and_then(|payment| self.charges.remove(&payment)) {
            self.payment_by_key.remove(&entry.body.idempotency_key);
        }
        true
    }
}

impl Entry {
    fn answer(&self, payment: &str) -> ChargeAnswer {
        ChargeAnswer {
            payment: payment.to_owned(),
            order: self.body.order.clone(),
            amount: self.body.amount,
            currency: self.body.currency.clone(),
            status: self.status,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charge(key: &str) -> ChargeBody {
        ChargeBody {
            order: "ORDER".to_owned(),
            amount: 100,
            currency: "EUR".to_owned(),
            callback_url: "http://127.0.0.1:1/".to_owned(),
            idempotency_key: key.to_owned(),
        }
    }

    #[test]
    fn same_key_is_the_same_charge_and_another_charge_under_it_is_refused() {
        let mut book = Book::new(10);
        assert!(matches!(book.enter("p1", charge("k")), Entered::New(_)));
        book.settle("p1", ChargeStatus::Failed);
        let Entered::Known(again) = book.enter("p2", charge("k")) else { panic!("known") };
        assert_eq!((again.payment.as_str(), again.status), ("p1", ChargeStatus::Failed));
        let dearer = ChargeBody { amount: 101, ..charge("k") };
        assert_eq!(book.enter("p3", dearer), Entered::KeyReused);
    }

    #[test]
    fn full_book_forgets_what_is_done_and_keeps_what_waits() {
        let mut book = Book::new(2);
        assert!(matches!(book.enter("p1", charge("k1")), Entered::New(_)));
        assert!(matches!(book.enter("p2", charge("k2")), Entered::New(_)));
        assert_eq!(book.enter("p3", charge("k3")), Entered::Full);
        book.finish("p2");
        assert!(matches!(book.enter("p3", charge("k3")), Entered::New(_)));
        assert!(book.get("p1").is_some() && book.get("p2").is_none());
    }
}
