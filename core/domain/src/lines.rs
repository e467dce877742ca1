//! What an order is about: 1–16 different items of one sale.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use crate::id::ItemIndex;
use crate::limits::LINE_COUNT_MAX;
use crate::money::Amount;

/// What a buyer wants of one item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wish {
    /// Which item.
    pub item: ItemIndex,
    /// How many units; the engine refuses 0 and too many.
    pub quantity: u16,
}

/// What an order claims of one item, at which price.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// Which item.
    pub item: ItemIndex,
    /// How many units, at least 1.
    pub quantity: u16,
    /// Price of one unit, in minor units of the sale's currency.
    pub unit_price: u32,
}

impl Line {
    /// The wish that this line fulfils.
    pub fn wish(&self) -> Wish {
        Wish { item: self.item, quantity: self.quantity }
    }

    /// Quantity times price.
    pub fn total(&self) -> Amount {
        Amount(u64::from(self.quantity) * u64::from(self.unit_price))
    }
}

/// Why a list cannot be the lines of one order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinesError {
    /// No line at all.
    Empty,
    /// More than [`LINE_COUNT_MAX`] lines.
    TooMany,
    /// One item stands in two lines.
    ItemTwice(ItemIndex),
}

/// 1–16 entries of different items, sorted by item. A single entry, the usual case, needs no allocation.
#[derive(Clone, PartialEq, Eq)]
pub struct Basket<T>(Repr<T>);

#[derive(Clone, PartialEq, Eq)]
enum Repr<T> {
    One(T),
    Many(Box<[T]>),
}

/// The wishes of an order.
pub type Wishes = Basket<Wish>;
/// The lines of an order.
pub type Lines = Basket<Line>;

/// An entry that belongs to one item.
pub trait Entry: Copy {
    /// The item it belongs to.
    fn item(&self) -> ItemIndex;
}

impl Entry for Wish {
    fn item(&self) -> ItemIndex {
        self.item
    }
}

impl Entry for Line {
    fn item(&self) -> ItemIndex {
        self.item
    }
}

impl<T: Entry> Basket<T> {
    /// A basket of one entry.
    pub fn one(entry: T) -> Basket<T> {
        Basket(Repr::One(entry))
    }

    /// A basket of the entries, sorted by item.
    ///
    /// # Errors
    /// When there is none, there are too many, or an item stands twice. [`ItemIndex::UNKNOWN`] may stand
    /// more than once: the engine refuses it with a better reason.
    pub fn new(mut entries: Vec<T>) -> Result<Basket<T>, LinesError> {
        match entries.len() {
            0 => return Err(LinesError::Empty),
            1 => return Ok(Basket::one(entries[0])),
            2..=LINE_COUNT_MAX => {}
            _ => return Err(LinesError::TooMany),
        }
        entries.sort_by_key(T::item);
        let twice = entries.windows(2).find(|pair| pair[0].item() == pair[1].item());
        match twice.map(|pair| pair[0].item()) {
            Some(item) if item != ItemIndex::UNKNOWN => Err(LinesError::ItemTwice(item)),
            _ => Ok(Basket(Repr::Many(entries.into_boxed_slice()))),
        }
    }

    /// The entries, sorted by item; at least one.
    pub fn as_slice(&self) -> &[T] {
        match &self.0 {
            Repr::One(entry) => core::slice::from_ref(entry),
            Repr::Many(entries) => entries,
        }
    }

    /// The entries one by one.
    pub fn iter(&self) -> core::slice::Iter<'_, T> {
        self.as_slice().iter()
    }
}

impl<'a, T: Entry> IntoIterator for &'a Basket<T> {
    type Item = &'a T;
    type IntoIter = core::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Lines {
    /// The sum over all lines. It fits: 16 lines of 16 bits times 32 bits.
    pub fn total(&self) -> Amount {
        Amount(self.iter().map(|line| line.total().0).sum())
    }
}

impl<T: Entry + fmt::Debug> fmt::Debug for Basket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn wish(item: u16) -> Wish {
        Wish { item: ItemIndex(item), quantity: 1 }
    }

    #[test]
    fn basket_is_sorted_and_has_no_item_twice() {
        let basket = Wishes::new(vec![wish(3), wish(1)]).unwrap();
        assert_eq!(basket.as_slice(), [wish(1), wish(3)]);
        assert_eq!(Wishes::new(vec![]), Err(LinesError::Empty));
        assert_eq!(Wishes::new(vec![wish(1), wish(1)]), Err(LinesError::ItemTwice(ItemIndex(1))));
        assert_eq!(Wishes::new((0..17).map(wish).collect()), Err(LinesError::TooMany));
        assert_eq!(Wishes::new((0..16).map(wish).collect()).unwrap().as_slice().len(), 16);
    }

    #[test]
    fn one_entry_equals_a_list_of_one() {
        assert_eq!(Wishes::new(vec![wish(1)]), Ok(Wishes::one(wish(1))));
    }

    #[test]
    fn largest_order_has_a_total() {
        let line = |item| Line { item: ItemIndex(item), quantity: u16::MAX, unit_price: u32::MAX };
        let lines = Lines::new((0..16).map(line).collect()).unwrap();
        assert_eq!(lines.total(), Amount(16 * 65_535 * 4_294_967_295));
    }
}
