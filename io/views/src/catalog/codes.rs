//! The codes of a sale's items, both ways.

use std::hash::BuildHasher;

use domain::{ItemIndex, ItemTerms};
use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Longer codes stand elsewhere.
const SHORT_SIZE_BYTES_MAX: usize = 22;

/// So many codes are looked at one after the other: a hash takes longer.
const FEW_LEN_MAX: usize = 4;

/// The codes by position, and the positions by code.
///
/// Whoever looks up one of thousands of items waits for memory that nobody looked at for a while. The less of it there is, the more
/// of it the processor's caches keep: so a short code stands in the list itself, and the table has nothing but positions (a table
/// with the codes in its places, a cache line each, took half as long again). The hash may be a quick one: whoever looks up does
/// not fill the table.
#[derive(Debug)]
pub(super) struct Codes {
    list: Box<[Code]>,
    /// Empty if the codes are few.
    positions: HashTable<ItemIndex>,
    hasher: RandomState,
}

#[derive(Debug)]
enum Code {
    Short { size_bytes: u8, bytes: [u8; SHORT_SIZE_BYTES_MAX] },
    Long(Box<[u8]>),
}

const _: () = assert!(size_of::<Code>() == 24);

impl Code {
    fn new(terms: &ItemTerms) -> Code {
        let code = terms.code.as_str().as_bytes();
        match u8::try_from(code.len()) {
            Ok(size_bytes) if code.len() <= SHORT_SIZE_BYTES_MAX => {
                let mut bytes = [0; SHORT_SIZE_BYTES_MAX];
                bytes[..code.len()].copy_from_slice(code);
                Code::Short { size_bytes, bytes }
            }
            _ => Code::Long(code.into()),
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            Code::Short { size_bytes, bytes } => &bytes[..usize::from(*size_bytes)],
            Code::Long(bytes) => bytes,
        }
    }
}

impl Codes {
    pub(super) fn new(items: &[ItemTerms]) -> Codes {
        let list: Box<[Code]> = items.iter().map(Code::new).collect();
        let (mut positions, hasher) = (HashTable::new(), RandomState::default());
        if list.len() > FEW_LEN_MAX {
            let hash_of = |item: &ItemIndex| hasher.hash_one(list[usize::from(item.0)].as_bytes());
            positions.reserve(list.len(), hash_of);
            for item in (0..).map(ItemIndex).take(list.len()) {
                positions.insert_unique(hash_of(&item), item, hash_of);
            }
        }
        Codes { list, positions, hasher }
    }

    /// The position of an item.
    pub(super) fn item(&self, code: &[u8]) -> Option<ItemIndex> {
        if self.list.len() <= FEW_LEN_MAX {
            let mut few = (0..).map(ItemIndex).zip(&self.list);
            return few.find(|(_, known)| known.as_bytes() == code).map(|(item, _)| item);
        }
        let is_it = |item: &ItemIndex| self.list[usize::from(item.0)].as_bytes() == code;
        self.positions.find(self.hasher.hash_one(code), is_it).copied()
    }

    /// The code of an item, if there is one at that position.
    pub(super) fn code(&self, item: ItemIndex) -> Option<&[u8]> {
        self.list.get(usize::from(item.0)).map(Code::as_bytes)
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
            check([1, 48, 22, 23, 24][..len].iter().map(|len| code(*len)).collect(), &unknown);
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
            assert_eq!((codes.item(code.as_bytes()), codes.code(at)), (Some(at), Some(code.as_bytes())));
        }
        for code in unknown {
            assert_eq!(codes.item(code.as_bytes()), None, "{code}");
        }
        assert_eq!(codes.code(ItemIndex(u16::try_from(known.len()).unwrap())), None);
    }
}
