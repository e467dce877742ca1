//! The stored form of the terms of sales and items.

use alloc::boxed::Box;

use domain::{ItemTerms, SaleTerms};

use crate::error::DecodeError;
use crate::reader::Reader;
use crate::stored::{HoldTtl, Stored};
use crate::writer::Writer;

impl Stored for SaleTerms {
    fn write(&self, writer: &mut Writer<'_>) {
        writer
            .put(&self.name)
            .put(&self.currency)
            .put(&self.opens_at)
            .put(&self.closes_at)
            .put(&HoldTtl(self.hold_ttl_s))
            .put(&self.per_order_max)
            .put(&self.per_buyer_max)
            .put(&self.per_buyer_day_max);
    }

    fn read(reader: &mut Reader<'_>, _field: &'static str) -> Result<SaleTerms, DecodeError> {
        Ok(SaleTerms {
            name: reader.get("name")?,
            currency: reader.get("currency")?,
            opens_at: reader.get("opens_at")?,
            closes_at: reader.get("closes_at")?,
            hold_ttl_s: reader.get::<HoldTtl>("hold_ttl_s")?.0,
            per_order_max: reader.get("per_order_max")?,
            per_buyer_max: reader.get("per_buyer_max")?,
            per_buyer_day_max: reader.get("per_buyer_day_max")?,
        })
    }
}

impl Stored for ItemTerms {
    fn write(&self, writer: &mut Writer<'_>) {
        writer
            .put(&self.code)
            .put(&self.name)
            .put(&self.unit_price)
            .put(&self.per_order_max)
            .put(&self.per_buyer_max);
    }

    fn read(reader: &mut Reader<'_>, _field: &'static str) -> Result<ItemTerms, DecodeError> {
        Ok(ItemTerms {
            code: reader.get("code")?,
            name: reader.get("name")?,
            unit_price: reader.get("unit_price")?,
            per_order_max: reader.get("per_order_max")?,
            per_buyer_max: reader.get("per_buyer_max")?,
        })
    }
}

/// A box stands as what is in it.
macro_rules! stored_boxes {
    ($($word:ty),*) => {$(
        impl Stored for Box<$word> {
            fn write(&self, writer: &mut Writer<'_>) {
                writer.put::<$word>(self);
            }

            fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
                reader.get::<$word>(field).map(Box::new)
            }
        }
    )*};
}
stored_boxes!(SaleTerms, ItemTerms);
