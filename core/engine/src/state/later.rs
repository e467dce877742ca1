//! What will go into an [`Index`](super::index::Index), written down by the part where it will stand.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::index::{PART_COUNT, split, whole};

/// Entries for an index, by part: while they are put in, one part after the other, all that is touched is in the
/// processor's cache (radix partitioning; S. Manegold, P. Boncz, M. Kersten, "Optimizing main-memory join on modern
/// hardware", 2002).
pub(crate) struct Later<T> {
    parts: Box<[Vec<(u32, T)>]>,
    len: usize,
}

impl<T> Later<T> {
    pub(crate) fn new() -> Later<T> {
        Later { parts: (0..PART_COUNT).map(|_| Vec::new()).collect(), len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn push(&mut self, hash: u64, entry: T) {
        let (part, hash) = split(hash);
        self.parts[part].push((hash, entry));
        self.len += 1;
    }

    /// Everything with its hash, as far as an index looks at it, part by part, and within a part in the order in
    /// which it was written down.
    pub(crate) fn into_parts(self) -> impl Iterator<Item = (u64, T)> {
        let parts = self.parts.into_iter().enumerate();
        parts.flat_map(|(part, entries)| {
            entries.into_iter().map(move |(hash, entry)| (whole(part, hash), entry))
        })
    }
}
