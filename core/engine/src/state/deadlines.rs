//! Which hold ends next.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use domain::{UnixMs, planted};

use super::chunked::Fifo;

/// The ends of all holds, in the order in which they end.
///
/// Time never runs backwards, so holds of one length end in the order in which they began: a queue for each
/// length that is in use is sorted by construction, and adding costs no comparison. Extended holds, which are
/// few, stand in a tree. A hold that ended early stays in its queue until it comes to the front; the front
/// itself is always live, so looking for what is due costs nothing when nothing is.
pub(crate) struct Deadlines {
    first: BTreeMap<u16, Fifo<Deadline>>,
    extended: BTreeSet<Deadline>,
}

/// The end of a hold. Slots grow with order numbers, so this sorts by time, then by order number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Deadline {
    pub(crate) at: UnixMs,
    pub(crate) slot: u32,
}

impl Deadlines {
    pub(crate) fn with_capacity(capacity: usize, hold_ttl_s: u16) -> Deadlines {
        let first = BTreeMap::from([(hold_ttl_s, Fifo::with_capacity(capacity))]);
        Deadlines { first, extended: BTreeSet::new() }
    }

    pub(crate) fn push(&mut self, hold_ttl_s: u16, deadline: Deadline) {
        let queue = self.first.entry(hold_ttl_s).or_default();
        if let Some(last) = queue.back() {
            assert!(*last < deadline, "holds of one length end in order: {last:?} before {deadline:?}");
        }
        queue.push_back(deadline);
    }

    pub(crate) fn extend(&mut self, deadline: Deadline) {
        self.extended.insert(deadline);
    }

    /// After a hold of this length ended: forget the ends at the front that are over.
    /// `is_live` says whether a first hold still counts.
    pub(crate) fn trim(&mut self, hold_ttl_s: u16, is_live: impl Fn(Deadline) -> bool) {
        let Some(queue) = self.first.get_mut(&hold_ttl_s) else { return };
        while queue.front().is_some_and(|deadline| !is_live(*deadline)) {
            queue.pop_front();
        }
    }

    /// After an extended hold ended.
    pub(crate) fn remove_extended(&mut self, deadline: Deadline) {
        self.extended.remove(&deadline);
    }

    /// The live ends up to and with `now`, in order.
    pub(crate) fn due(
        &self,
        now: UnixMs,
        is_live: impl Fn(Deadline) -> bool + Copy,
    ) -> impl Iterator<Item = Deadline> {
        let now = if planted!(ExpireEarly) { now.plus_s(1) } else { now };
        let is_due = move |deadline: &Deadline| deadline.at <= now;
        let first = self.first.values().map(move |queue| queue.iter().copied());
        let mut sources: Vec<_> = first
            .map(|queue| queue.take_while(is_due).filter(move |deadline| is_live(*deadline)).peekable())
            .collect();
        let mut extended = self.extended.iter().copied().take_while(is_due).peekable();
        core::iter::from_fn(move || {
            let fronts = sources.iter_mut().enumerate();
            let first = fronts.filter_map(|(source, queue)| Some((*queue.peek()?, source))).min();
            match (first, extended.peek()) {
                (Some((deadline, _)), Some(other)) if *other < deadline => extended.next(),
                (Some((_, source)), _) => sources[source].next(),
                (None, _) => extended.next(),
            }
        })
    }

    /// Whether no hold is due at `now`; costs a look at the front of each queue.
    pub(crate) fn none_due(&self, now: UnixMs) -> bool {
        let fronts = self.first.values().filter_map(Fifo::front).chain(self.extended.first());
        fronts.map(|deadline| deadline.at).min().is_none_or(|at| at > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deadline(at: u64, slot: u32) -> Deadline {
        Deadline { at: UnixMs(at), slot }
    }

    #[test]
    fn ends_of_all_lengths_come_in_one_order() {
        let mut deadlines = Deadlines::with_capacity(0, 1);
        deadlines.push(1, deadline(10, 0));
        deadlines.push(2, deadline(12, 1));
        deadlines.push(1, deadline(12, 2));
        deadlines.push(1, deadline(13, 3));
        deadlines.extend(deadline(11, 4));
        let due: Vec<u32> =
            deadlines.due(UnixMs(12), |deadline| deadline.slot != 2).map(|deadline| deadline.slot).collect();
        assert_eq!(due, [0, 4, 1]);
        assert!(deadlines.none_due(UnixMs(9)) && !deadlines.none_due(UnixMs(10)));
    }

    #[test]
    fn ended_holds_leave_the_front() {
        let mut deadlines = Deadlines::with_capacity(0, 1);
        (0..4).for_each(|slot| deadlines.push(1, deadline(10 + u64::from(slot), slot)));
        deadlines.trim(1, |deadline| deadline.slot == 2);
        assert!(deadlines.none_due(UnixMs(11)) && !deadlines.none_due(UnixMs(12)));
    }
}
