//! From a hash to a slot.

use alloc::boxed::Box;
use alloc::vec;

pub(crate) const PART_COUNT: usize = 256;
const GROUP_COUNT_MIN: usize = 2;

/// Places that are [`EMPTY`], or an [`Entry`]; filled from its beginning. It is a line of the processor's caches where the
/// allocator aligns a large piece, as mimalloc does, and looking takes two lines now and then where it does not.
type Group = [u64; 8];

/// A hash index of 32-bit slots; the keys stand in the slots, not here. Entries are never removed.
///
/// Open addressing with linear probing from group to group (D. Knuth, The Art of Computer Programming, vol. 3, 6.4, on
/// buckets), filled to three quarters at most. Looking up and inserting touch the same cache line, so whoever fetches
/// [`Index::place`] has it for both; a table that keeps its control bytes apart, as hashbrown does, was slower here by a third, waiting
/// to write.
///
/// It is cut in parts that grow one by one, and every entry keeps its hash, so that growing touches
/// 1/256 of the entries and none of the slots: there is no long pause at ten million entries either.
pub(crate) struct Index {
    parts: Box<[Part]>,
}

/// A piece of an [`Index`] that has nothing in common with the others.
pub(crate) struct Part {
    /// A power of two of them.
    groups: Box<[Group]>,
    len: usize,
}

/// A slot and the lower half of its hash.
#[derive(Clone, Copy)]
struct Entry {
    slot: u32,
    hash: u32,
}

const EMPTY: u64 = 0;
/// The bits of a place that are the hash.
const HASH_MASK: u64 = 0xFFFF_FFFF;

/// All zeros: a new table is memory as the system hands it out, and is touched where it is used only.
const EMPTY_GROUP: Group = [EMPTY; 8];

impl Entry {
    fn pack(self) -> u64 {
        (u64::from(self.slot) + 1) << 32 | u64::from(self.hash)
    }

    /// `None`: the place is empty.
    fn unpack(place: u64) -> Option<Entry> {
        let slot = u32::try_from(place >> 32).expect("32 bits").checked_sub(1)?;
        Some(Entry { slot, hash: u32::try_from(place & HASH_MASK).expect("32 bits") })
    }
}

impl Index {
    pub(crate) fn with_capacity(capacity: usize) -> Index {
        // A quarter more than the mean, so that no part has to grow within the capacity.
        let group_count = group_count(capacity.div_ceil(PART_COUNT) * 5 / 4);
        Index { parts: (0..PART_COUNT).map(|_| Part::new(group_count)).collect() }
    }

    /// The slot with this hash for which `is_it` holds.
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let (part, hash) = split(hash);
        self.parts[part].find(hash, is_it)
    }

    /// The beginning of the group where [`Index::find`] and [`Index::insert`] will look first, for whoever brings it into the
    /// processor's caches.
    pub(crate) fn place(&self, hash: u64) -> &u64 {
        let (part, hash) = split(hash);
        let part = &self.parts[part];
        &part.groups[part.home(hash)][0]
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
    fn new(group_count: usize) -> Part {
        Part { groups: vec![EMPTY_GROUP; group_count].into_boxed_slice(), len: 0 }
    }

    /// As [`Index::find`].
    pub(crate) fn find(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mut group = self.home(hash);
        loop {
            let places = &self.groups[group];
            // All at once, without a branch for each: nearly always there is none.
            if places.iter().fold(false, |found, place| found | (place & HASH_MASK == u64::from(hash))) {
                let entries = places.iter().map_while(|place| Entry::unpack(*place));
                // The stored hash is compared first: a look into the slot is a cache miss.
                let mut slots = entries.filter(|entry| entry.hash == hash).map(|entry| entry.slot);
                if let Some(slot) = slots.find(|slot| is_it(*slot)) {
                    return Some(slot);
                }
            }
            if places.last() == Some(&EMPTY) {
                return None;
            }
            group = self.after(group);
        }
    }

    /// As [`Index::insert`].
    pub(crate) fn insert(&mut self, hash: u32, slot: u32) {
        assert!(slot != u32::MAX, "slot {slot} is none");
        if (self.len + 1) * 4 > self.groups.as_flattened().len() * 3 {
            self.grow(self.groups.len() * 2);
        }
        self.put(Entry { slot, hash }.pack(), hash);
        self.len += 1;
    }

    /// Makes room for so many entries more, at once.
    pub(crate) fn reserve(&mut self, count: usize) {
        let needed = group_count(self.len + count);
        if needed > self.groups.len() {
            self.grow(needed);
        }
    }

    /// The group where an entry would like to be.
    fn home(&self, hash: u32) -> usize {
        hash as usize & (self.groups.len() - 1)
    }

    /// The group to look at when that is full. There always is one that is not, so looking ends.
    fn after(&self, group: usize) -> usize {
        (group + 1) & (self.groups.len() - 1)
    }

    fn put(&mut self, packed: u64, hash: u32) {
        let mut group = self.home(hash);
        loop {
            let places = &mut self.groups[group];
            let free = first_free(places);
            if places[free] == EMPTY {
                places[free] = packed;
                return;
            }
            group = self.after(group);
        }
    }

    fn grow(&mut self, group_count: usize) {
        let smaller = core::mem::replace(&mut self.groups, vec![EMPTY_GROUP; group_count].into_boxed_slice());
        for packed in smaller.as_flattened() {
            if let Some(Entry { hash, .. }) = Entry::unpack(*packed) {
                self.put(*packed, hash);
            }
        }
    }
}

/// The first place of a group that is free, since it is filled from its beginning; the last one if none is. By halves: without a
/// branch that would be foretold wrongly.
fn first_free(places: &Group) -> usize {
    [4, 2, 1].into_iter().fold(0, |free, step| free + step * usize::from(places[free + step - 1] != EMPTY))
}

/// Groups for so many entries, of which three quarters are taken at most.
fn group_count(entry_count: usize) -> usize {
    let place_count = (entry_count * 4 / 3 + 1).next_power_of_two();
    (place_count / EMPTY_GROUP.len()).max(GROUP_COUNT_MIN)
}

/// The highest bits choose the part, the lowest the group in it.
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
            assert_eq!(index.find(mix(slot), |found| found == slot), Some(slot));
        }
    }

    #[test]
    fn first_free_place_is_behind_all_that_are_taken() {
        for taken_count in 0..=8 {
            let places: Group = core::array::from_fn(|place| u64::from(place < taken_count));
            assert_eq!(first_free(&places), taken_count.min(7));
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
