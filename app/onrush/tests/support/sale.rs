//! The usual requests about a sale, and what its pages come to.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::http::{Ask, Reply};
use super::server::{House, Server};
use super::until;

/// A sale of a test: where, which, and who may do what.
pub(crate) struct Shop<'a> {
    pub(crate) server: &'a Server,
    pub(crate) admin_key: String,
    pub(crate) sale: &'static str,
}

/// Units by where they are, over all items.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Units {
    pub(crate) stock: u64,
    pub(crate) free: u64,
    pub(crate) held: u64,
    pub(crate) paid: u64,
    pub(crate) withdrawn: u64,
}

/// One item, no limits, holds of so many seconds.
pub(crate) fn definition(sale: &str, stock: u32, hold_ttl_seconds: u32) -> Value {
    json!({
        "sale": sale, "name": "A sale", "currency": "EUR", "hold_ttl_seconds": hold_ttl_seconds,
        "items": [{"item": "ga", "name": "General", "unit_price": 1_200, "stock": stock}],
    })
}

/// So many of the item `ga`.
pub(crate) fn basket(quantity: u32) -> Value {
    json!({"lines": [{"item": "ga", "quantity": quantity}]})
}

impl<'a> Shop<'a> {
    /// Makes the sale.
    #[track_caller]
    pub(crate) fn announce(
        house: &House,
        server: &'a Server,
        (sale, body): (&'static str, &Value),
    ) -> Shop<'a> {
        let shop = Shop { server, admin_key: house.admin_key(), sale };
        shop.organise(&Ask::post("/v1/sales").json(body)).expect(201);
        shop
    }

    /// Makes the sale and opens it.
    #[track_caller]
    pub(crate) fn open(house: &House, server: &'a Server, (sale, body): (&'static str, &Value)) -> Shop<'a> {
        let shop = Shop::announce(house, server, (sale, body));
        shop.organise(&Ask::post(&format!("/v1/sales/{sale}/open"))).expect(200);
        shop
    }

    /// Asks as the organiser.
    #[track_caller]
    pub(crate) fn organise(&self, ask: &Ask) -> Reply {
        self.server.ask(&ask.clone().bearer(&self.admin_key))
    }

    /// The request for an order.
    pub(crate) fn order(&self, token: &str, (key, body): (&str, &Value)) -> Ask {
        Ask::post(&format!("/v1/sales/{}/orders", self.sale)).bearer(token).key(key).json(body)
    }

    /// Places an order of `ga`.
    #[track_caller]
    pub(crate) fn buy(&self, token: &str, (key, quantity): (&str, u32)) -> Reply {
        self.server.ask(&self.order(token, (key, &basket(quantity))))
    }

    /// An order as its buyer sees it.
    #[track_caller]
    pub(crate) fn look(&self, token: &str, order: &str) -> Value {
        self.server.ask(&Ask::get(&format!("/v1/orders/{order}")).bearer(token)).expect(200).json()
    }

    /// Waits until an order is in a state.
    #[track_caller]
    pub(crate) fn becomes(&self, token: &str, (order, state): (&str, &str)) -> Value {
        until(state, || Some(self.look(token, order)).filter(|seen| seen["state"] == state))
    }

    /// Something done to an order by its buyer.
    #[track_caller]
    pub(crate) fn act(&self, token: &str, (order, verb): (&str, &str)) -> Reply {
        self.server.ask(&Ask::post(&format!("/v1/orders/{order}/{verb}")).bearer(token))
    }

    /// A step of giving an order's money back.
    #[track_caller]
    pub(crate) fn refund(&self, order: &str, body: &Value) -> Reply {
        self.organise(&Ask::post(&format!("/v1/orders/{order}/refund")).json(body))
    }

    /// The stock page; each item must add up.
    #[track_caller]
    pub(crate) fn stock(&self) -> (Units, u64) {
        let page = self.server.ask(&Ask::get(&format!("/v1/sales/{}/stock", self.sale))).expect(200).json();
        let mut sum = Units::default();
        for item in page["items"].as_array().expect("items") {
            let of = |name: &str| item[name].as_u64().expect("a number");
            let (stock, free, held, paid) = (of("stock"), of("free"), of("held"), of("paid"));
            let withdrawn = of("withdrawn");
            assert_eq!(stock, free + held + paid + withdrawn, "I1: {item}");
            sum.stock += stock;
            sum.free += free;
            sum.held += held;
            sum.paid += paid;
            sum.withdrawn += withdrawn;
        }
        (sum, page["seq"].as_u64().expect("a position"))
    }

    /// All orders, by walking through the pages.
    #[track_caller]
    pub(crate) fn orders(&self) -> Vec<Value> {
        let mut connection = self.server.connect();
        let (mut orders, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/sales/{}/orders?limit=200{cursor}", self.sale);
            let page = connection
                .ask(&Ask::get(&path).bearer(&self.admin_key))
                .expect("an answer")
                .expect(200)
                .json();
            orders.extend(page["data"].as_array().expect("orders").iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return orders,
            }
        }
    }

    /// All orders and the stock at one position: looks again while something happens in between.
    #[track_caller]
    pub(crate) fn books(&self) -> (Vec<Value>, Units) {
        until("a moment in which nothing happens", || {
            let (units, seq) = self.stock();
            let orders = self.orders();
            (self.stock() == (units, seq)).then_some((orders, units))
        })
    }
}

/// The code of an order that an answer is about.
#[track_caller]
pub(crate) fn order_of(answer: &Value) -> String {
    answer["order"].as_str().unwrap_or_else(|| panic!("no order: {answer}")).to_owned()
}

/// How many units an order has.
pub(crate) fn quantity_of(order: &Value) -> u64 {
    let lines = order["lines"].as_array().expect("lines");
    lines.iter().map(|line| line["quantity"].as_u64().expect("a number")).sum()
}

/// Units by the state of their orders.
pub(crate) fn units_by_state(orders: &[Value]) -> BTreeMap<String, u64> {
    let mut units = BTreeMap::new();
    for order in orders {
        *units.entry(order["state"].as_str().expect("a state").to_owned()).or_default() += quantity_of(order);
    }
    units
}
