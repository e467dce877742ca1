//! Many orders in one request.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{LineNew, Order, Problem};

/// A line of a batch: an order to be placed, for a buyer.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct BulkOrder {
    /// The buyer, as the `sub` of a token would say it: 1 to 255 bytes.
    #[schema(example = "alice")]
    pub buyer: String,
    /// The `Idempotency-Key`, 1 to 255 characters.
    #[schema(example = "2026-12-01-0001")]
    pub key: String,
    /// 1 to 16 lines of different items. All of it or none of it.
    #[schema(min_items = 1, max_items = 16)]
    pub lines: Vec<LineNew>,
}

/// A line of a batch's answer: the order with `status` 201 beside its members, or a problem.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(untagged)]
pub enum BulkAnswer {
    /// The order holds its units.
    Placed(BulkPlaced),
    /// Why not.
    Refused(Problem),
}

/// An order that holds its units.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
pub struct BulkPlaced {
    /// Always 201.
    pub status: u16,
    /// The order.
    #[serde(flatten)]
    pub order: Order,
}

/// Bytes as `docs/formats/batch.md` draws them.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[schema(value_type = String, format = Binary)]
pub struct BulkBytes(pub Vec<u8>);
