//! What will go into an [`Index`](super::index::Index), written down by the part where it will stand.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::index::{PART_COUNT, split};

/// Entries for an index, by part: while they are put in, one part after the other, all that is touched is in the
/// processor's cache (radix partitioning; S. Manegold, P. Boncz, M. Kersten, "Optimizing main-memory join on modern
/// hardware", 2002). The parts have nothing in common, so several threads may put them in.
pub(crate) struct Later<T> {
    parts: Box<[Noted<T>]>,
    len: usize,
}

/// What was written down for one part, each with its hash as far as the part looks at it.
pub(crate) type Noted<T> = Vec<(u32, T)>;

impl<T> Later<T> {
    pub(crate) fn new() -> Later<T> {
        Later { parts: (0..PART_COUNT).map(|_| Vec::new()).collect(), len: 0 }
    }

    /// With room for so many entries, if their hashes are as even as they should be; memory is touched where it is used only.
    pub(crate) fn with_capacity(count: usize) -> Later<T> {
        let part_len = count / PART_COUNT;
        // An eighth more than the mean: of some ten thousand entries, no part has that by chance.
        let room = part_len + part_len / 8;
        Later { parts: (0..PART_COUNT).map(|_| Vec::with_capacity(room)).collect(), len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn push(&mut self, hash: u64, entry: T) {
        let (part, hash) = split(hash);
        self.parts[part].push((hash, entry));
        self.len += 1;
    }

    /// What was written down, part by part, and within a part in the order in which it was.
    pub(crate) fn parts_mut(&mut self) -> &mut [Noted<T>] {
        &mut self.parts
    }
}
