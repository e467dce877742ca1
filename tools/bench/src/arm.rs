//! What is measured: the request, and the answer that must come.

use clap::ValueEnum;

/// The sale that every arm asks.
pub(crate) const SALE: &str = "bench";
/// Its one item: the hottest that there can be.
pub(crate) const ITEM: &str = "ga";
/// More units than a run can sell.
const STOCK_HUGE: u32 = 1_000_000_000;

/// One kind of request to Onrush.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Arm {
    /// A one-line order that is accepted: durable when it is answered.
    Order,
    /// The same order when nothing is left.
    SoldOut,
    /// The page with the sale's levels.
    Stock,
}

/// A request without what differs from buyer to buyer.
pub(crate) struct Shape {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) body: Option<String>,
}

impl Arm {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Arm::Order => "order",
            Arm::SoldOut => "sold-out",
            Arm::Stock => "stock",
        }
    }

    /// Units on sale when the measurement begins.
    pub(crate) fn stock(self) -> u32 {
        match self {
            Arm::Order | Arm::Stock => STOCK_HUGE,
            Arm::SoldOut => 0,
        }
    }

    /// The status that every answer must have.
    pub(crate) fn status(self) -> u16 {
        match self {
            Arm::Order => 201,
            Arm::SoldOut => 409,
            Arm::Stock => 200,
        }
    }

    /// What the body of an answer must contain.
    pub(crate) fn mark(self) -> &'static str {
        match self {
            Arm::Order => "\"state\":\"held\"",
            Arm::SoldOut => "\"stock_exhausted\"",
            Arm::Stock => "\"free\":",
        }
    }

    pub(crate) fn shape(self) -> Shape {
        match self {
            Arm::Order | Arm::SoldOut => Shape {
                method: "POST",
                path: format!("/v1/sales/{SALE}/orders"),
                body: Some(format!("{{\"lines\":[{{\"item\":\"{ITEM}\",\"quantity\":1}}]}}")),
            },
            Arm::Stock => Shape { method: "GET", path: format!("/v1/sales/{SALE}/stock"), body: None },
        }
    }
}

impl Shape {
    /// The bytes up to the token, and those behind the idempotency key; between token and key stands
    /// [`Shape::KEY_FIELD`].
    pub(crate) fn around(&self) -> (String, String) {
        let Shape { method, path, body } = self;
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
        let text = Arm::Order.shape().request("TOKEN", "k-1");
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /v1/sales/bench/orders HTTP/1.1\r\n"), "{head}");
        assert!(head.ends_with("Authorization: Bearer TOKEN\r\nIdempotency-Key: k-1"), "{head}");
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
    }
}
