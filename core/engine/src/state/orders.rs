//! The orders of a shard, in the order of their numbers.

use core::hash::BuildHasher;
use core::ops::Range;

use alloc::vec::Vec;

use domain::{
    BuyerId, ItemIndex, KeyDigest, Line, Lines, OrderId, OrderState, PaymentId, RefundCause, SaleId, Seq,
    UnixMs, Wishes, limits,
};
use foldhash::fast::FixedState;

use super::chunked::Chunked;
use super::index::{Index, Part};
use super::later::{Later, Noted};

/// One order. What an answer needs and nothing else: there may be tens of millions.
pub(crate) struct Order {
    pub(crate) id: OrderId,
    pub(crate) buyer: BuyerId,
    pub(crate) key: KeyDigest,
    pub(crate) held_seq: Seq,
    pub(crate) changed_seq: Seq,
    payment: PaymentId,
    lines: LinesRef,
    pub(crate) sale: SaleId,
    pub(crate) hold_ttl_s: u16,
    pub(crate) state: OrderState,
    pub(crate) refund_cause: Option<RefundCause>,
    pub(crate) payments_failed: u8,
    flags: u8,
}

const _: () = assert!(size_of::<Order>() == 80);

/// A single line stands in the order; several stand in a list beside.
#[derive(Clone, Copy)]
struct LinesRef {
    /// Of the single line; or the count of lines.
    quantity: u16,
    /// Of the single line; unused otherwise.
    item: ItemIndex,
    /// Of the single line; or the position of the first line.
    unit_price: u32,
}

const HAS_UNITS: u8 = 1;
const RESTOCK: u8 = 2;
const EXTENDED: u8 = 4;
const MANY_LINES: u8 = 8;

impl Order {
    pub(crate) fn placed_at(&self) -> UnixMs {
        self.id.placed_at()
    }

    /// When the hold ended or ends, but for an extension.
    pub(crate) fn first_expires_at(&self) -> UnixMs {
        self.placed_at().plus_s(self.hold_ttl_s)
    }

    pub(crate) fn has_units(&self) -> bool {
        self.flags & HAS_UNITS != 0
    }

    pub(crate) fn set_has_units(&mut self, yes: bool) {
        self.set(HAS_UNITS, yes);
    }

    pub(crate) fn restock(&self) -> bool {
        self.flags & RESTOCK != 0
    }

    pub(crate) fn set_restock(&mut self, yes: bool) {
        self.set(RESTOCK, yes);
    }

    pub(crate) fn is_extended(&self) -> bool {
        self.flags & EXTENDED != 0
    }

    pub(crate) fn set_extended(&mut self) {
        self.set(EXTENDED, true);
    }

    /// The payment that counts. The empty name, which nobody can give, stands for none.
    pub(crate) fn payment(&self) -> Option<PaymentId> {
        (self.payment != PaymentId::from_text("")).then_some(self.payment)
    }

    pub(crate) fn set_payment(&mut self, payment: PaymentId) {
        self.payment = payment;
    }

    fn set(&mut self, flag: u8, yes: bool) {
        self.flags = if yes { self.flags | flag } else { self.flags & !flag };
    }
}

/// All orders, with the index of (buyer, key).
pub(crate) struct Orders {
    hasher: FixedState,
    by_key: Index,
    indexing: Indexing,
    list: Chunked<Order>,
    /// The lines of orders of several lines.
    lines: Chunked<Line>,
}

/// A new order, as the fact says.
pub(crate) struct NewOrder<'a> {
    pub(crate) id: OrderId,
    pub(crate) sale: SaleId,
    pub(crate) buyer: BuyerId,
    pub(crate) key: KeyDigest,
    pub(crate) hold_ttl_s: u16,
    pub(crate) lines: &'a Lines,
    pub(crate) seq: Seq,
}

/// When the keys of new orders go into the index.
enum Indexing {
    /// At once: somebody decides.
    AtOnce,
    /// Later; here they are written down.
    Later(Later<u32>),
    /// Later, and they are written down by [`Orders::note`].
    Apart(Vec<Later<u32>>),
}

impl Indexing {
    fn laters_mut(&mut self) -> &mut [Later<u32>] {
        match self {
            Indexing::AtOnce => &mut [],
            Indexing::Later(later) => core::slice::from_mut(later),
            Indexing::Apart(laters) => laters,
        }
    }
}

/// Keys for one part of the index.
pub(crate) struct Unsettled<'a> {
    list: &'a Chunked<Order>,
    part: &'a mut Part,
    noted: Vec<&'a mut Noted<u32>>,
}

impl Unsettled<'_> {
    /// Puts them in, up to the first one that is there already; whether none was.
    pub(crate) fn settle(self) -> bool {
        let Unsettled { list, part, noted } = self;
        part.reserve(noted.iter().map(|noted| noted.len()).sum());
        noted.into_iter().all(|noted| put_in(list, part, noted))
    }
}

fn put_in(list: &Chunked<Order>, part: &mut Part, noted: &mut Noted<u32>) -> bool {
    let key_of = |slot: u32| {
        let order = list.get(slot as usize);
        (order.buyer, order.key)
    };
    let taken = noted.iter().position(|(hash, slot)| {
        let is_there = part.find(*hash, |other| key_of(other) == key_of(*slot)).is_some();
        if !is_there {
            part.insert(*hash, *slot);
        }
        is_there
    });
    // Whoever settles the rest comes across the same key again.
    noted.drain(..taken.unwrap_or(noted.len()));
    taken.is_none()
}

impl Orders {
    pub(crate) fn with_capacity(capacity: usize, hash_seed: u64) -> Orders {
        Orders {
            hasher: FixedState::with_seed(hash_seed),
            by_key: Index::with_capacity(capacity),
            indexing: Indexing::AtOnce,
            list: Chunked::with_capacity(capacity),
            lines: Chunked::with_capacity(0),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// The slot of the order that was pushed last.
    pub(crate) fn last_slot(&self) -> Option<u32> {
        let last = self.list.len().checked_sub(1)?;
        Some(u32::try_from(last).expect("ORDER_COUNT_MAX is below 2^32"))
    }

    pub(crate) fn has_room(&self) -> bool {
        let lines_after = self.lines.len() + limits::LINE_COUNT_MAX;
        self.len() < limits::ORDER_COUNT_MAX && u32::try_from(lines_after).is_ok()
    }

    /// Adds an order, held. Its number must be higher than all before, and its key new.
    pub(crate) fn push(&mut self, new: &NewOrder<'_>) -> u32 {
        let last = self.last_slot().map(|slot| self.get(slot).id);
        assert!(last < Some(new.id), "order numbers grow: {last:?} before {:?}", new.id);
        let slot = u32::try_from(self.list.len()).expect("ORDER_COUNT_MAX is below 2^32");
        let (lines, flags) = self.store_lines(new.lines);
        self.list.push(Order {
            id: new.id,
            buyer: new.buyer,
            key: new.key,
            held_seq: new.seq,
            changed_seq: new.seq,
            payment: PaymentId::from_text(""),
            lines,
            sale: new.sale,
            hold_ttl_s: new.hold_ttl_s,
            state: OrderState::Held,
            refund_cause: None,
            payments_failed: 0,
            flags: flags | HAS_UNITS,
        });
        match &mut self.indexing {
            Indexing::AtOnce => self.by_key.insert(self.hasher.hash_one(hashed(new.buyer, new.key)), slot),
            Indexing::Later(later) => later.push(self.hasher.hash_one(hashed(new.buyer, new.key)), slot),
            Indexing::Apart(_) => {}
        }
        slot
    }

    /// How many notes there are.
    pub(crate) fn note_count(&self) -> usize {
        match &self.indexing {
            Indexing::AtOnce => 0,
            Indexing::Later(later) => later.len(),
            Indexing::Apart(laters) => laters.iter().map(Later::len).sum(),
        }
    }

    /// From now on keys are only written down. Nothing may be looked up by key until [`Orders::settle`].
    pub(crate) fn defer(&mut self) {
        self.indexing = Indexing::Later(Later::new());
    }

    /// From now on keys are not even written down: [`Orders::note`] does it for many orders, and on any thread.
    pub(crate) fn defer_noting(&mut self) {
        self.indexing = Indexing::Apart(Vec::new());
    }

    /// The keys of the orders of these slots, to be given to [`Orders::add_noted`].
    pub(crate) fn note(&self, slots: Range<u32>) -> Later<u32> {
        let mut later = Later::with_capacity(slots.len());
        for slot in slots {
            let order = self.get(slot);
            later.push(self.hash(order.buyer, order.key), slot);
        }
        later
    }

    /// Takes keys that were noted.
    pub(crate) fn add_noted(&mut self, noted: Later<u32>) {
        match &mut self.indexing {
            Indexing::Apart(laters) => laters.push(noted),
            Indexing::AtOnce | Indexing::Later(_) => {
                unreachable!("keys that nobody deferred are noted already")
            }
        }
    }

    /// The keys that were written down, in pieces to be put into the index.
    pub(crate) fn unsettled(&mut self) -> impl Iterator<Item = Unsettled<'_>> {
        let Orders { list, by_key, indexing, .. } = self;
        let list = &*list;
        let mut noted: Vec<_> =
            indexing.laters_mut().iter_mut().map(|later| later.parts_mut().iter_mut()).collect();
        by_key.parts_mut().iter_mut().map(move |part| {
            let noted = noted.iter_mut().filter_map(Iterator::next).collect();
            Unsettled { list, part, noted }
        })
    }

    /// Puts all keys into the index that are not there yet; whether each was there once only.
    pub(crate) fn settle(&mut self) -> bool {
        let is_settled = self.unsettled().all(Unsettled::settle);
        if is_settled {
            self.indexing = Indexing::AtOnce;
        }
        is_settled
    }

    pub(crate) fn get(&self, slot: u32) -> &Order {
        self.list.get(slot as usize)
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> &mut Order {
        self.list.get_mut(slot as usize)
    }

    /// The slot of an order number: a binary search, since numbers grow.
    pub(crate) fn slot(&self, id: OrderId) -> Option<u32> {
        let index = self.first_from(id);
        let found = index < self.list.len() && self.list.get(index).id == id;
        found.then(|| u32::try_from(index).expect("ORDER_COUNT_MAX is below 2^32"))
    }

    /// The position of the first order whose number is not below `id`.
    pub(crate) fn first_from(&self, id: OrderId) -> usize {
        self.list.partition_point(|order| order.id < id)
    }

    pub(crate) fn slot_of_key(&self, buyer: BuyerId, key: KeyDigest) -> Option<u32> {
        let is_it = |slot: u32| {
            let order = self.get(slot);
            order.key == key && order.buyer == buyer
        };
        self.by_key.find(self.hash(buyer, key), is_it)
    }

    /// See [`Index::place`].
    pub(crate) fn place_of_key(&self, buyer: BuyerId, key: KeyDigest) -> &u64 {
        self.by_key.place(self.hash(buyer, key))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Order> + Clone {
        self.list.iter()
    }

    /// The lines of an order, sorted by item.
    pub(crate) fn lines(&self, order: &Order) -> impl Iterator<Item = Line> + Clone {
        let LinesRef { quantity, item, unit_price } = order.lines;
        let many = order.flags & MANY_LINES != 0;
        let count = if many { usize::from(quantity) } else { 1 };
        (0..count).map(move |index| match many {
            true => *self.lines.get(unit_price as usize + index),
            false => Line { item, quantity, unit_price },
        })
    }

    /// The lines of an order as a value of their own.
    pub(crate) fn lines_owned(&self, order: &Order) -> Lines {
        if order.flags & MANY_LINES == 0 {
            return Lines::one(self.lines(order).next().expect("an order has a line"));
        }
        let lines: Vec<Line> = self.lines(order).collect();
        Lines::new(lines).expect("they were the lines of an order before")
    }

    /// Whether the order is what this request asks for.
    pub(crate) fn is_for(&self, order: &Order, sale: SaleId, wishes: &Wishes) -> bool {
        order.sale == sale && self.lines(order).map(|line| line.wish()).eq(wishes.iter().copied())
    }

    fn store_lines(&mut self, lines: &Lines) -> (LinesRef, u8) {
        if let [line] = lines.as_slice() {
            let Line { item, quantity, unit_price } = *line;
            return (LinesRef { quantity, item, unit_price }, 0);
        }
        let quantity = u16::try_from(lines.as_slice().len()).expect("LINE_COUNT_MAX is below 2^16");
        let unit_price = u32::try_from(self.lines.len()).expect("has_room was asked before");
        lines.iter().for_each(|line| self.lines.push(*line));
        (LinesRef { quantity, item: ItemIndex::UNKNOWN, unit_price }, MANY_LINES)
    }

    fn hash(&self, buyer: BuyerId, key: KeyDigest) -> u64 {
        self.hasher.hash_one(hashed(buyer, key))
    }
}

fn hashed(buyer: BuyerId, key: KeyDigest) -> (u128, u64) {
    (u128::from_le_bytes(*buyer.0.as_bytes()), key.0)
}
