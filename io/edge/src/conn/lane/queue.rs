//! The requests of a connection whose answers are not written, in their order.

use std::collections::VecDeque;

/// A request in its turn.
pub(super) enum Slot<W> {
    Waiting(W),
    /// Answered, but not its turn.
    Answered(Vec<u8>),
}

/// Requests in their order. Nearly always there is one at most, which needs no memory of its own.
pub(super) struct Queue<W> {
    pub(super) first: Option<Slot<W>>,
    #[expect(clippy::box_collection, reason = "every connection has room for this, and nearly none has it")]
    others: Option<Box<VecDeque<Slot<W>>>>,
}

impl<W> Queue<W> {
    pub(super) fn new() -> Queue<W> {
        Queue { first: None, others: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.as_ref().map_or(0, |others| others.len())
    }

    pub(super) fn push(&mut self, slot: Slot<W>) {
        match self.first {
            None => self.first = Some(slot),
            Some(_) => self.others.get_or_insert_default().push_back(slot),
        }
    }

    pub(super) fn pop(&mut self) {
        self.first = self.others.as_mut().and_then(|others| others.pop_front());
        if self.first.is_none() {
            self.others = None;
        }
    }
}
