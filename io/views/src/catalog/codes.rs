//! The codes of a sale's items, both ways.

use std::hash::BuildHasher;

use domain::{ItemIndex, ItemTerms, limits};
use foldhash::fast::RandomState;

/// So many codes are looked at one after the other: a hash takes longer.
const FEW_LEN_MAX: usize = 4;

/// The positions by code, and the codes by position.
///
/// Whoever looks up one of thousands of items waits for memory that nobody looked at for a while, and for little else. So this is a
/// table of open addressing with linear probing (D. Knuth, The Art of Computer Programming, vol. 3, 6.4), whose places are a cache
/// line each and hold all of the code: one wait, where a table that keeps control bytes or codes elsewhere has two or three. The
/// hash may be a quick one: whoever looks up does not fill the table.
#[derive(Debug)]
pub(super) struct Codes {
    /// Few codes in their order; more where their hash says, in a power of two of places, of which a third is free.
    places: Box<[Place]>,
    /// The place of each item.
    place_of: Box<[u32]>,
    hasher: RandomState,
}

/// A code and its item, or nothing.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Place {
    code: [u8; limits::SLUG_SIZE_BYTES_MAX],
    /// 0: nothing stands here.
    size_bytes: u8,
    item: ItemIndex,
}

const _: () = assert!(size_of::<Place>() == 64);

impl Place {
    const FREE: Place =
        Place { code: [0; limits::SLUG_SIZE_BYTES_MAX], size_bytes: 0, item: ItemIndex::UNKNOWN };

    fn new(item: ItemIndex, terms: &ItemTerms) -> Place {
        let code = terms.code.as_str().as_bytes();
        let mut place = Place { item, ..Place::FREE };
        place.code[..code.len()].copy_from_slice(code);
        place.size_bytes = u8::try_from(code.len()).expect("SLUG_SIZE_BYTES_MAX is below 256");
        place
    }

    fn is_free(&self) -> bool {
        self.size_bytes == 0
    }

    fn code(&self) -> &[u8] {
        &self.code[..usize::from(self.size_bytes)]
    }
}

impl Codes {
    pub(super) fn new(items: &[ItemTerms]) -> Codes {
        let mut new = (0..).map(ItemIndex).zip(items).map(|(item, terms)| Place::new(item, terms));
        let hasher = RandomState::default();
        if items.len() <= FEW_LEN_MAX {
            return Codes { places: new.collect(), place_of: (0..).take(items.len()).collect(), hasher };
        }
        let places = vec![Place::FREE; (items.len() * 3 / 2).next_power_of_two()].into();
        let mut codes = Codes { places, place_of: Box::default(), hasher };
        codes.place_of = new.by_ref().map(|place| codes.put(place)).collect();
        codes
    }

    /// The position of an item.
    pub(super) fn item(&self, code: &str) -> Option<ItemIndex> {
        let is_it = |place: &&Place| place.code() == code.as_bytes();
        let place = match self.place_of.len() <= FEW_LEN_MAX {
            true => self.places.iter().find(is_it),
            false => self
                .places_for(code.as_bytes())
                .map(|at| &self.places[at])
                .find(|place| place.is_free() || is_it(place)),
        };
        place.filter(|place| !place.is_free()).map(|place| place.item)
    }

    /// The code of an item, if there is one at that position.
    pub(super) fn code(&self, item: ItemIndex) -> Option<&[u8]> {
        let at = *self.place_of.get(usize::from(item.0))?;
        Some(self.places[at as usize].code())
    }

    fn put(&mut self, place: Place) -> u32 {
        let at = self.places_for(place.code()).find(|at| self.places[*at].is_free());
        let at = at.expect("a third of the places is free");
        self.places[at] = place;
        u32::try_from(at).expect("there are fewer than 2^16 items")
    }

    /// The places where a code may stand, in the order in which they are filled; without an end.
    fn places_for(&self, code: &[u8]) -> impl Iterator<Item = usize> + use<> {
        let mask = self.places.len() - 1;
        let home = usize::try_from(self.hasher.hash_one(code) >> 32).expect("32 bits");
        (home..).map(move |at| at & mask)
    }
}

#[cfg(test)]
mod tests {
    use domain::Slug;

    use super::*;

    #[test]
    fn codes_of_every_length_are_found_and_no_others() {
        let code = |len: usize| "x".repeat(len);
        let unknown = ["", "y", "x\0", &code(12), &code(30), &code(49), &code(300)];
        check((1..=48).filter(|len| *len != 12 && *len != 30).map(code).collect(), &unknown);
        for len in 0..=FEW_LEN_MAX + 1 {
            check([1, 48, 28, 29, 31][..len].iter().map(|len| code(*len)).collect(), &unknown);
        }
    }

    #[test]
    fn thousands_of_codes_are_found_and_no_others() {
        for count in [5, 6, 10, 11, 1_000, 10_000] {
            let codes = (0..count).map(|number| format!("i{number:04}")).collect();
            check(codes, &["i", "i00000", "j0000", &format!("i{count:04}")]);
        }
    }

    fn check(known: Vec<String>, unknown: &[&str]) {
        let item = |code: &String| ItemTerms {
            code: Slug::new(code).unwrap(),
            name: "A".into(),
            unit_price: 1,
            per_order_max: None,
            per_buyer_max: None,
        };
        let codes = Codes::new(&known.iter().map(item).collect::<Vec<_>>());
        for (at, code) in (0..).map(ItemIndex).zip(&known) {
            assert_eq!((codes.item(code), codes.code(at)), (Some(at), Some(code.as_bytes())));
        }
        for code in unknown {
            assert_eq!(codes.item(code), None, "{code}");
        }
        assert_eq!(codes.code(ItemIndex(u16::try_from(known.len()).unwrap())), None);
    }
}
