//! Every bound of the system, in one place. What an operator may change is in the configuration;
//! what is here is fixed by a stored format or keeps a structure bounded.

/// Shards in one installation: the order number gives a shard 10 bits.
pub const SHARD_COUNT_MAX: u16 = 1 << 10;
/// Sales in one shard; [`crate::SaleId`] values from here up mean "no such sale".
pub const SALE_COUNT_MAX: u16 = 4_096;
/// Items in one sale; [`crate::ItemIndex`] values from here up mean "no such item".
pub const ITEM_COUNT_MAX: u16 = 10_000;
/// Lines in one order.
pub const LINE_COUNT_MAX: usize = 16;
/// Units of one item in one order, whatever the sale allows: the stored line has 16 bits.
pub const LINE_QUANTITY_MAX: u16 = 10_000;
/// Units of one item, over its whole life.
pub const STOCK_MAX: u32 = 1_000_000_000;
/// Orders in one shard that are kept in memory: order slots are 32-bit.
pub const ORDER_COUNT_MAX: usize = 1 << 30;
/// Shortest and longest hold, in seconds: the stored hold has 16 bits (18 hours and 12 minutes).
pub const HOLD_TTL_S_MIN: u16 = 1;
/// See [`HOLD_TTL_S_MIN`].
pub const HOLD_TTL_S_MAX: u16 = u16::MAX;
/// Price of one unit, in minor units of the currency: the stored line has 32 bits.
pub const UNIT_PRICE_MAX: u32 = u32::MAX;
/// Bytes of a sale's or an item's code.
pub const SLUG_SIZE_BYTES_MAX: usize = 48;
/// Bytes of a sale's or an item's name.
pub const NAME_SIZE_BYTES_MAX: usize = 200;
/// Bytes of an idempotency key as it comes over the wire.
pub const KEY_SIZE_BYTES_MAX: usize = 255;
/// Bytes of a buyer's or a payment's name as it comes over the wire.
pub const LABEL_SIZE_BYTES_MAX: usize = 255;
/// Facts that one `Tick` may bring: keeps a batch, and with it everybody's wait, short.
pub const TICK_FACT_COUNT_MAX: usize = 4_096;
/// Facts in one batch of the journal, but for one command that brings more by itself.
pub const BATCH_FACT_COUNT_MAX: usize = 8_192;
/// Orders in one bulk: a round's batch, less the facts that a round may bring besides.
pub const BULK_ORDER_COUNT_MAX: usize = 8_190;
/// Surplus payments remembered in one shard before further ones are refused.
pub const SURPLUS_COUNT_MAX: usize = 1 << 20;
/// Keys of stock changes remembered in one sale.
pub const STOCK_KEY_COUNT_MAX: usize = 1 << 16;
