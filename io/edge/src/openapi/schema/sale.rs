//! Sales, their items and their stock.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A sale to be made.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct SaleNew {
    /// Its code: 1 to 48 of `a-z 0-9 - _ .`, the first a letter or a digit.
    #[schema(example = "concert", pattern = "^[a-z0-9][a-z0-9._-]{0,47}$")]
    pub sale: String,
    /// The name that buyers read.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Of every price: three letters of ISO 4217.
    #[schema(example = "EUR", pattern = "^[A-Z]{3}$")]
    pub currency: String,
    /// Opens by itself at this instant; otherwise only when told.
    #[schema(format = DateTime)]
    pub opens_at: Option<String>,
    /// Closes by itself at this instant; otherwise only when told.
    #[schema(format = DateTime)]
    pub closes_at: Option<String>,
    /// How long an order claims its units before it is paid; 600 when not given.
    #[schema(minimum = 1, maximum = 65535)]
    pub hold_ttl_seconds: Option<u16>,
    /// Limits; none when not given.
    pub limits: Option<SaleLimits>,
    /// At least one, at most 10,000.
    #[schema(min_items = 1, max_items = 10000)]
    pub items: Vec<ItemNew>,
}

/// An item to be made.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct ItemNew {
    /// Its code, of the same form as a sale's.
    #[schema(example = "ga", pattern = "^[a-z0-9][a-z0-9._-]{0,47}$")]
    pub item: String,
    /// The name that buyers read.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// In minor units.
    #[schema(example = 6000)]
    pub unit_price: u32,
    /// Units to sell.
    #[schema(maximum = 1_000_000_000)]
    pub stock: u32,
    /// Limits; none when not given.
    pub limits: Option<ItemLimits>,
}

/// Changes to a sale. What is not given stays.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct SaleChange {
    /// A new name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// A new opening instant; null takes it away.
    #[schema(format = DateTime)]
    pub opens_at: Option<String>,
    /// A new closing instant; null takes it away.
    #[schema(format = DateTime)]
    pub closes_at: Option<String>,
    /// A new hold time, for orders from now on.
    #[schema(minimum = 1, maximum = 65535)]
    pub hold_ttl_seconds: Option<u16>,
    /// New limits; null takes one away.
    pub limits: Option<SaleLimits>,
    /// Items to change, by their code, and new items, complete with name, price and stock.
    pub items: Option<Vec<ItemChange>>,
}

/// Changes to an item, or a new one.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct ItemChange {
    /// Its code.
    pub item: String,
    /// The name that buyers read.
    pub name: Option<String>,
    /// In minor units, for orders from now on.
    pub unit_price: Option<u32>,
    /// Only for a new item.
    pub stock: Option<u32>,
    /// New limits; null takes one away.
    pub limits: Option<ItemLimits>,
}

/// Limits of a sale, in units; null or not given: none.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct SaleLimits {
    /// In one order.
    #[schema(minimum = 1)]
    pub per_order: Option<u32>,
    /// Of one buyer.
    #[schema(minimum = 1)]
    pub per_buyer: Option<u32>,
    /// Of one buyer, in orders of one day (UTC).
    #[schema(minimum = 1)]
    pub per_buyer_per_day: Option<u32>,
}

/// Limits of an item, in units; null or not given: none.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct ItemLimits {
    /// In one order.
    #[schema(minimum = 1)]
    pub per_order: Option<u32>,
    /// Of one buyer.
    #[schema(minimum = 1)]
    pub per_buyer: Option<u32>,
}

/// A sale.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Sale {
    /// Its code.
    pub sale: String,
    /// The name that buyers read.
    pub name: String,
    /// Where it stands.
    pub status: SaleStatus,
    /// Of every price.
    pub currency: String,
    /// When it opens by itself.
    #[schema(format = DateTime)]
    pub opens_at: Option<String>,
    /// When it closes by itself.
    #[schema(format = DateTime)]
    pub closes_at: Option<String>,
    /// How long an order claims its units before it is paid.
    pub hold_ttl_seconds: u16,
    /// Its limits.
    pub limits: SaleLimits,
    /// Its items, in the order in which they were added.
    pub items: Vec<Item>,
    /// The position of the last change that shows here.
    pub seq: u64,
}

/// Where a sale stands.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum SaleStatus {
    /// Not open yet.
    Scheduled,
    /// Takes orders.
    Open,
    /// Takes none for the moment.
    Paused,
    /// Takes none any more.
    Closed,
}

/// An item of a sale.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its code.
    pub item: String,
    /// The name that buyers read.
    pub name: String,
    /// In minor units.
    pub unit_price: u32,
    /// All units there ever were.
    pub stock: u32,
    /// Its limits.
    pub limits: ItemLimits,
}

/// The levels of a sale, all at one position.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Stock {
    /// The sale's code.
    pub sale: String,
    /// Every item.
    pub items: Vec<ItemStock>,
    /// The position.
    pub seq: u64,
}

/// Where the units of an item are.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct ItemStock {
    /// The item's code.
    pub item: String,
    /// All units there ever were.
    pub stock: u32,
    /// To be had.
    pub free: u32,
    /// Claimed by orders that are not paid yet.
    pub held: u32,
    /// The buyers'.
    pub paid: u32,
    /// Taken out of the sale.
    pub withdrawn: u32,
}

/// A change of stock.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct StockChange {
    /// Positive: new units. Negative: so many free units are withdrawn. Not 0.
    #[schema(example = 100)]
    pub change: i32,
}

/// What a change of stock came to.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct StockReceipt {
    /// The sale's code.
    pub sale: String,
    /// The item's code.
    pub item: String,
    /// All units there ever were.
    pub stock: u32,
    /// To be had.
    pub free: u32,
    /// Claimed by orders that are not paid yet.
    pub held: u32,
    /// The buyers'.
    pub paid: u32,
    /// Taken out of the sale.
    pub withdrawn: u32,
    /// What was asked for.
    pub change: i32,
    /// The position of the change.
    pub seq: u64,
}

/// A page of sales.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct SaleList {
    /// The sales.
    pub data: Vec<Sale>,
    /// The cursor of the next page; null on the last one.
    pub next: Option<String>,
}
