//! What is measured: who answers, the request, and the answer that must come.

use clap::ValueEnum;
use serde::Serialize;

/// The sale that every arm asks.
pub(crate) const SALE: &str = "bench";
/// Units of one buyer, as in an ordinary sale, so that the limit is checked.
pub(crate) const PER_BUYER_MAX: u32 = 4;
/// More units than a run can sell; of each item.
const STOCK_HUGE: u32 = 1_000_000_000;

/// One kind of answer to one kind of request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Arm {
    /// The bare HTTP stack of Onrush: any request, the same bytes.
    Hello,
    /// Plain axum: JSON in, JSON out.
    Axum,
    /// nginx with a fixed answer.
    Nginx,
    /// Onrush: a one-line order that is accepted, durable when it is answered.
    Order,
    /// The same where a durable write costs nothing: the data folder is in memory.
    OrderInMemory,
    /// The same, answered by another build of Onrush.
    OrderBefore,
    /// The same orders spread over a thousand items.
    #[value(name = "order-1000-items")]
    #[serde(rename = "order-1000-items")]
    Order1000Items,
    /// The same orders spread over ten thousand items.
    #[value(name = "order-10000-items")]
    #[serde(rename = "order-10000-items")]
    Order10000Items,
    /// The order when nothing is left.
    SoldOut,
    /// The order when the inbox is full: the gate says no.
    Refused,
    /// The page with the sale's levels.
    Stock,
    /// Redis behind Onrush's front, each write synced.
    RedisAlways,
    /// The same, synced once a second: an acknowledged order may be lost.
    RedisEverysec,
    /// MariaDB behind Onrush's front.
    Mariadb,
    /// PostgreSQL behind Onrush's front.
    Postgres,
}

/// The program that answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Program {
    Hello,
    Axum,
    Nginx,
    Onrush,
    /// Onrush's front before something else.
    Front(Behind),
}

/// What stands behind Onrush's front in a peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Behind {
    /// Nobody: the inbox is always full.
    Full,
    /// Redis, and its `appendfsync`.
    Redis(&'static str),
    Mariadb,
    Postgres,
}

/// What every answer must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Expected {
    pub(crate) status: u16,
    /// What the body must contain.
    pub(crate) mark: &'static str,
}

/// A request without what differs from buyer to buyer.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) body: Option<String>,
    /// The item of the body is one of so many, by turns.
    pub(crate) items: u16,
}

impl Arm {
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    pub(crate) fn program(self) -> Program {
        match self {
            Arm::Hello => Program::Hello,
            Arm::Axum => Program::Axum,
            Arm::Nginx => Program::Nginx,
            Arm::Refused => Program::Front(Behind::Full),
            Arm::RedisAlways => Program::Front(Behind::Redis("always")),
            Arm::RedisEverysec => Program::Front(Behind::Redis("everysec")),
            Arm::Mariadb => Program::Front(Behind::Mariadb),
            Arm::Postgres => Program::Front(Behind::Postgres),
            Arm::Order
            | Arm::OrderInMemory
            | Arm::OrderBefore
            | Arm::Order1000Items
            | Arm::Order10000Items
            | Arm::SoldOut
            | Arm::Stock => Program::Onrush,
        }
    }

    /// Whether each answer is an order, which must be found in the store afterwards.
    pub(crate) fn sells(self) -> bool {
        self.expected().status == 201
    }

    /// Items on sale.
    pub(crate) fn items(self) -> u16 {
        match self {
            Arm::Order1000Items => 1_000,
            Arm::Order10000Items => 10_000,
            _ => 1,
        }
    }

    /// Units of each item on sale when the measurement begins.
    pub(crate) fn stock(self) -> u32 {
        if self == Arm::SoldOut { 0 } else { STOCK_HUGE }
    }

    pub(crate) fn expected(self) -> Expected {
        let (status, mark) = match self {
            Arm::Hello | Arm::Axum | Arm::Nginx => (200, "\"hello\":"),
            Arm::SoldOut => (409, "\"stock_exhausted\""),
            Arm::Refused => (503, "\"overloaded\""),
            Arm::Stock => (200, "\"free\":"),
            _ => (201, "\"state\":\"held\""),
        };
        Expected { status, mark }
    }

    /// What it is asked; `None`: anything, so it gets what the arm beside it gets.
    pub(crate) fn shape(self) -> Option<Shape> {
        match self {
            Arm::Hello | Arm::Axum | Arm::Nginx => None,
            Arm::Stock => {
                let path = format!("/v1/sales/{SALE}/stock");
                Some(Shape { method: "GET", path, body: None, items: 1 })
            }
            _ => Some(Shape {
                method: "POST",
                path: format!("/v1/sales/{SALE}/orders"),
                body: Some(format!("{{\"lines\":[{{\"item\":\"{}\",\"quantity\":1}}]}}", item(0))),
                items: self.items(),
            }),
        }
    }
}

/// The code of an item: all are equally long, so that every request is.
pub(crate) fn item(number: u16) -> String {
    format!("i{number:04}")
}

impl Shape {
    /// The bytes up to the token, and those behind the idempotency key; between token and key stands
    /// [`Shape::KEY_FIELD`].
    pub(crate) fn around(&self) -> (String, String) {
        let Shape { method, path, body, .. } = self;
        let mut before = format!("{method} {path} HTTP/1.1\r\nHost: bench\r\n");
        if let Some(body) = body {
            before += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        }
        before += "Authorization: Bearer ";
        (before, format!("\r\n\r\n{}", body.as_deref().unwrap_or_default()))
    }

    pub(crate) const KEY_FIELD: &str = "\r\nIdempotency-Key: ";

    /// One whole request.
    pub(crate) fn request(&self, token: &str, key: &str) -> String {
        let (before, after) = self.around();
        [&before, token, Shape::KEY_FIELD, key, &after].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_is_http_with_a_body_of_the_length_that_it_says() {
        let text = Arm::Order.shape().unwrap().request("TOKEN", "k-1");
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /v1/sales/bench/orders HTTP/1.1\r\n"), "{head}");
        assert!(head.ends_with("Authorization: Bearer TOKEN\r\nIdempotency-Key: k-1"), "{head}");
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
    }

    #[test]
    fn whoever_sells_is_asked_for_an_order() {
        for arm in Arm::value_variants() {
            let asked = arm.shape().is_some_and(|shape| shape.body.is_some());
            assert!(!arm.sells() || asked, "{arm:?}");
            assert_eq!(arm.name(), serde_json::to_value(arm).unwrap(), "one name everywhere");
        }
    }
}
