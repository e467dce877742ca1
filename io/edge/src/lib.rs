//! The HTTP edge: parses, authenticates, asks the gate, submits, answers. The only room that knows HTTP.
//!
//! It decides nothing about a sale: what the catalogue cannot answer goes to the [`Backend`], and the edge does
//! not know where that is. The crowd's three routes are answered by hand in `hot`, all others by axum in
//! `routes`; `problem` is the one file that turns every "no" into an answer. It reads no wall clock (time comes
//! from the backend), keeps no state but ready bytes and counters, and every size, list and wait has a bound in
//! [`Config`]. Start with [`accept_loop`], then `service`.

mod admin;
mod ascii;
pub mod auth;
mod backend;
mod body;
mod bulk;
mod config;
mod conn;
mod edge;
#[doc(hidden)]
pub mod fuzzing;
#[doc(hidden)]
pub mod hello;
mod hot;
mod json;
mod metrics;
pub mod openapi;
mod payments;
mod problem;
mod receipt;
mod request;
mod route;
mod routes;
#[cfg(test)]
mod scenarios;
mod service;

pub use crate::admin::{Readiness, Ready, admin_loop, admin_router};
pub use crate::backend::{
    Backend, Bulk, BulkDecided, CURSOR_SIZE_BYTES_MAX, CursorInvalid, Decided, OrdersPage, OrdersQuery, Tip,
    Unavailable,
};
pub use crate::body::Body;
pub use crate::config::Config;
pub use crate::conn::listener::accept_loop;
pub use crate::conn::socket::listen;
pub use crate::edge::{Edge, EdgeParts};
pub use crate::metrics::Metrics;
pub use crate::payments::{Charging, PaymentDesk, Payments};
pub use crate::receipt::{Receipt, ReceiptError};
pub use crate::route::Route;
