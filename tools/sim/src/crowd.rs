//! The buyers: who wants what, what they do with it, and how they behave when no answer comes.
//!
//! A client that got no answer knows nothing, and asks again under the same key until it gets one. A client
//! that was refused gives that wish up.

mod deed;

use std::collections::VecDeque;

use domain::{BuyerId, ItemIndex, KeyDigest, OrderView, SaleId, UnixMs, Wish, Wishes};

pub use deed::Deed;

use crate::dice::Dice;

/// One wish of one buyer, from the first click to the end of its story.
#[derive(Clone, Debug)]
pub struct Purchase {
    /// Who.
    pub buyer: BuyerId,
    /// Under which key.
    pub key: KeyDigest,
    /// Of which sale.
    pub sale: SaleId,
    /// Which units.
    pub wishes: Wishes,
    /// The order as it was first answered.
    pub order: Option<OrderView>,
    /// How often it was asked for without an answer.
    pub unanswered: u64,
    /// What will be done with the order, one after the other.
    pub todo: VecDeque<Deed>,
    refused: bool,
}

/// Everybody.
#[derive(Debug)]
pub struct Crowd {
    buyer_count: u64,
    item_count: u64,
    purchases: Vec<Purchase>,
    dice: Dice,
}

impl Crowd {
    /// A crowd that wants nothing yet.
    pub fn new(dice: Dice, buyer_count: u64, item_count: u64) -> Crowd {
        Crowd { buyer_count, item_count, purchases: Vec::new(), dice }
    }

    /// Somebody wants something.
    pub fn want(&mut self, sale: SaleId) {
        let buyer = buyer(self.dice.below(self.buyer_count));
        let wishes = self.wishes();
        let index = self.add(buyer, sale, wishes);
        let key = self.purchases[index].key;
        self.purchases[index].todo = deed::plan(&mut self.dice, key);
    }

    /// Somebody new wants one unit of that item, and to keep it; which purchase it is.
    pub fn want_one(&mut self, sale: SaleId, item: ItemIndex) -> usize {
        let newcomer =
            self.buyer_count + u64::try_from(self.purchases.len()).expect("a length fits in 64 bits");
        self.add(buyer(newcomer), sale, Wishes::one(Wish { item, quantity: 1 }))
    }

    fn add(&mut self, buyer: BuyerId, sale: SaleId, wishes: Wishes) -> usize {
        let index = self.purchases.len();
        let key = KeyDigest(u64::try_from(index).expect("a length fits in 64 bits"));
        let todo = VecDeque::new();
        self.purchases.push(Purchase {
            buyer,
            key,
            sale,
            wishes,
            order: None,
            unanswered: 0,
            todo,
            refused: false,
        });
        index
    }

    /// All wishes there ever were.
    pub fn purchases(&self) -> &[Purchase] {
        &self.purchases
    }

    /// One of them, to change it.
    pub fn purchase_mut(&mut self, index: usize) -> &mut Purchase {
        &mut self.purchases[index]
    }

    /// What is to be done at `now`, wish by wish.
    pub fn due(&mut self, now: UnixMs) -> Vec<(usize, Deed)> {
        let due = |(index, purchase): (usize, &mut Purchase)| purchase.due(now).map(|deed| (index, deed));
        self.purchases.iter_mut().enumerate().filter_map(due).collect()
    }

    /// Whether nobody has anything to do any more.
    pub fn is_content(&self) -> bool {
        self.purchases
            .iter()
            .all(|purchase| purchase.refused || (purchase.order.is_some() && purchase.todo.is_empty()))
    }

    fn wishes(&mut self) -> Wishes {
        let count = [1, 1, 1, 2, 3][self.dice.index(5)];
        let wishes: Vec<Wish> = (0..count).map(|_| self.wish()).collect();
        let first = wishes[0];
        // One item twice is refused long before the shard: such a buyer takes the first line.
        Wishes::new(wishes).unwrap_or_else(|_| Wishes::one(first))
    }

    fn wish(&mut self) -> Wish {
        let item = u16::try_from(self.dice.below(self.item_count)).expect("few items");
        Wish { item: ItemIndex(item), quantity: u16::try_from(self.dice.between(1, 4)).expect("it is small") }
    }
}

/// The buyer of that number.
pub fn buyer(number: u64) -> BuyerId {
    BuyerId::from_text(&format!("buyer-{number}"))
}

impl Purchase {
    fn due(&mut self, now: UnixMs) -> Option<Deed> {
        match &self.order {
            _ if self.refused => None,
            None => Some(Deed::Place),
            Some(order) => {
                if self.todo.front() == Some(&Deed::AwaitEnd) && now >= order.expires_at {
                    self.todo.pop_front();
                }
                self.todo.front().filter(|deed| **deed != Deed::AwaitEnd).cloned()
            }
        }
    }

    /// The order is known now.
    pub fn placed(&mut self, first: &OrderView) {
        self.refused = false;
        self.order = Some(first.clone());
    }

    /// The answer was no.
    pub fn refuse(&mut self) {
        self.refused = self.order.is_none();
    }

    /// No answer came: the order may be there or not.
    pub fn unsure(&mut self) {
        self.refused = false;
        self.unanswered += 1;
    }

    /// That deed is done.
    pub fn done(&mut self, deed: &Deed) {
        if self.todo.front() == Some(deed) {
            self.todo.pop_front();
        }
    }
}
