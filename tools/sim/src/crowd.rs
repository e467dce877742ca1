//! The buyers and their payment provider: who wants what, what they do with it, and how they behave when no answer
//! comes.
//!
//! A client that got no answer knows nothing, and asks again under the same key until it gets one. A client
//! that was refused gives that wish up. The provider calls on its own, and knows of an order as soon as there is one.

mod deed;
mod plan;
mod purchase;

use std::collections::BTreeSet;

use domain::{BuyerId, ItemIndex, KeyDigest, ShardId, Wish, Wishes};

pub use deed::Deed;
pub use plan::payment;
pub use purchase::{Call, Moment, PATIENCE_MS, Purchase};

use crate::dice::Dice;
use crate::errand::By;
use crate::place::SaleRef;

/// A sale as the crowd sees it.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// Which sale.
    pub sale: SaleRef,
    /// How many items it has.
    pub item_count: u64,
}

/// Everybody.
#[derive(Debug)]
pub struct Crowd {
    buyer_count: u64,
    offers: Vec<Offer>,
    purchases: Vec<Purchase>,
    /// Keys bind within a shard: the same pair may stand for another order in another one.
    keys: BTreeSet<(ShardId, BuyerId, KeyDigest)>,
    dice: Dice,
}

impl Crowd {
    /// A crowd that wants nothing yet.
    pub fn new(dice: Dice, buyer_count: u64) -> Crowd {
        Crowd { buyer_count, offers: Vec::new(), purchases: Vec::new(), keys: BTreeSet::new(), dice }
    }

    /// The crowd hears of a sale.
    pub fn hear_of(&mut self, offer: Offer) {
        self.offers.push(offer);
    }

    /// Somebody wants something, if there is any sale yet; says whether under a key that stands for another order in
    /// another shard.
    pub fn want(&mut self) -> bool {
        if self.offers.is_empty() {
            return false;
        }
        let offer = self.dice.pick(&self.offers);
        let (buyer, key, is_used) = self.name_and_key(offer.sale.shard);
        let wishes = self.wishes(offer.item_count);
        let index = self.add(Purchase::new(buyer, key, offer.sale, wishes));
        let other = self
            .offers
            .iter()
            .map(|offer| offer.sale)
            .find(|sale| sale.shard == offer.sale.shard && sale.sale != offer.sale.sale);
        let (todo, calls) = plan::plan(&mut self.dice, key, other);
        let purchase = &mut self.purchases[index];
        (purchase.todo, purchase.calls) = (todo, calls);
        is_used
    }

    /// Somebody new wants one unit of that item, and to keep it; which purchase it is.
    pub fn want_one(&mut self, sale: SaleRef, item: ItemIndex) -> usize {
        let newcomer = self.buyer_count + self.next_number();
        let key = KeyDigest(self.next_number());
        self.add(Purchase::new(buyer(newcomer), key, sale, Wishes::one(Wish { item, quantity: 1 })))
    }

    fn add(&mut self, purchase: Purchase) -> usize {
        let is_new = self.keys.insert((purchase.sale.shard, purchase.buyer, purchase.key));
        assert!(is_new, "one key for two purchases: {purchase:?}");
        self.purchases.push(purchase);
        self.purchases.len() - 1
    }

    fn next_number(&self) -> u64 {
        u64::try_from(self.purchases.len()).expect("a length fits in 64 bits")
    }

    /// Now and then a buyer uses a key again, in another shard.
    fn name_and_key(&mut self, shard: ShardId) -> (BuyerId, KeyDigest, bool) {
        if !self.purchases.is_empty() && self.dice.below(8) == 0 {
            let earlier = &self.purchases[self.dice.index(self.purchases.len())];
            let (buyer, key) = (earlier.buyer, earlier.key);
            if !self.keys.contains(&(shard, buyer, key)) {
                return (buyer, key, true);
            }
        }
        (buyer(self.dice.below(self.buyer_count)), KeyDigest(self.next_number()), false)
    }

    /// All wishes there ever were.
    pub fn purchases(&self) -> &[Purchase] {
        &self.purchases
    }

    /// One of them, to change it.
    pub fn purchase_mut(&mut self, index: usize) -> &mut Purchase {
        &mut self.purchases[index]
    }

    /// What is to be done now, wish by wish.
    pub fn due(&mut self, moment: Moment) -> Vec<(usize, Deed, By)> {
        let mut due = Vec::new();
        for (index, purchase) in self.purchases.iter_mut().enumerate() {
            due.extend(purchase.due(moment).map(|deed| (index, deed, By::Buyer)));
            due.extend(purchase.calls_due(moment).map(|(call, deed)| (index, deed, By::Provider(call))));
        }
        due
    }

    /// Whoever gave up though an attempt had stayed without an answer asks once more.
    pub fn reconsider(&mut self) {
        self.purchases.iter_mut().for_each(Purchase::reconsider);
    }

    /// Nobody waits any longer for an answer that will not come: they ask again at once.
    pub fn lose_patience(&mut self) {
        self.purchases.iter_mut().for_each(Purchase::lose_patience);
    }

    /// Whether nobody has anything to do any more.
    pub fn is_content(&self) -> bool {
        self.purchases.iter().all(Purchase::is_content)
    }

    fn wishes(&mut self, item_count: u64) -> Wishes {
        let count = [1, 1, 1, 2, 3][self.dice.index(5)];
        let wishes: Vec<Wish> = (0..count).map(|_| self.wish(item_count)).collect();
        let first = wishes[0];
        // One item twice is refused long before the shard: such a buyer takes the first line.
        Wishes::new(wishes).unwrap_or_else(|_| Wishes::one(first))
    }

    fn wish(&mut self, item_count: u64) -> Wish {
        let item = u16::try_from(self.dice.below(item_count)).expect("few items");
        Wish { item: ItemIndex(item), quantity: u16::try_from(self.dice.between(1, 4)).expect("it is small") }
    }
}

/// The buyer of that number.
pub fn buyer(number: u64) -> BuyerId {
    BuyerId::from_text(&format!("buyer-{number}"))
}
