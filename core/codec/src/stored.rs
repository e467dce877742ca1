//! The stored form of the small words: numbers, names, options, lines.

use alloc::boxed::Box;
use alloc::vec::Vec;

use domain::limits::{
    HOLD_TTL_S_MIN, ITEM_COUNT_MAX, LINE_COUNT_MAX, NAME_SIZE_BYTES_MAX, SALE_COUNT_MAX, SLUG_SIZE_BYTES_MAX,
};
use domain::{
    Amount, BuyerId, Cause, Currency, ItemIndex, KeyDigest, Levels, Line, Lines, OrderId, OrderState,
    PaymentId, RefundCause, SaleId, SaleStatus, Seq, ShardId, Slug, Term, UnixMs, label::Label,
};

use crate::error::DecodeError;
use crate::reader::Reader;
use crate::writer::Writer;

/// A value with one stored form. `read` refuses whatever `write` would never have written.
pub(crate) trait Stored: Sized {
    /// Appends the value. Panics on a value that `read` would refuse.
    fn write(&self, writer: &mut Writer<'_>);
    /// Takes the value; `field` is its name in an error.
    fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError>;
}

/// Numbers stand little-endian.
macro_rules! stored_numbers {
    ($($number:ty),*) => {$(
        impl Stored for $number {
            fn write(&self, writer: &mut Writer<'_>) {
                writer.bytes(&self.to_le_bytes());
            }

            #[inline]
            fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
                Ok(<$number>::from_le_bytes(reader.array(field)?))
            }
        }
    )*};
}
stored_numbers!(u8, u16, u32, u64, i32);

/// A word that stands as another one: how it is written, and how it is made again (`None`: illegal).
macro_rules! stored_as {
    ($($word:ty as $raw:ty: |$value:ident| $write:expr, $make:expr;)*) => {$(
        impl Stored for $word {
            fn write(&self, writer: &mut Writer<'_>) {
                let $value = self;
                let raw: $raw = $write;
                writer.put(&raw);
            }

            #[inline]
            fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
                reader.get_as::<$raw, $word>(field, $make)
            }
        }
    )*};
}

stored_as! {
    bool as u8: |value| u8::from(*value), |raw| match raw { 0 => Some(false), 1 => Some(true), _ => None };
    Term as u32: |value| value.0, |raw| Some(Term(raw));
    Seq as u64: |value| value.0, |raw| Some(Seq(raw));
    UnixMs as u64: |value| value.0, |raw| Some(UnixMs(raw));
    Amount as u64: |value| value.0, |raw| Some(Amount(raw));
    KeyDigest as u64: |value| value.0, |raw| Some(KeyDigest(raw));
    OrderId as u64: |value| value.raw(), OrderId::from_raw;
    ShardId as u16: |value| value.get(), ShardId::new;
    SaleId as u16: |value| bounded("sale", value.0, SALE_COUNT_MAX),
        |raw| (raw < SALE_COUNT_MAX).then_some(SaleId(raw));
    ItemIndex as u16: |value| bounded("item", value.0, ITEM_COUNT_MAX),
        |raw| (raw < ITEM_COUNT_MAX).then_some(ItemIndex(raw));
    BuyerId as Label: |value| value.0, |label| Some(BuyerId(label));
    PaymentId as Label: |value| value.0, |label| Some(PaymentId(label));
    SaleStatus as u8: |value| *value as u8, SaleStatus::from_raw;
    Cause as u8: |value| *value as u8, Cause::from_raw;
    OrderState as u8: |value| *value as u8, OrderState::from_raw;
    RefundCause as u8: |value| *value as u8, RefundCause::from_raw;
}

fn bounded(field: &str, value: u16, bound: u16) -> u16 {
    assert!(value < bound, "no fact may name {field} {value}: there are at most {bound}");
    value
}

/// The length of a hold in seconds, never 0.
#[derive(Clone, Copy)]
pub(crate) struct HoldTtl(pub(crate) u16);

stored_as! {
    HoldTtl as u16: |value| { assert!(value.0 >= HOLD_TTL_S_MIN, "hold_ttl_s={}", value.0); value.0 },
        |raw| (raw >= HOLD_TTL_S_MIN).then_some(HoldTtl(raw));
}

impl Stored for Label {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.bytes(self.as_bytes());
    }

    #[inline]
    fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Label, DecodeError> {
        let offset = reader.offset();
        Label::from_bytes(reader.array(field)?).ok_or(DecodeError::Illegal { field, offset })
    }
}

impl Stored for Currency {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.bytes(self.as_str().as_bytes());
    }

    fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Currency, DecodeError> {
        let offset = reader.offset();
        let letters: [u8; 3] = reader.array(field)?;
        let currency = core::str::from_utf8(&letters).ok().and_then(Currency::new);
        currency.ok_or(DecodeError::Illegal { field, offset })
    }
}

/// A tag of 0, or a tag of 1 and the value.
impl<T: Stored> Stored for Option<T> {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.put(&self.is_some());
        if let Some(value) = self {
            writer.put(value);
        }
    }

    #[inline]
    fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Option<T>, DecodeError> {
        if reader.get::<bool>(field)? { Ok(Some(reader.get(field)?)) } else { Ok(None) }
    }
}

/// A name: its length in one byte, from 1 to [`NAME_SIZE_BYTES_MAX`], and its UTF-8.
impl Stored for Box<str> {
    fn write(&self, writer: &mut Writer<'_>) {
        write_text(self, NAME_SIZE_BYTES_MAX, writer);
    }

    fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Box<str>, DecodeError> {
        read_text(reader, field, NAME_SIZE_BYTES_MAX).map(Box::from)
    }
}

/// A code: its length in one byte, from 1 to [`SLUG_SIZE_BYTES_MAX`], and its letters.
impl Stored for Slug {
    fn write(&self, writer: &mut Writer<'_>) {
        write_text(self.as_str(), SLUG_SIZE_BYTES_MAX, writer);
    }

    fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Slug, DecodeError> {
        let offset = reader.offset();
        let text = read_text(reader, field, SLUG_SIZE_BYTES_MAX)?;
        Slug::new(text).ok_or(DecodeError::Illegal { field, offset })
    }
}

fn write_text(text: &str, size_bytes_max: usize, writer: &mut Writer<'_>) {
    let legal = (1..=size_bytes_max).contains(&text.len());
    assert!(legal, "a text has from 1 to {size_bytes_max} bytes, not {}", text.len());
    writer.put(&u8::try_from(text.len()).expect("every bound of a text fits in 8 bits"));
    writer.bytes(text.as_bytes());
}

fn read_text<'a>(
    reader: &mut Reader<'a>,
    field: &'static str,
    size_bytes_max: usize,
) -> Result<&'a str, DecodeError> {
    let illegal = DecodeError::Illegal { field, offset: reader.offset() };
    let size_bytes = usize::from(reader.get::<u8>(field)?);
    if !(1..=size_bytes_max).contains(&size_bytes) {
        return Err(illegal);
    }
    core::str::from_utf8(reader.slice(field, size_bytes)?).map_err(|_| illegal)
}

impl Stored for Line {
    fn write(&self, writer: &mut Writer<'_>) {
        assert!(self.quantity >= 1, "a line has at least one unit: {self:?}");
        writer.put(&self.item).put(&self.quantity).put(&self.unit_price);
    }

    #[inline]
    fn read(reader: &mut Reader<'_>, _field: &'static str) -> Result<Line, DecodeError> {
        Ok(Line {
            item: reader.get("item")?,
            quantity: reader.get_as("quantity", |raw: u16| (raw >= 1).then_some(raw))?,
            unit_price: reader.get("unit_price")?,
        })
    }
}

/// How many in one byte, then the lines, by item.
impl Stored for Lines {
    fn write(&self, writer: &mut Writer<'_>) {
        let count = u8::try_from(self.as_slice().len()).expect("an order has at most 16 lines");
        writer.put(&count);
        for line in self {
            writer.put(line);
        }
    }

    fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Lines, DecodeError> {
        let offset = reader.offset();
        let legal = |count: u8| (1..=LINE_COUNT_MAX).contains(&usize::from(count)).then_some(count);
        let count = reader.get_as("line_count", legal)?;
        if count == 1 {
            // The usual case needs no list.
            return Ok(Lines::one(reader.get("line")?));
        }
        let lines = (0..count).map(|_| reader.get("line")).collect::<Result<Vec<Line>, DecodeError>>()?;
        let sorted = lines.windows(2).all(|pair| pair[0].item < pair[1].item);
        let made = if sorted { Lines::new(lines).ok() } else { None };
        made.ok_or(DecodeError::Illegal { field, offset })
    }
}

impl Stored for Levels {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.put(&self.stock).put(&self.free).put(&self.held).put(&self.paid).put(&self.withdrawn);
    }

    fn read(reader: &mut Reader<'_>, _field: &'static str) -> Result<Levels, DecodeError> {
        Ok(Levels {
            stock: reader.get("stock")?,
            free: reader.get("free")?,
            held: reader.get("held")?,
            paid: reader.get("paid")?,
            withdrawn: reader.get("withdrawn")?,
        })
    }
}
