//! From entries to the state.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Range;

use domain::{KeyDigest, OrderId, OrderState, SaleId, Seq, StockReceipt, Surplus};

use super::{Entry, Head, ItemEntry, OrderEntry, SaleEntry};
use crate::invariants::{Broken, Sums, beyond_limit};
use crate::loading::{self, Unsettled};
use crate::state::{Deadline, Item, Money, NewOrder, Notes, Sale, State};

/// Builds a state from the entries of a snapshot, pushed in their order.
pub struct Restore {
    hash_seed: u64,
    state: Option<State>,
    /// So many orders are noted already: see [`Restore::note`].
    noted_count: usize,
    head: Option<Head>,
    /// What the orders so far come to. What else [`crate::invariants::check`] asks for (I2, I3) holds because it is
    /// counted and indexed here, from these very orders.
    sums: Sums,
}

/// Why a list of entries is no state. The snapshot cannot be used; an older one or the journal can.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RestoreError {
    /// The list does not begin with [`Entry::Head`], or ends before what it announces.
    Incomplete,
    /// An entry does not fit the ones before it.
    Misplaced(&'static str),
    /// The state that came of it breaks an invariant.
    Broken(Broken),
}

impl core::fmt::Display for RestoreError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            RestoreError::Incomplete => f.write_str("the snapshot has fewer entries than it announces"),
            RestoreError::Misplaced(what) => write!(f, "the snapshot has {what}"),
            RestoreError::Broken(broken) => broken.fmt(f),
        }
    }
}

impl core::error::Error for RestoreError {}

type Pushed = Result<(), RestoreError>;

impl Restore {
    /// Starts with nothing. `hash_seed` as in [`State::new`].
    pub fn new(hash_seed: u64) -> Restore {
        Restore { hash_seed, state: None, noted_count: 0, head: None, sums: Sums::default() }
    }

    /// Adds the next entry.
    ///
    /// # Errors
    /// When it does not fit; the restore is then of no use.
    pub fn push(&mut self, entry: Entry) -> Pushed {
        let Some(state) = &mut self.state else { return self.push_head(entry) };
        match entry {
            Entry::Head(_) => Err(RestoreError::Misplaced("a second head")),
            Entry::Sale(sale) => push_sale(state, sale),
            Entry::Item(item) => push_item(state, item),
            Entry::StockKey { key, receipt } => push_stock_key(state, key, receipt),
            Entry::Order(order) => push_order(state, &mut self.sums, order),
            Entry::Surplus { order, surplus } => push_surplus(state, order, surplus),
        }
    }

    /// How many orders were pushed.
    pub fn order_count(&self) -> usize {
        self.state.as_ref().map_or(0, |state| state.orders.len())
    }

    /// Cuts the orders that were pushed into about `count` ranges, each of which [`Restore::note`] may note on a thread of
    /// its own. Whatever nobody notes and settles, [`Restore::finish`] does.
    pub fn ranges(&self, count: usize) -> Vec<Range<u32>> {
        let end = u32::try_from(self.order_count()).expect("ORDER_COUNT_MAX is below 2^32");
        let step = self.order_count().div_ceil(count.max(1)).max(1);
        let range = |from: usize| u32::try_from(from).map_or(end, |from| from.min(end));
        (self.noted_count..self.order_count())
            .step_by(step)
            .map(|from| range(from)..range(from + step))
            .collect()
    }

    /// What goes into the indexes of the orders of a range.
    pub fn note(&self, range: Range<u32>) -> Option<Notes> {
        Some(self.state.as_ref()?.note(range))
    }

    /// Takes the notes of all ranges.
    pub fn add_noted(&mut self, notes: impl Iterator<Item = Notes>) {
        let Some(state) = &mut self.state else { return };
        notes.for_each(|notes| state.add_noted(notes));
        self.noted_count = state.orders.len();
    }

    /// See [`crate::Loading::unsettled`].
    pub fn unsettled(&mut self) -> impl Iterator<Item = Unsettled<'_>> + Send {
        self.state.iter_mut().flat_map(loading::unsettled)
    }

    /// The state, with every invariant checked.
    ///
    /// # Errors
    /// When entries are missing or the state is not sound.
    pub fn finish(mut self) -> Result<State, RestoreError> {
        let rest: Vec<Notes> = self.ranges(1).into_iter().filter_map(|range| self.note(range)).collect();
        self.add_noted(rest.into_iter());
        let (Some(mut state), Some(head)) = (self.state, self.head) else {
            return Err(RestoreError::Incomplete);
        };
        state.allowances.settle();
        if !state.orders.settle() {
            return Err(RestoreError::Misplaced("a key twice"));
        }
        if state.sales.len() != usize::from(head.sale_count) || state.orders.len() as u64 != head.order_count
        {
            return Err(RestoreError::Incomplete);
        }
        state.seq = head.seq;
        state.last_order = head.last_order;
        let last = state.orders.len().checked_sub(1).and_then(|slot| u32::try_from(slot).ok());
        if last.map(|slot| state.orders.get(slot).id) > head.last_order {
            return Err(RestoreError::Misplaced("an order after the last one"));
        }
        // Whether a limit was tightened once is not stored: whoever has more than a limit shows it.
        let tightened: Vec<SaleId> = beyond_limit(&state).map(|beyond| beyond.sale).collect();
        tightened.into_iter().for_each(|sale| state.sale_mut(sale).limits_tightened = true);
        self.sums.check(&state).map_err(RestoreError::Broken)?;
        Ok(state)
    }

    fn push_head(&mut self, entry: Entry) -> Pushed {
        let Entry::Head(head) = entry else { return Err(RestoreError::Incomplete) };
        // Nothing is reserved: lists grow without copying, and indexes are given their size when all is known.
        let mut state = State::new(head.shard, self.hash_seed);
        state.orders.defer_noting();
        self.state = Some(state);
        self.head = Some(head);
        Ok(())
    }
}

fn push_sale(state: &mut State, entry: SaleEntry) -> Pushed {
    let SaleEntry { sale, slug, terms, status, money_taken, money_returned } = entry;
    if usize::from(sale.0) != state.sales.len() || state.slugs.insert(slug.clone(), sale).is_some() {
        return Err(RestoreError::Misplaced("a sale out of order"));
    }
    state.sales.push(Sale {
        slug,
        counts_buyers: terms.per_buyer_max.is_some(),
        counts_days: terms.per_buyer_day_max.is_some(),
        terms: Box::new(terms),
        status,
        items: Vec::new(),
        stock_keys: BTreeMap::new(),
        money: Money { taken: money_taken, returned: money_returned },
        limits_tightened: false,
    });
    Ok(())
}

fn push_item(state: &mut State, entry: ItemEntry) -> Pushed {
    let ItemEntry { sale, item, terms, levels, turnover } = entry;
    let items = &mut last_sale(state, sale)?.items;
    if usize::from(item.0) != items.len() {
        return Err(RestoreError::Misplaced("an item out of order"));
    }
    let counts_buyers = terms.per_buyer_max.is_some();
    items.push(Item { terms: Box::new(terms), levels, turnover, counts_buyers });
    Ok(())
}

fn push_stock_key(state: &mut State, key: KeyDigest, receipt: StockReceipt) -> Pushed {
    let before = last_sale(state, receipt.sale)?.stock_keys.insert(key, receipt);
    if before.is_some() { Err(RestoreError::Misplaced("a key twice")) } else { Ok(()) }
}

fn push_order(state: &mut State, sums: &mut Sums, entry: OrderEntry) -> Pushed {
    check_order(state, &entry)?;
    let slot = state.orders.push(&NewOrder {
        id: entry.order,
        sale: entry.sale,
        buyer: entry.buyer,
        key: entry.key,
        hold_ttl_s: entry.hold_ttl_s,
        lines: &entry.lines,
        seq: entry.held_seq,
    });
    let order = state.orders.get_mut(slot);
    order.state = entry.state;
    order.changed_seq = entry.changed_seq;
    order.payments_failed = entry.payments_failed;
    order.refund_cause = entry.refund_cause;
    order.set_has_units(entry.has_units);
    order.set_restock(entry.restock);
    if let Some(payment) = entry.payment {
        order.set_payment(payment);
    }
    if entry.extension.is_some() {
        order.set_extended();
    }
    let at = order.first_expires_at();
    if let Some(extension) = entry.extension {
        state.extensions.insert(slot, extension);
    }
    match (entry.state, entry.extension) {
        (OrderState::Held, Some(extension)) => {
            state.deadlines.extend(Deadline { at: extension.expires_at, slot })
        }
        (OrderState::Held, None) => state.deadlines.push(entry.hold_ttl_s, Deadline { at, slot }),
        _ => {}
    }
    sums.add(state, state.orders.get(slot)).map_err(RestoreError::Broken)
}

fn check_order(state: &State, entry: &OrderEntry) -> Pushed {
    let last = state.orders.len().checked_sub(1).and_then(|slot| u32::try_from(slot).ok());
    let grows = last.is_none_or(|slot| state.orders.get(slot).id < entry.order);
    if !grows || entry.order.shard() != state.shard {
        return Err(RestoreError::Misplaced("an order out of order"));
    }
    let sale = state.sale(entry.sale).ok_or(RestoreError::Misplaced("an order of no sale"))?;
    if entry.lines.iter().any(|line| sale.item(line.item).is_none()) {
        return Err(RestoreError::Misplaced("an order of no item"));
    }
    if !state.orders.has_room() {
        return Err(RestoreError::Misplaced("too many orders"));
    }
    Ok(())
}

fn push_surplus(state: &mut State, order: OrderId, surplus: Surplus) -> Pushed {
    let known = state.orders.slot(order).is_some();
    if !known || state.surplus.insert((order, surplus.payment), surplus).is_some() {
        return Err(RestoreError::Misplaced("a surplus payment of no order, or twice"));
    }
    Ok(())
}

fn last_sale(state: &mut State, sale: SaleId) -> Result<&mut Sale, RestoreError> {
    let last = state.sales.len().checked_sub(1) == Some(usize::from(sale.0));
    if !last {
        return Err(RestoreError::Misplaced("an item or key of another sale"));
    }
    Ok(state.sale_mut(sale))
}

impl Restore {
    /// The position that the snapshot stands for, once its head was pushed.
    pub fn seq(&self) -> Option<Seq> {
        self.head.map(|head| head.seq)
    }
}
