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

struct Part {
    /// A power of two of places.
    places: Box<[Entry]>,
    len: usize,
}

#[derive(Clone, Copy)]
struct Entry {
    slot: u32,
    hash: u32,
}

const EMPTY: Entry = Entry { slot: u32::MAX, hash: 0 };

impl Index {
    pub(crate) fn with_capacity(capacity: usize) -> Index {
        // A quarter more than the mean, so that no part has to grow within the capacity.
        let entry_count = capacity.div_ceil(PART_COUNT) * 5 / 4;
        let place_count = (entry_count * 4 / 3 + 1).next_power_of_two().max(PART_LEN_MIN);
        Index { parts: (0..PART_COUNT).map(|_| Part::new(place_count)).collect() }
    }

    /// The slot with this hash for which `is_it` holds.
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let (part, hash) = split(hash);
        let part = &self.parts[part];
        let mut place = part.home(hash);
        loop {
            let entry = part.places[place];
            if entry.slot == EMPTY.slot {
                return None;
            }
            // The stored hash is compared first: a look into the slot is a cache miss.
            if entry.hash == hash && is_it(entry.slot) {
                return Some(entry.slot);
            }
            place = part.after(place);
        }
    }

    /// Brings the place where [`Index::find`] and [`Index::insert`] will look into the processor's caches. Calls for
    /// several hashes in a row wait for memory at the same time, not one after the other.
    pub(crate) fn touch(&self, hash: u64) {
        let (part, hash) = split(hash);
        core::hint::black_box(self.parts[part].places[self.parts[part].home(hash)].hash);
    }

    /// Adds a slot, below `u32::MAX`, that is not in the index yet.
    pub(crate) fn insert(&mut self, hash: u64, slot: u32) {
        assert!(slot != EMPTY.slot, "slot {slot} stands for an empty place");
        let (part, hash) = split(hash);
        let part = &mut self.parts[part];
        if (part.len + 1) * 4 > part.places.len() * 3 {
            part.grow();
        }
        part.insert(Entry { slot, hash });
    }
}

impl Part {
    fn new(place_count: usize) -> Part {
        Part { places: vec![EMPTY; place_count].into_boxed_slice(), len: 0 }
    }

    /// The place where an entry would like to be.
    fn home(&self, hash: u32) -> usize {
        hash as usize & (self.places.len() - 1)
    }

    /// The place to look at next. There always is an empty one, so looking ends.
    fn after(&self, place: usize) -> usize {
        (place + 1) & (self.places.len() - 1)
    }

    fn insert(&mut self, entry: Entry) {
        let mut place = self.home(entry.hash);
        while self.places[place].slot != EMPTY.slot {
            place = self.after(place);
        }
        self.places[place] = entry;
        self.len += 1;
    }

    fn grow(&mut self) {
        let larger = Part::new(self.places.len() * 2);
        let smaller = core::mem::replace(self, larger);
        let taken = smaller.places.iter().filter(|entry| entry.slot != EMPTY.slot);
        taken.for_each(|entry| self.insert(*entry));
    }
}

/// The highest bits choose the part, the lowest the place in it.
pub(crate) fn split(hash: u64) -> (usize, u32) {
    let part = usize::try_from(hash >> 56).expect("eight bits");
    (part, u32::try_from(hash & 0xFFFF_FFFF).expect("32 bits"))
}

/// A hash that is split in the same way.
pub(crate) fn whole(part: usize, hash: u32) -> u64 {
    (part as u64) << 56 | u64::from(hash)
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
