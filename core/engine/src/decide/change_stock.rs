//! Add stock, or withdraw free units.

use domain::{Fact, ItemIndex, KeyDigest, Refusal, SaleId, Wish, limits, planted};

use super::{Facts, already_so, one};
use crate::state::State;

pub(super) struct Change {
    pub(super) sale: SaleId,
    pub(super) item: ItemIndex,
    pub(super) change: i32,
    pub(super) key: Option<KeyDigest>,
}

pub(super) fn decide(state: &State, by: Change) -> Result<Facts, Refusal> {
    let Change { sale: sale_id, item, change, key } = by;
    let sale = state.sale(sale_id).ok_or(Refusal::SaleNotFound)?;
    if let Some(receipt) =
        key.and_then(|key| sale.stock_keys.get(&key)).filter(|_| !planted!(RepeatStockChange))
    {
        let same = (receipt.item, receipt.change) == (item, change);
        return if same { already_so() } else { Err(Refusal::IdempotencyKeyReused) };
    }
    let levels = sale.item(item).ok_or(Refusal::ItemNotFound { item })?.levels;
    let units = change.unsigned_abs();
    if units == 0 {
        return Err(Refusal::QuantityOutOfRange { item: Some(item), quantity_max: limits::STOCK_MAX });
    }
    if change > 0 && u64::from(levels.stock) + u64::from(units) > u64::from(limits::STOCK_MAX) {
        return Err(Refusal::StockOutOfRange);
    }
    if change < 0 && levels.free < units {
        let quantity = u16::try_from(units).unwrap_or(u16::MAX);
        return Err(Refusal::StockExhausted { wish: Wish { item, quantity }, left: levels.free });
    }
    if key.is_some() && sale.stock_keys.len() >= limits::STOCK_KEY_COUNT_MAX {
        return Err(Refusal::CapacityExhausted { limit: "STOCK_KEY_COUNT_MAX" });
    }
    one(Fact::StockChanged { sale: sale_id, item, change, key })
}
