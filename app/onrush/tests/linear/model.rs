//! What an item of a sale is, one step at a time, as its buyers may expect it: written from `docs/api.md`, and sharing
//! nothing with the engine. Holds do not end here: the sales of this test have longer ones than it runs.

use std::cell::Cell;

use todc_utils::Specification;

/// Clients count orders, keys and buyers by themselves.
pub(crate) type Number = u32;

/// What a client asks about one item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Call {
    /// The first of every history: the item is made.
    Announce {
        stock: u32,
        per_buyer_max: u32,
    },
    Place {
        buyer: Number,
        key: Number,
        quantity: u32,
    },
    Cancel {
        order: Number,
    },
    /// The payments of an order are numbered from 0.
    Pay {
        order: Number,
        payment: u8,
    },
    Look {
        order: Number,
    },
    LookAtLevels,
    ChangeStock {
        key: Number,
        change: i32,
    },
}

/// What it is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Done,
    /// The order that was placed under the key, now or before.
    Placed(Number),
    SoldOut {
        left: u32,
    },
    LimitReached {
        taken: u32,
    },
    KeyReused,
    /// The order's state after what was asked.
    State(OrderState),
    /// Refused, because the order is in this state.
    RefusedIn(OrderState),
    Order(Money),
    NotFound,
    Levels(Levels),
}

/// The states that an order of this test can be in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum OrderState {
    Held,
    Paid,
    Cancelled,
    Refunding,
}

/// What an order shows of its payments.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Money {
    pub(crate) state: OrderState,
    pub(crate) payment: Option<u8>,
    /// One bit for each payment that came too much.
    pub(crate) surplus: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Levels {
    pub(crate) stock: u32,
    pub(crate) free: u32,
    pub(crate) held: u32,
    pub(crate) paid: u32,
    pub(crate) withdrawn: u32,
}

/// A call and its answer; `None` when none ever came: it happened, or it did not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    pub(crate) call: Call,
    pub(crate) answer: Option<Answer>,
}

/// An item. Equal ones are equal in memory, in whatever order they came about: the search relies on it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Item {
    levels: Levels,
    per_buyer_max: u32,
    /// By buyer and key.
    orders: Vec<Order>,
    /// By key: the change, and the levels right after it.
    changes: Vec<(Number, i32, Levels)>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Order {
    buyer: Number,
    key: Number,
    quantity: u32,
    /// `None` until somebody is told.
    number: Option<Number>,
    money: Money,
}

impl Specification for Item {
    type State = Item;
    type Operation = Operation;

    fn init() -> Item {
        Item::default()
    }

    fn apply(operation: &Operation, item: &Item) -> (bool, Item) {
        match item.after(operation).filter(|_| STEPS_LEFT.get() > 0) {
            Some(after) => {
                STEPS_LEFT.set(STEPS_LEFT.get() - 1);
                (true, after)
            }
            None => (false, item.clone()),
        }
    }
}

thread_local! {
    /// The checker asks a function without a place of its own, so the bound of its search is kept here. When it is
    /// used up nothing is allowed any more, and the search ends soon.
    static STEPS_LEFT: Cell<u64> = const { Cell::new(0) };
}

/// Runs a search that may take so many steps; says how many it took, which are all if it was cut short.
pub(crate) fn with_steps<T>(count_max: u64, search: impl FnOnce() -> T) -> (T, u64) {
    STEPS_LEFT.set(count_max);
    let found = search();
    (found, count_max - STEPS_LEFT.get())
}

impl Item {
    /// The item after an operation; `None` when the answer cannot be this one.
    pub(crate) fn after(&self, operation: &Operation) -> Option<Item> {
        let mut after = self.clone();
        after.allows(operation).then_some(after)
    }

    /// Does what is asked, and says whether the answer may be this one. What it leaves is of use only if so.
    fn allows(&mut self, operation: &Operation) -> bool {
        let answer = operation.answer;
        match operation.call {
            Call::Announce { stock, per_buyer_max } => {
                *self = Item {
                    levels: Levels { stock, free: stock, ..Levels::default() },
                    per_buyer_max,
                    ..Item::default()
                };
                is(answer, Answer::Done)
            }
            Call::Place { buyer, key, quantity } => self.place((buyer, key), quantity, answer),
            Call::Cancel { order } => self.of_order(order, answer, Item::cancel),
            Call::Pay { order, payment } => {
                self.of_order(order, answer, |item, place| item.pay(place, payment))
            }
            Call::Look { order } => {
                self.of_order(order, answer, |item, place| Answer::Order(item.orders[place].money))
            }
            Call::LookAtLevels => is(answer, Answer::Levels(self.levels)),
            Call::ChangeStock { key, change } => is(answer, self.change_stock(key, change)),
        }
    }

    fn place(&mut self, (buyer, key): (Number, Number), quantity: u32, answer: Option<Answer>) -> bool {
        match self.orders.binary_search_by_key(&(buyer, key), |order| (order.buyer, order.key)) {
            Ok(place) if self.orders[place].quantity != quantity => is(answer, Answer::KeyReused),
            Ok(place) => match answer {
                Some(Answer::Placed(number)) => self.is_told(place, number),
                _ => answer.is_none(),
            },
            Err(place) => self.place_anew(Order::new((buyer, key), quantity), place, answer),
        }
    }

    fn place_anew(&mut self, order: Order, place: usize, answer: Option<Answer>) -> bool {
        let (quantity, free, taken) = (order.quantity, self.levels.free, self.taken_by(order.buyer));
        let in_limit = taken + quantity <= self.per_buyer_max;
        let can_be_had = in_limit && quantity <= free;
        match answer {
            Some(Answer::Placed(number)) => {
                can_be_had && {
                    self.hold(order, place);
                    self.is_told(place, number)
                }
            }
            // That nothing at all is left may be said before the limit is looked at.
            Some(Answer::SoldOut { left }) => left == free && free < quantity && (in_limit || free == 0),
            Some(Answer::LimitReached { taken: told }) => !in_limit && told == taken,
            Some(_) => false,
            None => {
                if can_be_had {
                    self.hold(order, place);
                }
                true
            }
        }
    }

    fn hold(&mut self, order: Order, place: usize) {
        self.levels.free -= order.quantity;
        self.levels.held += order.quantity;
        self.orders.insert(place, order);
    }

    /// Somebody is told an order's number: the same one as before, and no other order's.
    fn is_told(&mut self, place: usize, number: Number) -> bool {
        match self.orders[place].number {
            Some(known) => known == number,
            None => {
                let is_new = self.orders.iter().all(|order| order.number != Some(number));
                self.orders[place].number = Some(number);
                is_new
            }
        }
    }

    fn taken_by(&self, buyer: Number) -> u32 {
        let counts = |order: &&Order| {
            order.buyer == buyer && matches!(order.money.state, OrderState::Held | OrderState::Paid)
        };
        self.orders.iter().filter(counts).map(|order| order.quantity).sum()
    }

    fn of_order(
        &mut self,
        number: Number,
        answer: Option<Answer>,
        act: impl FnOnce(&mut Item, usize) -> Answer,
    ) -> bool {
        match self.orders.iter().position(|order| order.number == Some(number)) {
            Some(place) => {
                let right = act(self, place);
                is(answer, right)
            }
            None => is(answer, Answer::NotFound),
        }
    }

    fn cancel(&mut self, place: usize) -> Answer {
        let Order { quantity, money, .. } = &mut self.orders[place];
        match money.state {
            OrderState::Held => {
                money.state = OrderState::Cancelled;
                self.levels.held -= *quantity;
                self.levels.free += *quantity;
                Answer::State(OrderState::Cancelled)
            }
            OrderState::Cancelled => Answer::State(OrderState::Cancelled),
            state @ (OrderState::Paid | OrderState::Refunding) => Answer::RefusedIn(state),
        }
    }

    fn pay(&mut self, place: usize, payment: u8) -> Answer {
        let Order { quantity, money, .. } = &mut self.orders[place];
        let is_known = money.payment == Some(payment) || money.surplus & (1 << payment) != 0;
        match money.state {
            _ if is_known => {}
            OrderState::Held => {
                (money.state, money.payment) = (OrderState::Paid, Some(payment));
                self.levels.held -= *quantity;
                self.levels.paid += *quantity;
            }
            OrderState::Cancelled => (money.state, money.payment) = (OrderState::Refunding, Some(payment)),
            OrderState::Paid | OrderState::Refunding => money.surplus |= 1 << payment,
        }
        Answer::State(money.state)
    }

    fn change_stock(&mut self, key: Number, change: i32) -> Answer {
        let place = match self.changes.binary_search_by_key(&key, |(key, ..)| *key) {
            Ok(place) if self.changes[place].1 == change => return Answer::Levels(self.changes[place].2),
            Ok(_) => return Answer::KeyReused,
            Err(place) => place,
        };
        let (levels, units) = (&mut self.levels, change.unsigned_abs());
        if change > 0 {
            levels.stock += units;
            levels.free += units;
        } else if levels.free < units {
            return Answer::SoldOut { left: levels.free };
        } else {
            levels.free -= units;
            levels.withdrawn += units;
        }
        self.changes.insert(place, (key, change, self.levels));
        Answer::Levels(self.levels)
    }
}

impl Order {
    fn new((buyer, key): (Number, Number), quantity: u32) -> Order {
        let money = Money { state: OrderState::Held, payment: None, surplus: 0 };
        Order { buyer, key, quantity, number: None, money }
    }
}

/// Whether what was told, if anything was, is right.
fn is(told: Option<Answer>, right: Answer) -> bool {
    told.is_none_or(|told| told == right)
}
