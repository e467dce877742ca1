//! Snapshot entries as bytes and back.

use alloc::vec::Vec;

use domain::{StockReceipt, Surplus};
use engine::snapshot::{Entry, Extension, Head, ItemEntry, OrderEntry, SaleEntry, Turnover};

use crate::error::DecodeError;
use crate::kinds;
use crate::reader::Reader;
use crate::stored::{HoldTtl, Stored};
use crate::writer::Writer;

/// Appends the entry's bytes to `payload` and returns its kind, one of [`kinds::ENTRIES`].
///
/// # Panics
/// When the entry breaks a bound of [`domain::limits`]: the engine never makes such an entry.
pub fn encode_entry(entry: &Entry, payload: &mut Vec<u8>) -> u8 {
    let mut writer = Writer::new(payload);
    match entry {
        Entry::Head(head) => {
            writer.put(head);
            kinds::ENTRY_HEAD
        }
        Entry::Sale(sale) => {
            writer.put(sale);
            kinds::ENTRY_SALE
        }
        Entry::Item(item) => {
            writer.put(item);
            kinds::ENTRY_ITEM
        }
        Entry::StockKey { key, receipt } => {
            writer.put(key).put(receipt);
            kinds::ENTRY_STOCK_KEY
        }
        Entry::Order(order) => {
            writer.put(order);
            kinds::ENTRY_ORDER
        }
        Entry::Surplus { order, surplus } => {
            writer.put(order).put(surplus);
            kinds::ENTRY_SURPLUS
        }
    }
}

/// The entry that these bytes are.
///
/// # Errors
/// When `kind` is unknown or the bytes are not exactly what [`encode_entry`] makes of some entry.
pub fn decode_entry(kind: u8, payload: &[u8]) -> Result<Entry, DecodeError> {
    let mut reader = Reader::new(payload);
    let entry = match kind {
        kinds::ENTRY_HEAD => Entry::Head(reader.get("head")?),
        kinds::ENTRY_SALE => Entry::Sale(reader.get("sale")?),
        kinds::ENTRY_ITEM => Entry::Item(reader.get("item")?),
        kinds::ENTRY_STOCK_KEY => {
            Entry::StockKey { key: reader.get("key")?, receipt: reader.get("receipt")? }
        }
        kinds::ENTRY_ORDER => Entry::Order(reader.get("order")?),
        kinds::ENTRY_SURPLUS => {
            Entry::Surplus { order: reader.get("order")?, surplus: reader.get("surplus")? }
        }
        _ => return Err(DecodeError::UnknownKind { kind }),
    };
    reader.finish(entry)
}

impl Stored for Head {
    fn write(&self, writer: &mut Writer<'_>) {
        writer
            .put(&self.shard)
            .put(&self.seq)
            .put(&self.last_order)
            .put(&self.sale_count)
            .put(&self.order_count);
    }

    fn read(reader: &mut Reader<'_>, _field: &'static str) -> Result<Head, DecodeError> {
        Ok(Head {
            shard: reader.get("shard")?,
            seq: reader.get("seq")?,
            last_order: reader.get("last_order")?,
            sale_count: reader.get("sale_count")?,
            order_count: reader.get("order_count")?,
        })
    }
}

impl Stored for SaleEntry {
    fn write(&self, writer: &mut Writer<'_>) {
        writer
            .put(&self.sale)
            .put(&self.slug)
            .put(&self.terms)
            .put(&self.status)
            .put(&self.money_taken)
            .put(&self.money_returned);
    }

    fn read(reader: &mut Reader<'_>, _field: &'static str) -> Result<SaleEntry, DecodeError> {
        Ok(SaleEntry {
            sale: reader.get("sale")?,
            slug: reader.get("slug")?,
            terms: reader.get("terms")?,
            status: reader.get("status")?,
            money_taken: reader.get("money_taken")?,
            money_returned: reader.get("money_returned")?,
        })
    }
}

impl Stored for ItemEntry {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.put(&self.sale).put(&self.item).put(&self.terms).put(&self.levels).put(&self.turnover);
    }

    fn read(reader: &mut Reader<'_>, _field: &'static str) -> Result<ItemEntry, DecodeError> {
        Ok(ItemEntry {
            sale: reader.get("sale")?,
            item: reader.get("item")?,
            terms: reader.get("terms")?,
            levels: reader.get("levels")?,
            turnover: reader.get("turnover")?,
        })
    }
}

impl Stored for Turnover {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.put(&self.taken).put(&self.cancelled).put(&self.expired).put(&self.refunded);
    }

    fn read(reader: &mut Reader<'_>, _field: &'static str) -> Result<Turnover, DecodeError> {
        Ok(Turnover {
            taken: reader.get("taken")?,
            cancelled: reader.get("cancelled")?,
            expired: reader.get("expired")?,
            refunded: reader.get("refunded")?,
        })
    }
}

impl Stored for StockReceipt {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.put(&self.sale).put(&self.item).put(&self.change).put(&self.levels).put(&self.seq);
    }

    fn read(reader: &mut Reader<'_>, _field: &'static str) -> Result<StockReceipt, DecodeError> {
        Ok(StockReceipt {
            sale: reader.get("sale")?,
            item: reader.get("item")?,
            change: reader.get("change")?,
            levels: reader.get("levels")?,
            seq: reader.get("seq")?,
        })
    }
}

impl Stored for OrderEntry {
    fn write(&self, writer: &mut Writer<'_>) {
        writer
            .put(&self.order)
            .put(&self.sale)
            .put(&self.buyer)
            .put(&self.key)
            .put(&HoldTtl(self.hold_ttl_s))
            .put(&self.lines)
            .put(&self.state)
            .put(&self.held_seq)
            .put(&self.changed_seq)
            .put(&self.extension)
            .put(&self.payments_failed)
            .put(&self.payment)
            .put(&self.refund_cause)
            .put(&self.has_units)
            .put(&self.restock);
    }

    fn read(reader: &mut Reader<'_>, _field: &'static str) -> Result<OrderEntry, DecodeError> {
        Ok(OrderEntry {
            order: reader.get("order")?,
            sale: reader.get("sale")?,
            buyer: reader.get("buyer")?,
            key: reader.get("key")?,
            hold_ttl_s: reader.get::<HoldTtl>("hold_ttl_s")?.0,
            lines: reader.get("lines")?,
            state: reader.get("state")?,
            held_seq: reader.get("held_seq")?,
            changed_seq: reader.get("changed_seq")?,
            extension: reader.get("extension")?,
            payments_failed: reader.get("payments_failed")?,
            payment: reader.get("payment")?,
            refund_cause: reader.get("refund_cause")?,
            has_units: reader.get("has_units")?,
            restock: reader.get("restock")?,
        })
    }
}

impl Stored for Extension {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.put(&self.key).put(&self.seq).put(&self.expires_at);
    }

    fn read(reader: &mut Reader<'_>, _field: &'static str) -> Result<Extension, DecodeError> {
        Ok(Extension {
            key: reader.get("key")?,
            seq: reader.get("seq")?,
            expires_at: reader.get("expires_at")?,
        })
    }
}

impl Stored for Surplus {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.put(&self.payment).put(&self.amount).put(&self.returned);
    }

    fn read(reader: &mut Reader<'_>, _field: &'static str) -> Result<Surplus, DecodeError> {
        Ok(Surplus {
            payment: reader.get("payment")?,
            amount: reader.get("amount")?,
            returned: reader.get("returned")?,
        })
    }
}
