//! Where to look first. Every answer about an order or a stock names the position of its fact in the journal; this
//! lays the operations of a history in a row by those positions, and the questions between them as soon as they
//! fit.
//!
//! The positions are the server's word, so they prove nothing. They only spare the search: a row that is found is
//! checked against the clients' instants and by the checker like any other, and a wrong one leads nowhere. What has no
//! position, because its client lost the answer, is tried wherever a change is due: this searches too, with few choices.

use std::collections::HashSet;

use crate::history::{NOWHERE, Recorded};
use crate::model::Item;

/// Choices that may be tried for one history.
const CHOICE_COUNT_MAX: usize = 20_000;

/// The operations in a row, if one is found that agrees with the positions.
pub(crate) fn row(operations: &[Recorded]) -> Option<Vec<usize>> {
    let calls = operations.iter().enumerate().map(|(place, recorded)| (recorded.called_at, false, place));
    let answers = operations.iter().enumerate().map(|(place, recorded)| (recorded.answered_at, true, place));
    let mut events: Vec<(u64, bool, usize)> = calls.chain(answers).collect();
    events.sort_unstable();
    let mut guide = Guide { operations, events, row: Vec::new(), tried: HashSet::new() };
    guide.follow(Situation::default()).then_some(guide.row)
}

struct Guide<'a> {
    operations: &'a [Recorded],
    /// Instant, whether it is an answer, whose.
    events: Vec<(u64, bool, usize)>,
    row: Vec<usize>,
    /// Where a change was due, and all that followed was tried.
    tried: HashSet<Situation>,
}

#[derive(Clone, PartialEq, Eq, Hash, Default)]
struct Situation {
    event_count: usize,
    item: Item,
    /// Called, and not in the row yet.
    waiting: Vec<usize>,
}

impl Guide<'_> {
    /// Goes on to the next answer whose operation does not fit yet. Nothing changes before it must, so that whoever saw
    /// the old state finds it.
    fn follow(&mut self, mut now: Situation) -> bool {
        while let Some((_, is_answer, place)) = self.events.get(now.event_count).copied() {
            if is_answer {
                self.lay_what_changes_nothing(&mut now, place);
                if now.waiting.contains(&place) {
                    return self.change(&now);
                }
            } else {
                now.waiting.push(place);
            }
            now.event_count += 1;
        }
        true
    }

    /// What was never answered may yet happen, and waits until it must be settled.
    fn lay_what_changes_nothing(&mut self, now: &mut Situation, settled: usize) {
        let Situation { item, waiting, .. } = now;
        waiting.retain(|place| {
            let operation = &self.operations[*place].operation;
            let is_due = operation.answer.is_some() || *place == settled;
            let fits = is_due && item.after(operation).is_some_and(|after| after == *item);
            if fits {
                self.row.push(*place);
            }
            !fits
        });
    }

    /// Lays the change that is next by its position, or else one of those without a position.
    fn change(&mut self, now: &Situation) -> bool {
        if self.tried.len() >= CHOICE_COUNT_MAX || !self.tried.insert(now.clone()) {
            return false;
        }
        let row_len = self.row.len();
        self.next_changes(now).into_iter().any(|(place, item)| {
            self.row.truncate(row_len);
            self.row.push(place);
            let waiting = now.waiting.iter().copied().filter(|waiting| *waiting != place).collect();
            self.follow(Situation { event_count: now.event_count, item, waiting })
        })
    }

    fn next_changes(&self, now: &Situation) -> Vec<(usize, Item)> {
        let possible = now.waiting.iter().filter_map(|place| {
            let recorded = &self.operations[*place];
            let after = now.item.after(&recorded.operation)?;
            (after != now.item).then_some((recorded.position, recorded.called_at, *place, after))
        });
        let mut possible: Vec<_> = possible.collect();
        possible.sort_unstable_by_key(|(position, called_at, ..)| (*position, *called_at));
        let next = possible.first().map_or(NOWHERE, |(position, ..)| *position);
        possible.retain(|(position, ..)| *position == next || *position == NOWHERE);
        possible.into_iter().map(|(.., place, item)| (place, item)).collect()
    }
}
