//! Orders, their payments and refunds.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An order to be placed.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct OrderNew {
    /// 1 to 16 lines of different items. All of it or none of it.
    #[schema(min_items = 1, max_items = 16)]
    pub lines: Vec<LineNew>,
}

/// A line of an order to be placed.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct LineNew {
    /// The item's code.
    #[schema(example = "ga")]
    pub item: String,
    /// How many units.
    #[schema(minimum = 1, maximum = 10000, example = 1)]
    pub quantity: u16,
}

/// An order.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Its code.
    pub order: String,
    /// The sale's code.
    pub sale: String,
    /// Where it stands.
    pub state: OrderState,
    /// Its units and prices.
    pub lines: Vec<Line>,
    /// What it costs.
    pub total: Money,
    /// When its hold ends or ended.
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// The position of its last change.
    pub seq: u64,
    /// There when its hold was extended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended: Option<bool>,
    /// How many payments failed, when some did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payments_failed: Option<u8>,
    /// The payment that counts, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Payment>,
    /// Why its money goes or went back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_cause: Option<String>,
    /// Payments that came on top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surplus_payments: Option<Vec<SurplusPayment>>,
    /// The buyer, in the organiser's list; a name of over 15 bytes as a digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buyer: Option<String>,
}

/// Where an order stands.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Claims its units until its hold ends.
    Held,
    /// Paid.
    Paid,
    /// The money is on its way back.
    Refunding,
    /// The money is back.
    Refunded,
    /// Given up before it was paid.
    Cancelled,
    /// Not paid in time.
    Expired,
}

/// A line of an order.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The item's code.
    pub item: String,
    /// How many units.
    pub quantity: u16,
    /// In minor units.
    pub unit_price: u32,
}

/// An amount of money.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// In minor units.
    pub amount: u64,
    /// Three letters of ISO 4217.
    pub currency: String,
}

/// A payment.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// The provider's name of it; over 15 bytes as a digest.
    pub id: String,
    /// Which provider, when it was just asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// `pending`, `succeeded` or `failed`, when the provider was just asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// An order whose payment was just asked for: `payment` has its provider and status.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(transparent)]
pub struct OrderPaying(pub Order);

/// A payment that came on top and goes back.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct SurplusPayment {
    /// The provider's name of it; over 15 bytes as a digest.
    pub id: String,
    /// In minor units.
    pub amount: u64,
    /// Whether it was given back.
    pub returned: bool,
}

/// A page of orders.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct OrderList {
    /// The orders.
    pub data: Vec<Order>,
    /// The cursor of the next page; null on the last one.
    pub next: Option<String>,
}

/// A step of giving money back.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct RefundStep {
    /// `start` (also when not given), `succeeded` or `failed`.
    pub step: Option<String>,
    /// With `start`: whether the units go back on sale at the end; true when not given.
    pub restock: Option<bool>,
    /// The payment that came on top, if it is about one.
    pub payment: Option<String>,
}

/// A callback was taken.
#[derive(ToSchema, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct CallbackReceipt {
    /// Always true.
    pub received: bool,
    /// The order's code.
    pub order: String,
    /// Where the order stands now.
    pub state: OrderState,
    /// The position of the order's last change.
    pub seq: u64,
}
