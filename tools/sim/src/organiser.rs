//! The organiser: makes the sale, opens and pauses it, changes stock and terms. Does one thing at a time, and
//! again until it is answered.

use domain::{Command, ItemIndex, ItemTerms, KeyDigest, SaleId, SalePatch, SaleStatus, SaleTerms, Slug};

use crate::dice::Dice;

/// The organiser of one sale.
#[derive(Debug)]
pub struct Organiser {
    /// The sale, once it was answered that it is made.
    sale: Option<SaleId>,
    task: Option<Command>,
    opens_next: bool,
    item_count: u64,
    key_count: u64,
    dice: Dice,
}

impl Organiser {
    /// An organiser who wants to make this sale, and to open it.
    pub fn new(dice: Dice, terms: SaleTerms, items: Vec<(ItemTerms, u32)>) -> Organiser {
        let item_count = u64::try_from(items.len()).expect("a length fits in 64 bits");
        let slug = Slug::new("rush").expect("a legal code");
        let task = Some(Command::CreateSale { slug, terms, items });
        Organiser { sale: None, task, opens_next: true, item_count, key_count: 0, dice }
    }

    /// The sale, once it is made.
    pub fn sale(&self) -> Option<SaleId> {
        self.sale
    }

    /// What is being tried, if anything.
    pub fn task(&self) -> Option<&Command> {
        self.task.as_ref()
    }

    /// It was answered: the sale exists.
    pub fn made(&mut self, sale: SaleId) {
        self.sale = Some(sale);
    }

    /// What was tried is done, or was refused.
    pub fn done(&mut self) {
        self.task = None;
    }

    /// Thinks of something to do, if nothing is being tried.
    pub fn think(&mut self) {
        let (None, Some(sale)) = (&self.task, self.sale) else { return };
        self.task = Some(self.idea(sale));
    }

    /// Opens the sale if nothing else is being tried.
    pub fn open(&mut self) {
        let (None, Some(sale)) = (&self.task, self.sale) else { return };
        self.task = Some(Command::MoveSale { sale, to: SaleStatus::Open });
    }

    /// Whether the sale was not opened for the first time yet; says so once.
    pub fn take_first_opening(&mut self) -> bool {
        self.sale.is_some() && self.task.is_none() && std::mem::take(&mut self.opens_next)
    }

    fn idea(&mut self, sale: SaleId) -> Command {
        let item = ItemIndex(u16::try_from(self.dice.below(self.item_count)).expect("few items"));
        let few = i32::try_from(self.dice.between(1, 12)).expect("it is small");
        match self.dice.below(10) {
            0..=2 => self.change_stock(sale, item, few),
            3..=5 => self.change_stock(sale, item, -few),
            6 => Command::MoveSale { sale, to: SaleStatus::Paused },
            7 | 8 => Command::MoveSale { sale, to: SaleStatus::Open },
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
