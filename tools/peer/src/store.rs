//! Whoever decides and remembers in the place of Onrush's writer and journal.

use anyhow::bail;
use serde::Serialize;

use crate::mariadb::MariaDb;
use crate::postgres::Postgres;
use crate::redis::Redis;

/// One order of one line, in plain numbers.
#[derive(Clone, Copy)]
pub(crate) struct Order {
    /// The number that the front gave it.
    pub(crate) number: i64,
    pub(crate) item: u16,
    pub(crate) quantity: u16,
    pub(crate) buyer: [u8; 16],
    /// The idempotency key, unique for a buyer.
    pub(crate) key: i64,
    /// Units that one buyer may have.
    pub(crate) per_buyer_max: u32,
    /// When the hold ends, in milliseconds since 1970.
    pub(crate) expires_at: i64,
}

/// What became of an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Placed {
    /// It is durable.
    Held,
    /// The buyer used this key before: for this order.
    Known { number: i64, item: u16, quantity: u16, expires_at: i64 },
    /// Too few units are free.
    Exhausted { left: u32 },
    /// The buyer would have too many.
    OverLimit { taken: u32 },
}

/// What is in a store, counted by questions that have nothing to do with how orders are placed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub(crate) struct Ledger {
    /// Units free in all items.
    pub(crate) free: u64,
    /// Orders, and the units in them.
    pub(crate) orders: u64,
    pub(crate) units: u64,
    /// Different pairs of buyer and key: as many as orders, or one was placed twice.
    pub(crate) keys: u64,
    /// Units that buyers have, by the limit's own counters.
    pub(crate) taken: u64,
    /// The most that one buyer has.
    pub(crate) per_buyer_max: u64,
}

/// How a store is opened.
pub(crate) struct Opening {
    /// Where its server listens: a Unix socket, or the folder of one.
    pub(crate) address: String,
    /// Connections, where more than one helps.
    pub(crate) connections: usize,
    /// Items, and the units of each.
    pub(crate) items: u16,
    pub(crate) stock: u32,
}

/// Whoever decides.
pub(crate) enum Store {
    Redis(Redis),
    Postgres(Postgres),
    MariaDb(MariaDb),
    /// Nobody: the gate is told that nothing more can wait, and refuses every order.
    Full,
}

impl Store {
    /// Places an order, and returns when that is as durable as this store makes it.
    pub(crate) async fn place(&self, order: Order) -> anyhow::Result<Placed> {
        match self {
            Store::Redis(store) => store.place(order).await,
            Store::Postgres(store) => store.place(order).await,
            Store::MariaDb(store) => store.place(order).await,
            Store::Full => bail!("the gate let an order in although the inbox is full"),
        }
    }

    /// Counts what was sold.
    pub(crate) async fn ledger(&self) -> anyhow::Result<Ledger> {
        match self {
            Store::Redis(store) => store.ledger().await,
            Store::Postgres(store) => store.ledger().await,
            Store::MariaDb(store) => store.ledger().await,
            Store::Full => Ok(Ledger::default()),
        }
    }
}
