//! The organiser: makes the sale, opens and pauses it, changes stock and terms. Does one thing at a time, and
//! again until it is answered.

use domain::{Command, ItemIndex, KeyDigest, SaleId, SalePatch, SaleStatus, Slug};

use crate::crowd::PATIENCE_MS;
use crate::dice::Dice;
use crate::place::SaleRef;
use crate::shape::SaleShape;

/// The organiser of one sale.
#[derive(Debug)]
pub struct Organiser {
    shape: SaleShape,
    /// The sale, once it was answered that it is made.
    sale: Option<SaleRef>,
    task: Option<Command>,
    asks_again_ms: u64,
    opens_next: bool,
    key_count: u64,
    dice: Dice,
}

impl Organiser {
    /// An organiser who wants to make this sale, and to open it unless the clock will.
    pub fn new(dice: Dice, shape: SaleShape) -> Organiser {
        let SaleShape { slug, terms, items } = shape.clone();
        let opens_next = terms.opens_at.is_none();
        let task = Some(Command::CreateSale { slug, terms: terms.into(), items });
        Organiser { shape, sale: None, task, asks_again_ms: 0, opens_next, key_count: 0, dice }
    }

    /// What was to be made.
    pub fn shape(&self) -> &SaleShape {
        &self.shape
    }

    /// Its code.
    pub fn slug(&self) -> &Slug {
        &self.shape.slug
    }

    /// The sale, once it is made.
    pub fn sale(&self) -> Option<SaleRef> {
        self.sale
    }

    /// What is being tried, if anything.
    pub fn task(&self) -> Option<&Command> {
        self.task.as_ref()
    }

    /// It was answered: the sale exists.
    pub fn made(&mut self, sale: SaleRef) {
        self.sale = Some(sale);
    }

    /// The task, if it is to be asked for now.
    pub fn due(&self, elapsed_ms: u64) -> Option<&Command> {
        self.task.as_ref().filter(|_| elapsed_ms >= self.asks_again_ms)
    }

    /// It was asked for: the organiser waits.
    pub fn asked(&mut self, elapsed_ms: u64) {
        self.asks_again_ms = elapsed_ms + PATIENCE_MS;
    }

    /// The organiser was told to come again later, or need not wait any longer.
    pub fn wait_until(&mut self, instant_ms: u64) {
        self.asks_again_ms = instant_ms;
    }

    /// That was done, or refused.
    pub fn done(&mut self, task: &Command) {
        if self.task.as_ref() == Some(task) {
            self.task = None;
            self.asks_again_ms = 0;
        }
    }

    /// Thinks of something to do, if nothing is being tried.
    pub fn think(&mut self) {
        let (None, Some(sale)) = (&self.task, self.sale) else { return };
        self.task = Some(self.idea(sale.sale));
    }

    /// Opens the sale if nothing else is being tried.
    pub fn open(&mut self) {
        let (None, Some(sale)) = (&self.task, self.sale) else { return };
        self.task = Some(Command::MoveSale { sale: sale.sale, to: SaleStatus::Open });
    }

    /// Whether the sale was not opened for the first time yet; says so once.
    pub fn take_first_opening(&mut self) -> bool {
        self.sale.is_some() && self.task.is_none() && std::mem::take(&mut self.opens_next)
    }

    fn idea(&mut self, sale: SaleId) -> Command {
        let item = self.dice.index(self.shape.items.len());
        let item = ItemIndex(u16::try_from(item).expect("few items"));
        let few = i32::try_from(self.dice.between(1, 12)).expect("it is small");
        match self.dice.below(10) {
            0..=2 => self.change_stock(sale, item, few),
            3..=5 => self.change_stock(sale, item, -few),
            6 => Command::MoveSale { sale, to: SaleStatus::Paused },
            7 | 8 => Command::MoveSale { sale, to: SaleStatus::Open },
            _ if self.dice.below(8) == 0 => Command::MoveSale { sale, to: SaleStatus::Closed },
            _ => {
                let hold_ttl_s = u16::try_from(self.dice.between(1, 12)).expect("it is small");
                let limit = u32::try_from(self.dice.between(2, 12)).expect("it is small");
                let per_buyer_max = Some((self.dice.below(3) == 0).then_some(limit));
                let patch = SalePatch { hold_ttl_s: Some(hold_ttl_s), per_buyer_max, ..SalePatch::default() };
                Command::EditSale { sale, patch: Box::new(patch) }
            }
        }
    }

    fn change_stock(&mut self, sale: SaleId, item: ItemIndex, change: i32) -> Command {
        self.key_count += 1;
        Command::ChangeStock { sale, item, change, key: Some(KeyDigest(self.key_count)) }
    }
}
