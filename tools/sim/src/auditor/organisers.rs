//! What the organisers were told.

use domain::{Answer, Command, ItemIndex, KeyDigest, Refusal, SaleStatus, StockReceipt};

use super::{Auditor, Bounds, Verdict, ensure};
use crate::place::{Place, SaleRef};
use crate::reached::Mark;
use crate::shape::SaleShape;
use crate::system::Outcome;

/// A sale that was acknowledged.
#[derive(Debug)]
pub(super) struct KnownSale {
    pub(super) shape: SaleShape,
    /// Somebody knows it to have been open.
    pub(super) has_opened: bool,
    /// The organiser asked for it at least once.
    pub(super) may_be_paused: bool,
    may_be_closed: bool,
}

impl Auditor {
    /// It was acknowledged that the sale was made.
    pub fn expect_sale(&mut self, sale: SaleRef, shape: &SaleShape) {
        if self.sales.contains_key(&sale) {
            return;
        }
        for (item, (_, stock)) in (0..).map(ItemIndex).zip(&shape.items) {
            let stock = u64::from(*stock);
            self.stock.insert((sale, item), Bounds { low: stock, high: stock });
        }
        let shape = shape.clone();
        let known = KnownSale { shape, has_opened: false, may_be_paused: false, may_be_closed: false };
        self.sales.insert(sale, known);
    }

    /// The organiser of a sale asks for something for the first time.
    pub fn expect_task(&mut self, sale: SaleRef, task: &Command) {
        let known = self.sales.get_mut(&sale).expect("it was made");
        match task {
            Command::ChangeStock { item, change, .. } => {
                let bounds = self.stock.get_mut(&(sale, *item)).expect("the item was made");
                bounds.high += u64::from((*change).max(0).unsigned_abs());
            }
            Command::MoveSale { to: SaleStatus::Paused, .. } => known.may_be_paused = true,
            Command::MoveSale { to: SaleStatus::Closed, .. } => known.may_be_closed = true,
            _ => {}
        }
    }

    /// Whether a sale can have been closed, by its organiser or by the clock.
    pub fn may_be_closed(&self, sale: SaleRef) -> bool {
        self.sales.get(&sale).is_some_and(|known| {
            let closes_at = known.shape.terms.closes_at;
            known.may_be_closed || closes_at.is_some_and(|instant| instant <= self.now)
        })
    }

    /// Judges what an organiser's task came to; `sale` once it was made.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn judge_organiser(&mut self, sale: Option<SaleRef>, task: &Command, outcome: &Outcome) -> Verdict {
        match outcome {
            Ok(answer) => self.judge_done(sale, task, answer),
            Err(refusal) => self.judge_not_done(sale, task, refusal),
        }
        .map_err(|wrong| format!("{wrong}\n  at {task:?} of {sale:?}\n  which came to {outcome:?}"))
    }

    fn judge_done(&mut self, made: Option<SaleRef>, task: &Command, answer: &Answer) -> Verdict {
        match (task, answer) {
            (Command::ChangeStock { sale, item, change, key }, Answer::Stock(receipt)) => {
                let asked = (*sale, *item, *change) == (receipt.sale, receipt.item, receipt.change);
                ensure(asked, "a receipt for something else")?;
                let made = made.ok_or("a receipt for a sale that nobody made")?;
                self.judge_receipt((made, *item), receipt, key.expect("the organiser uses keys"))
            }
            (
                Command::CreateSale { .. } | Command::EditSale { .. } | Command::MoveSale { .. },
                Answer::Sale { sale, seq, .. },
            ) => {
                let Some(made) = made else { return Ok(()) };
                ensure(*sale == made.sale, "an answer about another sale")?;
                self.see_seq(made.shard, *seq);
                if let (Command::MoveSale { to: SaleStatus::Open, .. }, Some(known)) =
                    (task, self.sales.get_mut(&made))
                {
                    known.has_opened = true;
                }
                Ok(())
            }
            _ => Err("that is no answer to it".to_owned()),
        }
    }

    fn judge_not_done(&mut self, made: Option<SaleRef>, task: &Command, refusal: &Refusal) -> Verdict {
        let made = made.ok_or("nobody made that sale yet")?;
        let is_fair = match (task, refusal) {
            (Command::ChangeStock { change, .. }, Refusal::StockExhausted { left, .. }) => {
                *change < 0 && *left < change.unsigned_abs()
            }
            // It was changed since.
            (Command::CreateSale { .. }, Refusal::SaleExists) => true,
            (Command::EditSale { .. }, Refusal::SaleClosed) => self.may_be_closed(made),
            (Command::MoveSale { to, .. }, Refusal::SaleState { from, to: told }) => {
                to == told && from != to && !from.may_become(*to)
            }
            _ => false,
        };
        ensure(is_fair, "no reason for that")
    }

    fn judge_receipt(&mut self, place: Place, receipt: &StockReceipt, key: KeyDigest) -> Verdict {
        self.see_seq(place.0.shard, receipt.seq);
        if let Some(first) = self.receipts.get(&(place.0, key)) {
            self.reached.mark(Mark::FirstReceiptAgain);
            return ensure(first == receipt, "another receipt under the same key");
        }
        self.receipts.insert((place.0, key), *receipt);
        let bounds = self.stock.get_mut(&place).ok_or("an item that nobody made")?;
        bounds.low += u64::from(receipt.change.max(0).unsigned_abs());
        let added = receipt.change > 0;
        self.reached.mark(if added { Mark::StockAdded } else { Mark::StockWithdrawn });
        ensure(receipt.levels.is_conserved(), "units got lost")?;
        let stock = u64::from(receipt.levels.stock);
        ensure(bounds.low <= stock && stock <= bounds.high, "more or less stock than there is")
    }
}
