//! MariaDB: one transaction for each order, as one prepared call of a procedure.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder, Params, Statement, Value};

use crate::pool::Pool;
use crate::store::{Ledger, Opening, Order, Placed};

const SCHEMA: &str = include_str!("mariadb.sql");
const DATABASE: &str = "bench";
const CALL: &str = "CALL place_order(?, ?, ?, ?, ?, ?, ?)";
const LEDGER: &str = "SELECT (SELECT CAST(SUM(free) AS UNSIGNED) FROM items), COUNT(*), \
                      CAST(COALESCE(SUM(quantity), 0) AS UNSIGNED), COUNT(DISTINCT buyer, buyer_key), \
                      (SELECT CAST(COALESCE(SUM(units), 0) AS UNSIGNED) FROM buyers), \
                      (SELECT CAST(COALESCE(MAX(units), 0) AS UNSIGNED) FROM buyers) FROM orders";
const CONNECT_PAUSE: Duration = Duration::from_millis(50);
const CONNECT_TRIES: u32 = 400;

pub(crate) struct MariaDb {
    pool: Arc<Pool<Prepared>>,
}

struct Prepared {
    connection: Conn,
    call: Statement,
}

/// What a row of the procedure holds.
type Row = (String, Option<i64>, Option<u16>, Option<u32>, Option<i64>);

/// Waits for the server, makes the tables and opens the connections.
pub(crate) async fn open(opening: Opening) -> anyhow::Result<MariaDb> {
    let options = OptsBuilder::default()
        .socket(Some(&opening.address))
        .user(Some("root"))
        .max_allowed_packet(Some(1 << 20))
        .wait_timeout(Some(3_600));
    let mut first = first(&options).await?;
    first.query_drop(format!("CREATE DATABASE {DATABASE}")).await?;
    let options = options.db_name(Some(DATABASE));
    let mut first = connect(&options).await?;
    for statement in statements(SCHEMA) {
        first.query_drop(statement).await.with_context(|| format!("cannot run {statement}"))?;
    }
    for item in 0..opening.items {
        first.exec_drop("INSERT INTO items VALUES (?, ?)", (item, opening.stock)).await?;
    }
    let mut connections = Vec::new();
    for _ in 0..opening.connections {
        let mut connection = connect(&options).await?;
        let call = connection.prep(CALL).await?;
        connections.push(Prepared { connection, call });
    }
    Ok(MariaDb { pool: Arc::new(Pool::new(connections)) })
}

/// The statements of a file: those with a body of their own come last, and there is one of them at most.
fn statements(text: &str) -> impl Iterator<Item = &str> {
    let body = text.find("CREATE PROCEDURE").unwrap_or(text.len());
    let (tables, procedure) = text.split_at(body);
    tables.split_terminator(';').chain([procedure]).map(str::trim).filter(|part| part.contains("CREATE"))
}

async fn first(options: &OptsBuilder) -> anyhow::Result<Conn> {
    for _ in 1..CONNECT_TRIES {
        if let Ok(connection) = connect(options).await {
            return Ok(connection);
        }
        tokio::time::sleep(CONNECT_PAUSE).await;
    }
    connect(options).await.context("no MariaDB answers there")
}

async fn connect(options: &OptsBuilder) -> anyhow::Result<Conn> {
    Ok(Conn::new(options.clone()).await?)
}

impl MariaDb {
    pub(crate) async fn place(&self, order: Order) -> anyhow::Result<Placed> {
        let Order { number, item, quantity, buyer, key, per_buyer_max, expires_at } = order;
        let values: [Value; 7] = [
            number.into(),
            Value::Bytes(buyer.to_vec()),
            key.into(),
            item.into(),
            quantity.into(),
            per_buyer_max.into(),
            expires_at.into(),
        ];
        let pool = Arc::clone(&self.pool);
        // A task of its own: when a buyer hangs up, this is dropped, and a call that nobody waits for to its end
        // would leave its answer for the next one to read.
        let call = tokio::spawn(async move {
            let mut lent = pool.lend().await;
            let Prepared { connection, call } = &mut *lent;
            connection.exec_first(&*call, Params::Positional(values.into())).await
        });
        let row: Option<Row> = call.await??;
        placed(row.context("the procedure answered nothing")?)
    }

    pub(crate) async fn ledger(&self) -> anyhow::Result<Ledger> {
        let mut lent = self.pool.lend().await;
        let row: Option<(u64, u64, u64, u64, u64, u64)> = lent.connection.query_first(LEDGER).await?;
        let (free, orders, units, keys, taken, per_buyer_max) = row.context("no row of sums")?;
        Ok(Ledger { free, orders, units, keys, taken, per_buyer_max })
    }
}

fn placed(row: Row) -> anyhow::Result<Placed> {
    match row {
        (word, ..) if word == "held" => Ok(Placed::Held),
        (word, Some(number), Some(item), Some(quantity), Some(expires_at)) if word == "known" => {
            Ok(Placed::Known { number, item, quantity: quantity.try_into()?, expires_at })
        }
        (word, _, _, Some(taken), _) if word == "over_limit" => Ok(Placed::OverLimit { taken }),
        (word, _, _, Some(left), _) if word == "exhausted" => Ok(Placed::Exhausted { left }),
        other => bail!("the procedure answered {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn procedure_is_one_statement_though_it_has_many_inside() {
        let all: Vec<&str> = statements(SCHEMA).collect();
        assert_eq!(all.len(), 4);
        assert!(all[3].starts_with("CREATE PROCEDURE") && all[3].ends_with("END"), "{}", all[3]);
    }
}
