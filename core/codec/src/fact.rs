//! Facts as bytes and back.

use alloc::vec::Vec;

use domain::{BuyerId, Fact, KeyDigest, Line, Lines, OrderId, SaleId};

use crate::error::DecodeError;
use crate::kinds;
use crate::reader::Reader;
use crate::stored::HoldTtl;
use crate::writer::Writer;

/// Bytes of an [`Fact::OrderHeld`] of one line: with the 20 bytes of a record's header it fills one
/// cache line of 64 bytes.
pub const ORDER_HELD_SIZE_BYTES: usize = 8 + 16 + 8 + 2 + 2 + (2 + 2 + 4);

const _: () = assert!(ORDER_HELD_SIZE_BYTES == 44, "a held order must fit in a record of 64 bytes");

/// Appends the fact's bytes to `payload` and returns its kind, one of [`kinds::FACTS`].
///
/// # Panics
/// When the fact breaks a bound of [`domain::limits`]: the engine never makes such a fact.
pub fn encode(fact: &Fact, payload: &mut Vec<u8>) -> u8 {
    match fact {
        Fact::OrderHeld { order, sale, buyer, key, hold_ttl_s, lines } => {
            payload.reserve(ORDER_HELD_SIZE_BYTES);
            let mut writer = Writer::new(payload);
            writer.put(order).put(buyer).put(key).put(sale).put(&HoldTtl(*hold_ttl_s));
            match lines.as_slice() {
                [line] => {
                    writer.put(line);
                    kinds::ORDER_HELD
                }
                _ => {
                    writer.put(lines);
                    kinds::ORDER_HELD_LINES
                }
            }
        }
        _ => {
            let mut writer = Writer::new(payload);
            encode_sale_fact(fact, &mut writer).unwrap_or_else(|| encode_order_fact(fact, &mut writer))
        }
    }
}

/// The facts about a shard or a sale; `None` when it is about an order.
fn encode_sale_fact(fact: &Fact, writer: &mut Writer<'_>) -> Option<u8> {
    let kind = match fact {
        Fact::TermStarted { term } => {
            writer.put(term);
            kinds::TERM_STARTED
        }
        Fact::SaleCreated { sale, slug, terms } => {
            writer.put(sale).put(slug).put(terms);
            kinds::SALE_CREATED
        }
        Fact::SaleEdited { sale, terms } => {
            writer.put(sale).put(terms);
            kinds::SALE_EDITED
        }
        Fact::ItemAdded { sale, item, terms, stock } => {
            writer.put(sale).put(item).put(terms).put(stock);
            kinds::ITEM_ADDED
        }
        Fact::ItemEdited { sale, item, terms } => {
            writer.put(sale).put(item).put(terms);
            kinds::ITEM_EDITED
        }
        Fact::SaleMoved { sale, to, cause } => {
            writer.put(sale).put(to).put(cause);
            kinds::SALE_MOVED
        }
        Fact::StockChanged { sale, item, change, key } => {
            writer.put(sale).put(item).put(change).put(key);
            kinds::STOCK_CHANGED
        }
        _ => return None,
    };
    Some(kind)
}

/// What happened to an order after it was held.
fn encode_order_fact(fact: &Fact, writer: &mut Writer<'_>) -> u8 {
    match fact {
        Fact::HoldExtended { order, key, expires_at } => {
            writer.put(order).put(key).put(expires_at);
            kinds::HOLD_EXTENDED
        }
        Fact::OrderCancelled { order, by_organiser } => {
            writer.put(order).put(by_organiser);
            kinds::ORDER_CANCELLED
        }
        Fact::OrderExpired { order } => {
            writer.put(order);
            kinds::ORDER_EXPIRED
        }
        Fact::OrderPaid { order, payment, amount } => {
            writer.put(order).put(payment).put(amount);
            kinds::ORDER_PAID
        }
        Fact::PaymentFailed { order, payment } => {
            writer.put(order).put(payment);
            kinds::PAYMENT_FAILED
        }
        Fact::PaymentUnmatched { order, payment, amount, cause } => {
            writer.put(order).put(payment).put(amount).put(cause);
            kinds::PAYMENT_UNMATCHED
        }
        Fact::PaymentSurplus { order, payment, amount } => {
            writer.put(order).put(payment).put(amount);
            kinds::PAYMENT_SURPLUS
        }
        Fact::SurplusReturned { order, payment } => {
            writer.put(order).put(payment);
            kinds::SURPLUS_RETURNED
        }
        Fact::RefundStarted { order, restock } => {
            writer.put(order).put(restock);
            kinds::REFUND_STARTED
        }
        Fact::OrderRefunded { order } => {
            writer.put(order);
            kinds::ORDER_REFUNDED
        }
        Fact::RefundFailed { order } => {
            writer.put(order);
            kinds::REFUND_FAILED
        }
        // Written out, so that a new fact does not compile before it has a form.
        Fact::TermStarted { .. }
        | Fact::SaleCreated { .. }
        | Fact::SaleEdited { .. }
        | Fact::ItemAdded { .. }
        | Fact::ItemEdited { .. }
        | Fact::SaleMoved { .. }
        | Fact::StockChanged { .. }
        | Fact::OrderHeld { .. } => unreachable!("`encode` and `encode_sale_fact` have taken {fact:?}"),
    }
}

/// The fact that these bytes are.
///
/// # Errors
/// When `kind` is unknown or the bytes are not exactly what [`encode`] makes of some fact; says where.
pub fn decode(kind: u8, payload: &[u8]) -> Result<Fact, DecodeError> {
    let mut reader = Reader::new(payload);
    let fact = match kind {
        kinds::ORDER_HELD | kinds::ORDER_HELD_LINES => decode_held(kind, &mut reader)?,
        kinds::TERM_STARTED..=kinds::STOCK_CHANGED => decode_sale_fact(kind, &mut reader)?,
        _ => decode_order_fact(kind, &mut reader)?,
    };
    reader.finish(fact)
}

fn decode_held(kind: u8, reader: &mut Reader<'_>) -> Result<Fact, DecodeError> {
    let order: OrderId = reader.get("order")?;
    let buyer: BuyerId = reader.get("buyer")?;
    let key: KeyDigest = reader.get("key")?;
    let sale: SaleId = reader.get("sale")?;
    let hold_ttl_s = reader.get::<HoldTtl>("hold_ttl_s")?.0;
    let lines = if kind == kinds::ORDER_HELD {
        Lines::one(reader.get::<Line>("line")?)
    } else {
        // One line has its own kind; a second form of the same fact would not be canonical.
        reader.get_as("lines", |lines: Lines| (lines.as_slice().len() > 1).then_some(lines))?
    };
    Ok(Fact::OrderHeld { order, sale, buyer, key, hold_ttl_s, lines })
}

/// Fields are read in the order in which they stand here.
fn decode_sale_fact(kind: u8, reader: &mut Reader<'_>) -> Result<Fact, DecodeError> {
    Ok(match kind {
        kinds::TERM_STARTED => Fact::TermStarted { term: reader.get("term")? },
        kinds::SALE_CREATED => Fact::SaleCreated {
            sale: reader.get("sale")?,
            slug: reader.get("slug")?,
            terms: reader.get("terms")?,
        },
        kinds::SALE_EDITED => Fact::SaleEdited { sale: reader.get("sale")?, terms: reader.get("terms")? },
        kinds::ITEM_ADDED => Fact::ItemAdded {
            sale: reader.get("sale")?,
            item: reader.get("item")?,
            terms: reader.get("terms")?,
            stock: reader.get("stock")?,
        },
        kinds::ITEM_EDITED => Fact::ItemEdited {
            sale: reader.get("sale")?,
            item: reader.get("item")?,
            terms: reader.get("terms")?,
        },
        kinds::SALE_MOVED => {
            Fact::SaleMoved { sale: reader.get("sale")?, to: reader.get("to")?, cause: reader.get("cause")? }
        }
        kinds::STOCK_CHANGED => Fact::StockChanged {
            sale: reader.get("sale")?,
            item: reader.get("item")?,
            change: reader.get("change")?,
            key: reader.get("key")?,
        },
        _ => return Err(DecodeError::UnknownKind { kind }),
    })
}

/// Fields are read in the order in which they stand here.
fn decode_order_fact(kind: u8, reader: &mut Reader<'_>) -> Result<Fact, DecodeError> {
    if !(kinds::HOLD_EXTENDED..=kinds::REFUND_FAILED).contains(&kind) {
        return Err(DecodeError::UnknownKind { kind });
    }
    let order = reader.get("order")?;
    Ok(match kind {
        kinds::HOLD_EXTENDED => {
            Fact::HoldExtended { order, key: reader.get("key")?, expires_at: reader.get("expires_at")? }
        }
        kinds::ORDER_CANCELLED => Fact::OrderCancelled { order, by_organiser: reader.get("by_organiser")? },
        kinds::ORDER_EXPIRED => Fact::OrderExpired { order },
        kinds::ORDER_PAID => {
            Fact::OrderPaid { order, payment: reader.get("payment")?, amount: reader.get("amount")? }
        }
        kinds::PAYMENT_FAILED => Fact::PaymentFailed { order, payment: reader.get("payment")? },
        kinds::PAYMENT_UNMATCHED => Fact::PaymentUnmatched {
            order,
            payment: reader.get("payment")?,
            amount: reader.get("amount")?,
            cause: reader.get("cause")?,
        },
        kinds::PAYMENT_SURPLUS => {
            Fact::PaymentSurplus { order, payment: reader.get("payment")?, amount: reader.get("amount")? }
        }
        kinds::SURPLUS_RETURNED => Fact::SurplusReturned { order, payment: reader.get("payment")? },
        kinds::REFUND_STARTED => Fact::RefundStarted { order, restock: reader.get("restock")? },
        kinds::ORDER_REFUNDED => Fact::OrderRefunded { order },
        kinds::REFUND_FAILED => Fact::RefundFailed { order },
        _ => return Err(DecodeError::UnknownKind { kind }),
    })
}
