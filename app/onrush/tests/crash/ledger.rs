//! What the clients were told, and whether the server still says so.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::thread;

use serde_json::Value;

use crate::crowd::{CLIENT_COUNT, SALE};
use crate::figures::Tally;
use crate::support::http::{Ask, Connection};
use crate::support::sale::{Shop, Units, order_of, quantity_of, units_by_state};
use crate::support::server::Server;

/// One buyer's order under one key.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) token: String,
    pub(crate) key: String,
    pub(crate) body: Value,
    pub(crate) told: Told,
}

/// What the client knows of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Told {
    /// No answer came: it happened, or it did not.
    Nothing,
    /// 201 with these very bytes; and perhaps a state that never changes again.
    Order { first: String, last: Option<String> },
    /// Sold out; binds nothing.
    Refused,
}

impl Attempt {
    /// Asks for the order, for the first time or again.
    pub(crate) fn place(&self, connection: &mut Connection) -> io::Result<Told> {
        let path = format!("/v1/sales/{SALE}/orders");
        let reply = connection.ask(&Ask::post(&path).bearer(&self.token).key(&self.key).json(&self.body))?;
        Ok(match reply.status {
            201 => Told::Order { first: reply.body, last: None },
            409 => {
                assert_eq!(reply.code(), "stock_exhausted");
                Told::Refused
            }
            _ => panic!("{reply:?}"),
        })
    }

    /// The order as it is now.
    pub(crate) fn look(&self, connection: &mut Connection) -> io::Result<Value> {
        let path = format!("/v1/orders/{}", self.order().expect("only who has an order looks"));
        Ok(connection.ask(&Ask::get(&path).bearer(&self.token))?.expect(200).json())
    }

    fn first(&self) -> Option<Value> {
        match &self.told {
            Told::Order { first, .. } => Some(serde_json::from_str(first).expect("an order is JSON")),
            Told::Nothing | Told::Refused => None,
        }
    }

    fn order(&self) -> Option<String> {
        self.first().map(|first| order_of(&first))
    }

    /// After a restart: what was told is told again, to the byte; what was not is asked for anew.
    fn ask_again(&mut self, connection: &mut Connection) {
        match &self.told {
            Told::Refused => {}
            Told::Nothing => self.told = self.place(connection).expect("the server is there"),
            Told::Order { first, last } => {
                let again = self.place(connection).expect("the server is there");
                assert_eq!(again, Told::Order { first: first.clone(), last: None }, "an acknowledged order");
                if let Some(last) = last {
                    let now = self.look(connection).expect("the server is there");
                    assert_eq!(now["state"], last.as_str(), "{now}");
                }
            }
        }
    }
}

/// All attempts of all cycles.
#[derive(Default)]
pub(crate) struct Ledger {
    attempts: Vec<Attempt>,
    acknowledged: usize,
    unanswered: usize,
}

impl Ledger {
    /// Takes over what the clients of a killed server knew, and asks the new one about all of it.
    pub(crate) fn resolve(&mut self, server: &Server, killed: Vec<Vec<Attempt>>) {
        for attempt in killed.iter().flatten() {
            self.acknowledged += usize::from(matches!(attempt.told, Told::Order { .. }));
            self.unanswered += usize::from(attempt.told == Told::Nothing);
        }
        self.attempts.extend(ask_again(server, killed));
    }

    /// Asks about every order of every cycle.
    pub(crate) fn ask_everything_again(&mut self, server: &Server) {
        let attempts = std::mem::take(&mut self.attempts);
        let piece = attempts.len().div_ceil(CLIENT_COUNT).max(1);
        let pieces = attempts.chunks(piece).map(<[Attempt]>::to_vec).collect();
        self.attempts = ask_again(server, pieces);
    }

    /// The organiser's list has exactly the orders that buyers know, and comes to what the stock page says.
    pub(crate) fn compare(&self, shop: &Shop<'_>) -> Books {
        let (orders, units) = shop.books();
        let listed: BTreeMap<String, &Value> = orders.iter().map(|order| (order_of(order), order)).collect();
        assert_eq!(listed.len(), orders.len(), "no order is listed twice");
        let buyers: BTreeSet<&str> = orders.iter().filter_map(|order| order["buyer"].as_str()).collect();
        assert_eq!(buyers.len(), orders.len(), "everybody ordered once: a second order is a duplicate");
        let known: Vec<Value> = self.attempts.iter().filter_map(Attempt::first).collect();
        assert_eq!(known.len(), orders.len(), "orders that buyers know, and that are listed");
        for first in &known {
            let order = listed.get(&order_of(first)).unwrap_or_else(|| panic!("lost: {first}"));
            for same in ["sale", "lines", "total"] {
                assert_eq!(order[same], first[same]);
            }
        }
        let by_state = units_by_state(&orders);
        let of = |state: &str| by_state.get(state).copied().unwrap_or(0);
        assert_eq!((units.held, units.paid), (of("held"), of("paid")), "{by_state:?}");
        assert!(units.held + units.paid <= units.stock, "oversold: {units:?}");
        Books { orders, units }
    }

    /// What it comes to.
    pub(crate) fn tally(&self) -> Tally {
        Tally {
            attempts: self.attempts.len(),
            orders: self.attempts.iter().filter(|attempt| attempt.first().is_some()).count(),
            acknowledged: self.acknowledged,
            unanswered: self.unanswered,
        }
    }
}

fn ask_again(server: &Server, pieces: Vec<Vec<Attempt>>) -> Vec<Attempt> {
    let ask = |mut attempts: Vec<Attempt>| {
        let mut connection = server.connect();
        attempts.iter_mut().for_each(|attempt| attempt.ask_again(&mut connection));
        attempts
    };
    thread::scope(|scope| {
        let asking: Vec<_> = pieces.into_iter().map(|piece| scope.spawn(move || ask(piece))).collect();
        asking.into_iter().flat_map(|asking| asking.join().expect("all is as it was told")).collect()
    })
}

/// Orders and units at one position.
pub(crate) struct Books {
    orders: Vec<Value>,
    units: Units,
}

/// What `onrush journal verify` counts is what the API said.
pub(crate) fn compare_with_journal(books: &Books, text: &str) {
    let mut sums: BTreeMap<&str, (u64, u64, u64)> = BTreeMap::new();
    for order in &books.orders {
        let sum = sums.entry(order["state"].as_str().expect("a state")).or_default();
        sum.0 += 1;
        sum.1 += quantity_of(order);
        sum.2 += order["total"]["amount"].as_u64().expect("an amount");
    }
    for (state, (orders, units, amount)) in sums {
        let line = format!("{state}: {orders} orders, {units} units, {amount} EUR in minor units");
        assert!(text.contains(&line), "{line} is not in {text}");
    }
    let of = |name: &str| -> u64 {
        let name = format!(" {name} ");
        let numbers = text.split(&name).skip(1).filter_map(|rest| rest.split([' ', '\n']).next());
        numbers.map(|number| number.parse::<u64>().expect("a number")).sum()
    };
    let units = Units {
        stock: of("stock"),
        free: of("free"),
        held: of("held"),
        paid: of("paid"),
        withdrawn: of("withdrawn"),
    };
    assert_eq!(units, books.units, "{text}");
}
