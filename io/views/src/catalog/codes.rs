//! Positions by code: of an item in its sale.

use std::collections::HashMap;

use domain::{ItemIndex, ItemTerms};
use foldhash::fast::RandomState;

/// Longer codes are kept apart.
const SHORT_SIZE_BYTES_MAX: usize = 23;

/// A short code: its length, its bytes, and zeros.
type Short = [u8; SHORT_SIZE_BYTES_MAX + 1];

/// So many codes are looked at one after the other.
const FEW_LEN_MAX: usize = 4;

/// The items of a sale by their codes. A short code stands in the table itself: with thousands of items, one look at memory
/// that nobody looked at before instead of two. The hash may be a quick one: whoever looks up does not fill the table. Most sales
/// have a few items, and a hash takes longer than looking at each.
#[derive(Debug, Default)]
pub(super) struct Codes {
    /// All codes, if they are few.
    few: Vec<(Box<str>, ItemIndex)>,
    short: HashMap<Short, ItemIndex, RandomState>,
    long: HashMap<Box<str>, ItemIndex, RandomState>,
}

impl Codes {
    pub(super) fn new(items: &[ItemTerms]) -> Codes {
        let mut codes = Codes::default();
        if items.len() <= FEW_LEN_MAX {
            codes.few =
                (0..).zip(items).map(|(at, item)| (item.code.as_str().into(), ItemIndex(at))).collect();
            return codes;
        }
        for (at, item) in (0..).zip(items) {
            let code = item.code.as_str();
            match short(code) {
                Some(short) => codes.short.insert(short, ItemIndex(at)),
                None => codes.long.insert(code.into(), ItemIndex(at)),
            };
        }
        codes
    }

    pub(super) fn get(&self, code: &str) -> Option<ItemIndex> {
        if !self.few.is_empty() {
            return self.few.iter().find(|(known, _)| **known == *code).map(|(_, item)| *item);
        }
        match short(code) {
            Some(short) => self.short.get(&short),
            None => self.long.get(code),
        }
        .copied()
    }
}

fn short(code: &str) -> Option<Short> {
    let mut short = [0; SHORT_SIZE_BYTES_MAX + 1];
    short[0] = u8::try_from(code.len()).ok().filter(|len| usize::from(*len) <= SHORT_SIZE_BYTES_MAX)?;
    short[1..=code.len()].copy_from_slice(code.as_bytes());
    Some(short)
}

#[cfg(test)]
mod tests {
    use domain::Slug;

    use super::*;

    #[test]
    fn codes_of_every_length_are_found_and_no_others() {
        check((1..=40).filter(|len| *len != 12 && *len != 30).collect());
        for len in 0..=FEW_LEN_MAX + 1 {
            check([1, 40, 23, 24, 25][..len].to_vec());
        }
    }

    /// Items whose codes have these lengths.
    fn check(lens: Vec<usize>) {
        let code = |len: usize| "x".repeat(len);
        let item = |len| ItemTerms {
            code: Slug::new(&code(len)).unwrap(),
            name: "A".into(),
            unit_price: 1,
            per_order_max: None,
            per_buyer_max: None,
        };
        let codes = Codes::new(&lens.iter().map(|len| item(*len)).collect::<Vec<_>>());
        for (at, len) in (0..).zip(&lens) {
            assert_eq!(codes.get(&code(*len)), Some(ItemIndex(at)), "{len}");
        }
        for unknown in ["", "y", "x\0", &code(12), &code(30), &code(300)] {
            assert_eq!(codes.get(unknown), None, "{unknown}");
        }
    }
}
