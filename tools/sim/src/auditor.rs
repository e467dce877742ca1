//! Holds the system to what its clients were told, and knows nothing else.
//!
//! It sees requests and the answers that arrived. From these alone it knows: an order that was acknowledged is
//! there for ever and its first answer stays the same; one key has one outcome; orders move only along the table;
//! money that was acknowledged is on its order; no more is sold than there is; positions never go back.

mod known;
mod refusals;
mod tally;

use std::collections::BTreeMap;

use domain::{
    Answer, BuyerId, Command, ItemIndex, KeyDigest, OrderId, OrderState, OrderView, Refusal, Seq,
    StockReceipt, Wish, Wishes,
};

use crate::crowd::{Deed, Purchase};
use crate::reached::{Mark, Reached};
use crate::system::Outcome;
use known::Known;
pub use tally::Place;

/// What is wrong, in words.
pub type Verdict = Result<(), String>;

/// Who remembers what was answered.
#[derive(Debug, Default)]
pub struct Auditor {
    orders: BTreeMap<OrderId, Known>,
    by_key: BTreeMap<(BuyerId, KeyDigest), OrderId>,
    receipts: BTreeMap<KeyDigest, StockReceipt>,
    stock: BTreeMap<Place, Bounds>,
    seq: Seq,
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
    /// The latest position that an answer named.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// How many orders were acknowledged.
    pub fn order_count(&self) -> usize {
        self.orders.len()
    }

    /// The orders as they were last seen.
    pub fn orders(&self) -> impl Iterator<Item = &OrderView> {
        self.orders.values().map(|known| &known.last)
    }

    /// The organiser makes a sale of this stock.
    pub fn expect_item(&mut self, place: Place, stock: u32) {
        self.stock.insert(place, Bounds { low: stock.into(), high: stock.into() });
    }

    /// The organiser asks for a change of stock for the first time.
    pub fn expect_change(&mut self, place: Place, change: i32) {
        let added = u64::from(change.max(0).unsigned_abs());
        self.stock.get_mut(&place).expect("the item was made").high += added;
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
        self.seq = self.seq.max(view.seq);
        ensure(view.buyer == purchase.buyer && view.sale == purchase.sale, "an order of somebody else")?;
        let wishes: Vec<Wish> = view.lines.iter().map(domain::Line::wish).collect();
        ensure(wishes == purchase.wishes.as_slice(), "an order of something else")?;
        match deed {
            Deed::Place | Deed::AskAgain => self.judge_first_answer(purchase, view),
            Deed::AskOther => Err("a key was good for two requests".to_owned()),
            Deed::Spy => Err("somebody else's order was shown".to_owned()),
            Deed::PayWrong(_) => Err("a wrong amount was taken".to_owned()),
            _ => {
                let known = self.orders.get_mut(&view.order).ok_or("an order that nobody was given")?;
                match deed {
                    Deed::Extend(_) => known.judge_extension(view)?,
                    _ => {
                        known.see(view)?;
                        known.judge_deed(deed, view)?;
                    }
                }
                self.mark(deed, view);
                Ok(())
            }
        }
    }

    fn judge_first_answer(&mut self, purchase: &Purchase, view: &OrderView) -> Verdict {
        ensure(view.state == OrderState::Held && !view.extended, "a first answer that is not one")?;
        let key = (purchase.buyer, purchase.key);
        if let Some(order) = self.by_key.get(&key) {
            let first = &self.orders[order].first;
            self.reached.mark(Mark::FirstAnswerAgain);
            return ensure(first == view, "another answer to the same request under the same key");
        }
        self.by_key.insert(key, view.order);
        let twice = self.orders.insert(view.order, Known::new(view));
        ensure(twice.is_none(), "one order for two keys")
    }

    /// Judges what the organiser's task came to.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn judge_organiser(&mut self, task: &Command, outcome: &Outcome) -> Verdict {
        match (task, outcome) {
            (Command::ChangeStock { sale, item, change, key }, Ok(Answer::Stock(receipt))) => {
                let asked = (*sale, *item, *change) == (receipt.sale, receipt.item, receipt.change);
                ensure(asked, "a receipt for something else")?;
                self.judge_receipt(receipt, key.expect("the organiser uses keys"))
            }
            (Command::ChangeStock { change, .. }, Err(Refusal::StockExhausted { .. })) if *change < 0 => {
                Ok(())
            }
            (
                Command::CreateSale { .. } | Command::EditSale { .. } | Command::MoveSale { .. },
                Ok(Answer::Sale { seq, .. }),
            ) => {
                self.seq = self.seq.max(*seq);
                Ok(())
            }
            // Nobody opened it yet.
            (Command::MoveSale { .. }, Err(Refusal::SaleState { .. })) => Ok(()),
            _ => Err("that is no answer to it".to_owned()),
        }
        .map_err(|wrong| format!("{wrong}\n  at {task:?}\n  which came to {outcome:?}"))
    }

    fn judge_receipt(&mut self, receipt: &StockReceipt, key: KeyDigest) -> Verdict {
        self.seq = self.seq.max(receipt.seq);
        if let Some(first) = self.receipts.get(&key) {
            self.reached.mark(Mark::FirstReceiptAgain);
            return ensure(first == receipt, "another receipt under the same key");
        }
        self.receipts.insert(key, *receipt);
        let bounds = self.stock.get_mut(&(receipt.sale, receipt.item)).ok_or("an item that nobody made")?;
        bounds.low += u64::from(receipt.change.max(0).unsigned_abs());
        let added = receipt.change > 0;
        self.reached.mark(if added { Mark::StockAdded } else { Mark::StockWithdrawn });
        ensure(receipt.levels.is_conserved(), "units got lost")?;
        let stock = u64::from(receipt.levels.stock);
        ensure(bounds.low <= stock && stock <= bounds.high, "more or less stock than there is")
    }

    /// Whether a system that just recovered has everything that was acknowledged.
    ///
    /// # Errors
    /// What is missing or has changed.
    pub fn check_recovered(
        &mut self,
        seq: Seq,
        order_of: impl Fn(OrderId) -> Option<OrderView>,
        order_by_key: impl Fn(BuyerId, KeyDigest) -> Option<OrderId>,
    ) -> Verdict {
        if seq < self.seq {
            return Err(format!(
                "position {} was acknowledged, but recovery ends with {}",
                self.seq.0, seq.0
            ));
        }
        for (order, known) in &mut self.orders {
            let view = order_of(*order).ok_or_else(|| format!("an acknowledged order is lost: {known:?}"))?;
            known
                .see(&view)
                .map_err(|wrong| format!("{wrong}\n  after recovery: {view:?}\n  before: {known:?}"))?;
        }
        let lost =
            self.by_key.iter().find(|((buyer, key), order)| order_by_key(*buyer, *key) != Some(**order));
        match lost {
            Some(lost) => Err(format!("an acknowledged key is lost: {lost:?}")),
            None => Ok(()),
        }
    }

    fn mark(&mut self, deed: &Deed, view: &OrderView) {
        for mark in known::marks(deed, view) {
            self.reached.mark(mark);
        }
    }
}

/// How many units of an item are wanted.
fn wants(wishes: &Wishes, item: ItemIndex) -> Option<u16> {
    wishes.iter().find(|wish| wish.item == item).map(|wish| wish.quantity)
}

fn ensure(holds: bool, otherwise: &str) -> Verdict {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}
