//! Holds the system to what it told its clients, and knows nothing else.
//!
//! It stands at the edge's door and sees requests come in and answers leave. An answer that left counts as given,
//! even when the network loses it afterwards: stricter than any client. From these alone it knows: an order that
//! was acknowledged is there for ever and its first answer stays the same; one key has one outcome in a shard;
//! orders move only along the table and holds end when they were promised to; money that was acknowledged is on its
//! order; no more is sold than there is; positions never go back; a refusal has its reason.

mod known;
mod organisers;
mod refusals;
mod tally;

use std::collections::BTreeMap;

use domain::{
    Answer, BuyerId, ItemIndex, KeyDigest, OrderId, OrderState, OrderView, Seq, ShardId, StockReceipt,
    UnixMs, Wish, Wishes,
};

use crate::crowd::{Deed, Purchase};
use crate::place::{Place, SaleRef};
use crate::reached::{Mark, Reached};
use crate::system::Outcome;
use known::Known;
use organisers::KnownSale;

/// What is wrong, in words.
pub type Verdict = Result<(), String>;

/// Holds of all shapes and edits last at most so long.
const HOLD_TTL_S_MAX: u16 = 12;

/// Who remembers what was answered.
#[derive(Debug, Default)]
pub struct Auditor {
    sales: BTreeMap<SaleRef, KnownSale>,
    orders: BTreeMap<OrderId, Known>,
    by_key: BTreeMap<(ShardId, BuyerId, KeyDigest), OrderId>,
    receipts: BTreeMap<(SaleRef, KeyDigest), StockReceipt>,
    stock: BTreeMap<Place, Bounds>,
    seqs: BTreeMap<ShardId, Seq>,
    /// The latest instant that the machine's clock showed.
    now: UnixMs,
    /// What was reached, as far as answers show it.
    pub reached: Reached,
}

/// What an item's stock may be: an addition without an answer counts above only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Bounds {
    low: u64,
    high: u64,
}

impl Auditor {
    /// The latest instant that the machine's clock showed.
    pub fn look_at_clock(&mut self, latest: UnixMs) {
        self.now = latest;
    }

    /// How many orders of a shard were acknowledged.
    pub fn order_count(&self, shard: ShardId) -> usize {
        self.orders.keys().filter(|order| order.shard() == shard).count()
    }

    /// The orders as they were last seen.
    pub fn orders(&self) -> impl Iterator<Item = &OrderView> {
        self.orders.values().map(|known| &known.last)
    }

    /// Judges what a deed came to.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn judge(&mut self, purchase: &Purchase, deed: &Deed, outcome: &Outcome) -> Verdict {
        match outcome {
            Ok(Answer::Order(view)) => self.judge_view(purchase, deed, view),
            Ok(other) => Err(format!("{deed:?} was answered with {other:?}")),
            Err(refusal) => self.judge_refusal(purchase, deed, refusal),
        }
        .map_err(|wrong| format!("{wrong}\n  at {deed:?} of {purchase:?}\n  which came to {outcome:?}"))
    }

    fn judge_view(&mut self, purchase: &Purchase, deed: &Deed, view: &OrderView) -> Verdict {
        self.see_seq(view.order.shard(), view.seq);
        let place = (view.order.shard(), view.sale);
        let is_theirs = view.buyer == purchase.buyer && place == (purchase.sale.shard, purchase.sale.sale);
        ensure(is_theirs, "an order of somebody else")?;
        let wishes: Vec<Wish> = view.lines.iter().map(domain::Line::wish).collect();
        ensure(wishes == purchase.wishes.as_slice(), "an order of something else")?;
        match deed {
            Deed::Place | Deed::AskAgain => self.judge_first_answer(purchase, view),
            Deed::AskOther | Deed::AskElsewhere(_) => Err("a key was good for two requests".to_owned()),
            Deed::Spy => Err("somebody else's order was shown".to_owned()),
            Deed::PayWrong(_) => Err("a wrong amount was taken".to_owned()),
            _ => self.judge_deed(purchase, deed, view),
        }
    }

    fn judge_deed(&mut self, purchase: &Purchase, deed: &Deed, view: &OrderView) -> Verdict {
        let known = self.orders.get_mut(&view.order).ok_or("an order that nobody was given")?;
        let marks = known::marks(purchase, deed, view, known);
        match deed {
            Deed::Extend(key) => known.judge_extension(*key, view, self.now)?,
            _ => {
                known.see(view, self.now)?;
                known.judge_deed(deed, view, self.now)?;
            }
        }
        marks.into_iter().for_each(|mark| self.reached.mark(mark));
        Ok(())
    }

    fn judge_first_answer(&mut self, purchase: &Purchase, view: &OrderView) -> Verdict {
        ensure(view.state == OrderState::Held && !view.extended, "a first answer that is not one")?;
        let key = (purchase.sale.shard, purchase.buyer, purchase.key);
        if let Some(order) = self.by_key.get(&key) {
            let first = &self.orders[order].first;
            self.reached.mark(Mark::FirstAnswerAgain);
            return ensure(first == view, "another answer to the same request under the same key");
        }
        self.judge_promise(purchase.sale, view)?;
        self.by_key.insert(key, view.order);
        let twice = self.orders.insert(view.order, Known::new(view));
        ensure(twice.is_none(), "one order for two keys")
    }

    /// What a first answer promises: prices and the end of the hold.
    fn judge_promise(&mut self, sale: SaleRef, view: &OrderView) -> Verdict {
        let known = self.sales.get_mut(&sale).ok_or("an order of a sale that nobody made")?;
        known.has_opened = true;
        let priced = |line: &domain::Line| {
            let item = known.shape.items.get(usize::from(line.item.0));
            item.is_some_and(|(terms, _)| terms.unit_price == line.unit_price)
        };
        ensure(view.lines.iter().all(priced), "a price that nobody set")?;
        let placed_at = view.order.placed_at();
        let is_fair = placed_at < view.expires_at && view.expires_at <= placed_at.plus_s(HOLD_TTL_S_MAX);
        ensure(is_fair, "a hold of another length than any that was set")
    }

    /// Whether a shard that just recovered has everything that was acknowledged.
    ///
    /// # Errors
    /// What is missing or has changed.
    pub fn check_recovered(
        &mut self,
        (shard, seq): (ShardId, Seq),
        order_of: impl Fn(OrderId) -> Option<OrderView>,
        order_by_key: impl Fn(BuyerId, KeyDigest) -> Option<OrderId>,
    ) -> Verdict {
        let acknowledged = self.seqs.get(&shard).copied().unwrap_or_default();
        if seq < acknowledged {
            return Err(format!(
                "position {} was acknowledged in {shard:?}, but recovery ends with {}",
                acknowledged.0, seq.0
            ));
        }
        for (order, known) in self.orders.iter_mut().filter(|(order, _)| order.shard() == shard) {
            let view = order_of(*order).ok_or_else(|| format!("an acknowledged order is lost: {known:?}"))?;
            known
                .see(&view, self.now)
                .map_err(|wrong| format!("{wrong}\n  after recovery: {view:?}\n  before: {known:?}"))?;
        }
        let mut keys = self.by_key.iter().filter(|((of, ..), _)| *of == shard);
        match keys.find(|((_, buyer, key), order)| order_by_key(*buyer, *key) != Some(**order)) {
            Some(lost) => Err(format!("an acknowledged key is lost: {lost:?}")),
            None => Ok(()),
        }
    }

    /// No hold lasts longer than it was promised: at `clock` all that are over must have ended.
    ///
    /// # Errors
    /// Which one goes on.
    pub fn check_holds(
        &self,
        shard: ShardId,
        clock: UnixMs,
        order_of: impl Fn(OrderId) -> Option<OrderView>,
    ) -> Verdict {
        let over = self.orders.values().map(|known| &known.last).filter(|last| {
            last.order.shard() == shard && last.state == OrderState::Held && last.expires_at <= clock
        });
        for last in over {
            let view = order_of(last.order).ok_or_else(|| format!("an order is lost: {last:?}"))?;
            let goes_on = view.state == OrderState::Held && view.expires_at <= clock;
            ensure(!goes_on, &format!("a hold is over and goes on at {clock:?}: {view:?}"))?;
        }
        Ok(())
    }

    fn see_seq(&mut self, shard: ShardId, seq: Seq) {
        let latest = self.seqs.entry(shard).or_default();
        *latest = seq.max(*latest);
    }
}

/// How many units of an item are wanted.
fn wants(wishes: &Wishes, item: ItemIndex) -> Option<u16> {
    wishes.iter().find(|wish| wish.item == item).map(|wish| wish.quantity)
}

fn ensure(holds: bool, otherwise: &str) -> Verdict {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}
