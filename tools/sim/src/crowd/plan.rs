//! What will be done with an order.

use std::collections::VecDeque;

use domain::{KeyDigest, PaymentId};

use super::{Call, Deed};
use crate::dice::Dice;
use crate::place::SaleRef;

/// The payment of that number for the purchase of that key.
pub fn payment(key: KeyDigest, number: u64) -> PaymentId {
    PaymentId::from_text(&format!("pay-{}-{number}", key.0))
}

/// What one buyer will do with one order, and what the provider will say about it. `other` is another sale of the same
/// shard.
pub(super) fn plan(dice: &mut Dice, key: KeyDigest, other: Option<SaleRef>) -> (VecDeque<Deed>, Vec<Call>) {
    let (todo, calls) = if dice.below(2) == 0 { one_by_one(dice, key) } else { at_once(dice, key) };
    (with_extras(dice, key, other, todo).into(), calls)
}

/// Everything waits for what was before.
fn one_by_one(dice: &mut Dice, key: KeyDigest) -> (Vec<Deed>, Vec<Call>) {
    let [first, second, third] = [1, 2, 3].map(|number| payment(key, number));
    let restock = dice.below(2) == 0;
    let start = Deed::StartRefund { restock };
    let todo = match dice.below(14) {
        0 | 1 => vec![Deed::Pay(first)],
        2 => vec![Deed::PayInVain(third), Deed::Pay(first)],
        3 => vec![Deed::AwaitEnd, Deed::Pay(first)],
        4 => vec![],
        5 => vec![Deed::Cancel],
        6 => vec![Deed::Cancel, Deed::Pay(first), Deed::EndRefund],
        7 => vec![Deed::Extend(key), Deed::Pay(first)],
        8 => vec![Deed::Extend(key), Deed::Extend(KeyDigest(!key.0)), Deed::AwaitEnd],
        9 => vec![Deed::Pay(first), Deed::Pay(second), Deed::FailReturn(second), Deed::ReturnSurplus(second)],
        10 => vec![Deed::Pay(first), start, Deed::EndRefund],
        11 => vec![Deed::Pay(first), start, Deed::FailRefund],
        12 => vec![Deed::Pay(first), start.clone(), Deed::FailRefund, start, Deed::EndRefund],
        _ => vec![Deed::AwaitEnd, Deed::Pay(first), Deed::Pay(second)],
    };
    (todo, Vec::new())
}

/// The provider does not wait for anybody: early, late, twice, in the wrong order.
fn at_once(dice: &mut Dice, key: KeyDigest) -> (Vec<Deed>, Vec<Call>) {
    let [first, second] = [1, 2].map(|number| payment(key, number));
    let early = |dice: &mut Dice, deed| Call::new(deed, dice.below(300));
    let late = |dice: &mut Dice, deed| Call::new(deed, dice.between(500, 9_000));
    match dice.below(9) {
        0 | 1 => (vec![], vec![early(dice, Deed::Pay(first))]),
        2 => (vec![Deed::Cancel], vec![early(dice, Deed::Pay(first))]),
        3 => (vec![Deed::Extend(key)], vec![late(dice, Deed::Pay(first))]),
        4 => (vec![], vec![late(dice, Deed::Pay(first)), early(dice, Deed::Pay(second))]),
        5 => (vec![], vec![early(dice, Deed::Pay(first)), late(dice, Deed::PayInVain(first))]),
        6 => (vec![], vec![early(dice, Deed::PayInVain(first)), late(dice, Deed::Pay(first))]),
        7 => (vec![], vec![early(dice, Deed::Pay(first)), late(dice, Deed::Pay(first))]),
        _ => (vec![Deed::Cancel], vec![late(dice, Deed::Pay(first)), late(dice, Deed::Pay(second))]),
    }
}

/// What anybody may do at any time.
fn with_extras(dice: &mut Dice, key: KeyDigest, other: Option<SaleRef>, mut todo: Vec<Deed>) -> Vec<Deed> {
    let wrong = Deed::PayWrong(payment(key, 3));
    let mut extras = vec![Deed::AskAgain, Deed::AskOther, Deed::Look, Deed::Spy, wrong];
    extras.extend(other.map(Deed::AskElsewhere));
    for extra in extras {
        if dice.below(6) == 0 {
            todo.insert(dice.index(todo.len() + 1), extra);
        }
    }
    todo
}
