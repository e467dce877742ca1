//! Readers of the journal, each with its own cursor, and what they keep in memory.
//!
//! A view may be deleted and built again from the journal at any time; it holds nothing that is not durable.
//! [`catalog`] is what edges read; [`key_filter`] says which idempotency keys are certainly new;
//! [`foresight`] says from both what the writer would refuse.
//! [`follower`] is an engine behind the writer: it answers [`mod@orders`] listings and takes the snapshots that
//! [`snapshot_store`] keeps.

pub mod catalog;
mod dated;
pub mod follower;
pub mod foresight;
pub mod key_filter;
pub mod orders;
mod settle;
pub mod snapshot_store;
#[cfg(test)]
mod world;

pub use catalog::{Catalog, Front, SaleEntry, SalePublished, SaleSnapshot};
pub use dated::{Dated, Undecodable};
pub use follower::{FollowError, Follower, SnapshotError};
pub use foresight::{Claim, foresee_refusal};
pub use key_filter::{KeyNotes, KeyWriter};
pub use orders::{OrdersPage, OrdersQuery, orders};
pub use settle::{settle, thread_count};
pub use snapshot_store::{Loaded, Position, SnapshotStore, Written};
