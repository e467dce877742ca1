//! JSON by hand: answers are written straight into bytes, bodies are checked field by field.

mod fields;
pub(crate) mod scan;
mod view;
mod write;

pub(crate) use fields::{Faults, Field, FieldFault, Object, Place};
pub(crate) use view::{OrderPen, push_order, push_order_open, push_sale, push_stock, push_stock_receipt};
pub(crate) use write::{push_name, push_number, push_text, push_time_or_null};
