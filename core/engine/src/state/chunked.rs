//! A list and a queue that grow without ever copying themselves.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Entries in one chunk.
const CHUNK_LEN: usize = 1 << 14;

/// Like a `Vec`, but made of chunks that stay where they are: growing costs one allocation of a fixed size
/// and no pause, however long the list is. Entries are never removed.
pub(crate) struct Chunked<T> {
    chunks: Vec<Vec<T>>,
    len: usize,
}

impl<T> Chunked<T> {
    pub(crate) fn with_capacity(capacity: usize) -> Chunked<T> {
        let chunk_count = capacity.div_ceil(CHUNK_LEN);
        Chunked { chunks: (0..chunk_count).map(|_| Vec::with_capacity(CHUNK_LEN)).collect(), len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn push(&mut self, entry: T) {
        let chunk = self.len / CHUNK_LEN;
        if chunk == self.chunks.len() {
            self.chunks.push(Vec::with_capacity(CHUNK_LEN));
        }
        self.chunks[chunk].push(entry);
        self.len += 1;
    }

    pub(crate) fn get(&self, index: usize) -> &T {
        &self.chunks[index / CHUNK_LEN][index % CHUNK_LEN]
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> &mut T {
        &mut self.chunks[index / CHUNK_LEN][index % CHUNK_LEN]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> + Clone {
        self.chunks.iter().flatten()
    }

    /// The number of entries for which `before` holds; they must stand in front of all others.
    pub(crate) fn partition_point(&self, before: impl Fn(&T) -> bool) -> usize {
        let used = &self.chunks[..self.len.div_ceil(CHUNK_LEN)];
        let chunk = used.partition_point(|chunk| before(&chunk[0])).saturating_sub(1);
        match used.get(chunk) {
            Some(entries) => chunk * CHUNK_LEN + entries.partition_point(before),
            None => 0,
        }
    }
}

/// First in, first out, made of chunks: growing never copies entries, and emptied chunks are used again.
pub(crate) struct Fifo<T> {
    chunks: VecDeque<Vec<T>>,
    /// Entries of the first chunk that are gone.
    gone: usize,
    /// Emptied chunks.
    spare: Vec<Vec<T>>,
}

impl<T> Default for Fifo<T> {
    fn default() -> Fifo<T> {
        Fifo { chunks: VecDeque::new(), gone: 0, spare: Vec::new() }
    }
}

impl<T> Fifo<T> {
    pub(crate) fn with_capacity(capacity: usize) -> Fifo<T> {
        let spare: Vec<_> =
            (0..capacity.div_ceil(CHUNK_LEN)).map(|_| Vec::with_capacity(CHUNK_LEN)).collect();
        Fifo { chunks: VecDeque::with_capacity(spare.len()), gone: 0, spare }
    }

    pub(crate) fn push_back(&mut self, entry: T) {
        match self.chunks.back_mut() {
            Some(chunk) if chunk.len() < CHUNK_LEN => chunk.push(entry),
            _ => {
                let mut chunk = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(CHUNK_LEN));
                chunk.push(entry);
                self.chunks.push_back(chunk);
            }
        }
    }

    pub(crate) fn front(&self) -> Option<&T> {
        self.chunks.front()?.get(self.gone)
    }

    pub(crate) fn back(&self) -> Option<&T> {
        self.chunks.back()?.last()
    }

    pub(crate) fn pop_front(&mut self) {
        let Some(chunk) = self.chunks.front_mut() else { return };
        self.gone += 1;
        if self.gone == chunk.len() {
            let mut empty = self.chunks.pop_front().expect("it was looked at above");
            empty.clear();
            self.spare.push(empty);
            self.gone = 0;
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten().skip(self.gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_across_chunks() {
        let mut list = Chunked::with_capacity(1);
        assert_eq!(list.partition_point(|_: &usize| true), 0);
        let len = 2 * CHUNK_LEN + 3;
        (0..len).for_each(|number| list.push(number * 2));
        assert_eq!((list.len(), *list.get(CHUNK_LEN), list.iter().count()), (len, 2 * CHUNK_LEN, len));
        for index in [0, 1, CHUNK_LEN - 1, CHUNK_LEN, CHUNK_LEN + 1, len - 1, len] {
            assert_eq!(list.partition_point(|entry| *entry < index * 2), index);
        }
    }

    #[test]
    fn queue_gives_back_in_order_across_chunks() {
        let mut queue = Fifo::with_capacity(0);
        let len = CHUNK_LEN + 5;
        for round in 0..3 {
            (0..len).for_each(|number| queue.push_back(round * len + number));
            assert_eq!((queue.iter().count(), queue.back()), (len, Some(&(round * len + len - 1))));
            for number in 0..len {
                assert_eq!(queue.front(), Some(&(round * len + number)));
                queue.pop_front();
            }
            assert_eq!((queue.front(), queue.back()), (None, None));
        }
    }
}
