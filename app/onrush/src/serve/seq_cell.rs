//! A position that goes from one thread to another.

use domain::Seq;

use super::sync::{AtomicU64, Ordering};

/// A position that one thread sets and another takes.
#[derive(Default)]
pub(crate) struct SeqCell(AtomicU64);

impl SeqCell {
    pub(crate) fn set(&self, seq: Seq) {
        self.0.store(seq.0, Ordering::Release);
    }

    pub(crate) fn get(&self) -> Seq {
        Seq(self.0.load(Ordering::Acquire))
    }

    /// The position, once.
    pub(crate) fn take(&self) -> Option<Seq> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            _ => Some(Seq(self.0.swap(0, Ordering::AcqRel))),
        }
    }
}
