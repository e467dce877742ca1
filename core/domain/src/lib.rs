//! The words of Onrush as types. Everybody imports this room; it imports nobody.
//!
//! Here live ids, numbers with a unit, what somebody wants ([`Command`]), what happened ([`Fact`]),
//! the ordinary answer "no" ([`Refusal`]) and every bound of the system ([`limits`]).
//! It may not decide, read a clock, do I/O or draw a random number. Start with [`fact`].
#![no_std]

extern crate alloc;

pub mod answer;
pub mod command;
pub mod fact;
pub mod id;
pub mod label;
pub mod limits;
pub mod lines;
pub mod money;
pub mod order;
pub mod order_code;
pub mod planted;
pub mod refusal;
pub mod sale;
pub mod stock;
pub mod time;

pub use answer::{Answer, OrderView, StockReceipt, Surplus};
pub use command::{Actor, Command, ItemPatch, OrderWanted, PaymentResult, RefundStep, Request, SalePatch};
pub use fact::Fact;
pub use id::{BuyerId, ItemIndex, KeyDigest, OrderId, PaymentId, SaleId, Seq, ShardId, Term};
pub use lines::{Basket, Line, Lines, LinesError, Wish, Wishes};
pub use money::{Amount, Currency};
pub use order::{OrderState, RefundCause};
pub use order_code::OrderCodec;
pub use refusal::{Refusal, TermsFault};
pub use sale::{Cause, ItemTerms, Phase, SaleStatus, SaleTerms, Slug};
pub use stock::Levels;
pub use time::UnixMs;
