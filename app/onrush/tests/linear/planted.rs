//! Histories written by hand: the checker must find the lie in five of them, and must believe the two that only look
//! like one. Each lie stands beside the truth, so that nothing else can be the reason.

use crate::history::{History, NOWHERE, Recorded, Verdict};
use crate::model::{Answer, Call, Levels, Money, Operation, OrderState};

const HELD: Answer = Answer::Order(Money { state: OrderState::Held, payment: None, surplus: 0 });
const CANCELLED: Answer = Answer::State(OrderState::Cancelled);
const SOLD_OUT: Answer = Answer::SoldOut { left: 0 };

// covers: I1
#[test]
fn checker_rejects_an_oversold_unit() {
    check(|last| {
        let mut story = Story::of_stock(1);
        story.did(place(1, 1), Answer::Placed(1));
        story.did(place(2, 1), last);
        story
    })
    .believes(SOLD_OUT)
    .rejects(Answer::Placed(2));
}

// covers: I5
#[test]
fn checker_rejects_a_lost_acknowledged_order() {
    check(|last| {
        let mut story = Story::of_stock(2);
        story.did(place(1, 1), Answer::Placed(1));
        story.did(Call::Look { order: 1 }, last);
        story
    })
    .believes(HELD)
    .rejects(Answer::NotFound);
}

#[test]
fn checker_rejects_a_stale_read_after_an_acknowledged_write() {
    check(|last| {
        let mut story = Story::of_stock(3);
        story.did(place(1, 1), Answer::Placed(1));
        story.did(Call::LookAtLevels, last);
        story
    })
    .believes(levels(3, 2))
    .rejects(levels(3, 3));
}

// covers: I3
#[test]
fn checker_rejects_a_key_with_two_outcomes() {
    check(|last| {
        let mut story = Story::of_stock(3);
        story.did(place(1, 1), Answer::Placed(1));
        story.did(place(1, 1), last);
        story
    })
    .believes(Answer::Placed(1))
    .rejects(Answer::Placed(2));
}

// covers: I4
#[test]
fn checker_rejects_a_unit_given_back_twice() {
    check(|last| {
        let mut story = Story::of_stock(2);
        story.did(place(1, 1), Answer::Placed(1));
        story.did(place(2, 1), Answer::Placed(2));
        story.did(Call::Cancel { order: 1 }, CANCELLED);
        story.did(Call::Cancel { order: 1 }, CANCELLED);
        story.did(place(3, 1), Answer::Placed(3));
        story.did(place(4, 1), last);
        story
    })
    .believes(SOLD_OUT)
    .rejects(Answer::Placed(4));
}

/// A unit that nobody seems to have: its buyer was never answered. It is seen to be gone, given back by somebody who
/// has not been told so yet, and sold once more; and one read that began before all of this ends after it.
#[test]
fn checker_believes_what_only_overlapping_explains() {
    check(|last| {
        let mut story = Story::of_stock(2);
        let old_read = story.asks(Call::LookAtLevels);
        story.asks(place(1, 1));
        story.did(place(2, 1), Answer::Placed(2));
        story.did(place(3, 1), SOLD_OUT);
        story.did(Call::LookAtLevels, levels(2, 0));
        let cancel = story.asks(Call::Cancel { order: 2 });
        story.did(place(3, 1), Answer::Placed(3));
        story.is_told(cancel, CANCELLED);
        story.is_told(old_read, last);
        story
    })
    .believes(levels(2, 2))
    .believes(levels(2, 1))
    .believes(levels(2, 0))
    .rejects(levels(2, 3));
}

/// A client that retries under its key until it is answered has one operation, as long as all its attempts: it may
/// have had its unit from the first of them on, and others may have learnt of it before.
#[test]
fn checker_believes_a_retry_that_was_accepted_long_ago() {
    check(|last| {
        let mut story = Story::of_stock(1);
        let retried = story.asks(place(1, 1));
        story.did(place(2, 1), SOLD_OUT);
        story.did(place(1, 1), Answer::Placed(1));
        story.did(Call::Cancel { order: 1 }, CANCELLED);
        story.did(place(2, 1), Answer::Placed(2));
        story.is_told(retried, last);
        story
    })
    .believes(Answer::Placed(1))
    .rejects(Answer::Placed(3));
}

#[test]
fn shortest_unexplained_beginning_ends_with_the_lie() {
    let mut story = Story::of_stock(1);
    story.did(place(1, 1), Answer::Placed(1));
    story.asks(place(3, 1));
    story.did(place(2, 1), Answer::Placed(2));
    let lie_at = story.now;
    story.did(Call::Look { order: 1 }, HELD);
    let shortest = story.history.shortest_unexplained();
    assert_eq!(shortest.operations.iter().map(|recorded| recorded.called_at).max(), Some(lie_at - 1));
    assert_eq!(shortest.judge(), Verdict::Impossible);
}

#[test]
fn positions_lead_to_the_order_of_the_server() {
    let mut story = Story::of_stock(0);
    let asked: Vec<usize> = (0..20).map(|key| story.asks(Call::ChangeStock { key, change: 1 })).collect();
    let read = story.asks(Call::LookAtLevels);
    for (units, place) in (1..).zip(asked.into_iter().rev()) {
        story.is_told(place, levels(units, units));
        story.history.operations[place].position = u64::from(units);
    }
    story.is_told(read, levels(7, 7));
    assert!(story.history.is_as_told());
    story.history.operations[read].operation.answer = Some(levels(7, 8));
    assert!(!story.history.is_as_told());
}

/// The buyer has the key's number, and may have ten units.
fn place(key: u32, quantity: u32) -> Call {
    Call::Place { buyer: key, key, quantity }
}

/// So many are free, the others held.
fn levels(stock: u32, free: u32) -> Answer {
    let held = stock.saturating_sub(free);
    Answer::Levels(Levels { stock, free, held, ..Levels::default() })
}

/// A history in which one answer is open.
fn check<F: Fn(Answer) -> Story>(tell: F) -> Tale<F> {
    Tale(tell)
}

struct Tale<F>(F);

impl<F: Fn(Answer) -> Story> Tale<F> {
    #[track_caller]
    fn believes(self, answer: Answer) -> Tale<F> {
        let history = (self.0)(answer).history;
        assert!(matches!(history.judge(), Verdict::Linearizable { .. }), "{answer:?} is true:\n{history}");
        self
    }

    #[track_caller]
    fn rejects(self, answer: Answer) -> Tale<F> {
        let history = (self.0)(answer).history;
        assert_eq!(history.judge(), Verdict::Impossible, "{answer:?} is a lie:\n{history}");
        assert!(!history.is_as_told(), "{answer:?} is a lie:\n{history}");
        self
    }
}

/// A history as it is being told.
struct Story {
    history: History,
    now: u64,
}

impl Story {
    fn of_stock(stock: u32) -> Story {
        Story { history: History { operations: vec![Recorded::announcement(stock, 10)] }, now: 0 }
    }

    /// A call that is answered before anything else happens.
    fn did(&mut self, call: Call, answer: Answer) {
        let place = self.asks(call);
        self.is_told(place, answer);
    }

    fn asks(&mut self, call: Call) -> usize {
        self.now += 1;
        let operation = Operation { call, answer: None };
        let (called_at, answered_at) = (self.now, u64::MAX);
        self.history.operations.push(Recorded { operation, called_at, answered_at, position: NOWHERE });
        self.history.operations.len() - 1
    }

    fn is_told(&mut self, place: usize, answer: Answer) {
        self.now += 1;
        let recorded = &mut self.history.operations[place];
        (recorded.operation.answer, recorded.answered_at) = (Some(answer), self.now);
    }
}
