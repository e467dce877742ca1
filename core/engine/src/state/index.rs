//! From a hash to a slot.

use alloc::boxed::Box;
use alloc::vec;

pub(crate) const PART_COUNT: usize = 256;
const PART_LEN_MIN: usize = 16;

/// A hash index of 32-bit slots; the keys stand in the slots, not here. Entries are never removed.
///
/// Open addressing with linear probing (D. Knuth, The Art of Computer Programming, vol. 3, 6.4), filled to three
/// quarters at most. Looking up and inserting touch the same cache line, so [`Index::touch`] can fetch it for both;
/// a table that keeps its control bytes apart, as hashbrown does, was slower here by a third, waiting to write.
///
/// It is cut in parts that grow one by one, and every entry keeps its hash, so that growing touches
/// 1/256 of the entries and none of the slots: there is no long pause at ten million entries either.
pub(crate) struct Index {
    parts: Box<[Part]>,
}

/// A piece of an [`Index`] that has nothing in common with the others.
pub(crate) struct Part {
    /// A power of two of places; each is empty, or an [`Entry`].
    places: Box<[u64]>,
    len: usize,
}

/// A slot and the lower half of its hash.
#[derive(Clone, Copy)]
struct Entry {
    slot: u32,
    hash: u32,
}

/// All zeros: a new table is memory as the system hands it out, and is touched where it is used only.
const EMPTY: u64 = 0;

impl Entry {
    fn pack(self) -> u64 {
        (u64::from(self.slot) + 1) << 32 | u64::from(self.hash)
    }

    /// `None`: the place is empty.
    fn unpack(place: u64) -> Option<Entry> {
        let slot = u32::try_from(place >> 32).expect("32 bits").checked_sub(1)?;
        Some(Entry { slot, hash: u32::try_from(place & 0xFFFF_FFFF).expect("32 bits") })
    }
}

impl Index {
    pub(crate) fn with_capacity(capacity: usize) -> Index {
        // A quarter more than the mean, so that no part has to grow within the capacity.
        let place_count = place_count(capacity.div_ceil(PART_COUNT) * 5 / 4);
        Index { parts: (0..PART_COUNT).map(|_| Part::new(place_count)).collect() }
    }

    /// The slot with this hash for which `is_it` holds.
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let (part, hash) = split(hash);
        self.parts[part].find(hash, is_it)
    }

    /// Brings the place where [`Index::find`] and [`Index::insert`] will look into the processor's caches. Calls for
    /// several hashes in a row wait for memory at the same time, not one after the other.
    pub(crate) fn touch(&self, hash: u64) {
        let (part, hash) = split(hash);
        core::hint::black_box(self.parts[part].places[self.parts[part].home(hash)]);
    }

    /// Adds a slot, below `u32::MAX`, that is not in the index yet.
    pub(crate) fn insert(&mut self, hash: u64, slot: u32) {
        let (part, hash) = split(hash);
        self.parts[part].insert(hash, slot);
    }

    /// A part, by the number that [`split`] gives.
    pub(crate) fn part(&self, number: usize) -> &Part {
        &self.parts[number]
    }

    /// All parts.
    pub(crate) fn parts_mut(&mut self) -> &mut [Part] {
        &mut self.parts
    }
}

impl Part {
    fn new(place_count: usize) -> Part {
        Part { places: vec![EMPTY; place_count].into_boxed_slice(), len: 0 }
    }

    /// As [`Index::find`].
    pub(crate) fn find(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mut place = self.home(hash);
        loop {
            let entry = Entry::unpack(self.places[place])?;
            // The stored hash is compared first: a look into the slot is a cache miss.
            if entry.hash == hash && is_it(entry.slot) {
                return Some(entry.slot);
            }
            place = self.after(place);
        }
    }

    /// As [`Index::insert`].
    pub(crate) fn insert(&mut self, hash: u32, slot: u32) {
        assert!(slot != u32::MAX, "slot {slot} is none");
        if (self.len + 1) * 4 > self.places.len() * 3 {
            self.grow(self.places.len() * 2);
        }
        self.put(Entry { slot, hash }.pack(), hash);
        self.len += 1;
    }

    /// Makes room for so many entries more, at once.
    pub(crate) fn reserve(&mut self, count: usize) {
        let needed = place_count(self.len + count);
        if needed > self.places.len() {
            self.grow(needed);
        }
    }

    /// The place where an entry would like to be.
    fn home(&self, hash: u32) -> usize {
        hash as usize & (self.places.len() - 1)
    }

    /// The place to look at next. There always is an empty one, so looking ends.
    fn after(&self, place: usize) -> usize {
        (place + 1) & (self.places.len() - 1)
    }

    fn put(&mut self, packed: u64, hash: u32) {
        let mut place = self.home(hash);
        while self.places[place] != EMPTY {
            place = self.after(place);
        }
        self.places[place] = packed;
    }

    fn grow(&mut self, place_count: usize) {
        let smaller = core::mem::replace(&mut self.places, vec![EMPTY; place_count].into_boxed_slice());
        for packed in smaller {
            if let Some(Entry { hash, .. }) = Entry::unpack(packed) {
                self.put(packed, hash);
            }
        }
    }
}

/// Places for so many entries, of which three quarters are taken at most.
fn place_count(entry_count: usize) -> usize {
    (entry_count * 4 / 3 + 1).next_power_of_two().max(PART_LEN_MIN)
}

/// The highest bits choose the part, the lowest the place in it.
pub(crate) fn split(hash: u64) -> (usize, u32) {
    let part = usize::try_from(hash >> 56).expect("eight bits");
    (part, u32::try_from(hash & 0xFFFF_FFFF).expect("32 bits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix(number: u32) -> u64 {
        u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    #[test]
    fn every_slot_is_found_however_the_index_grew() {
        let mut index = Index::with_capacity(0);
        for slot in 0..100_000 {
            assert_eq!(index.find(mix(slot), |found| found == slot), None);
            index.insert(mix(slot), slot);
        }
        for slot in 0..100_000 {
            index.touch(mix(slot));
            assert_eq!(index.find(mix(slot), |found| found == slot), Some(slot));
        }
    }

    #[test]
    fn slots_of_one_hash_are_told_apart() {
        let mut index = Index::with_capacity(0);
        (0..40).for_each(|slot| index.insert(u64::MAX, slot));
        for slot in 0..40 {
            assert_eq!(index.find(u64::MAX, |found| found == slot), Some(slot));
        }
        assert_eq!(index.find(u64::MAX, |_| false), None);
    }
}
