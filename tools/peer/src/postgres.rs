//! PostgreSQL: one transaction for each order, as one prepared call of a function.

use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio_postgres::{Client, Config, NoTls, Row, Statement};

use crate::pool::Pool;
use crate::store::{Ledger, Opening, Order, Placed};

const SCHEMA: &str = include_str!("postgres.sql");
const CALL: &str = "SELECT o_word, o_number, o_item, o_quantity, o_expires_at \
                    FROM place_order($1, $2, $3, $4, $5, $6, $7)";
const LEDGER: &str = "SELECT (SELECT sum(free) FROM items), count(*), coalesce(sum(quantity), 0), \
                      count(DISTINCT (buyer, key)), (SELECT coalesce(sum(units), 0) FROM buyers), \
                      (SELECT coalesce(max(units), 0)::bigint FROM buyers) FROM orders";
const CONNECT_PAUSE: Duration = Duration::from_millis(50);
const CONNECT_TRIES: u32 = 400;

pub(crate) struct Postgres {
    pool: Pool<Prepared>,
}

struct Prepared {
    client: Client,
    call: Statement,
}

/// Waits for the server, makes the tables and opens the connections.
pub(crate) async fn open(opening: Opening) -> anyhow::Result<Postgres> {
    let mut config = Config::new();
    config.host_path(&opening.address).user("bench").dbname("postgres");
    let first = first(&config).await?;
    first.batch_execute(SCHEMA).await.context("the tables cannot be made")?;
    let stock = "INSERT INTO items SELECT generate_series(0, $1::int - 1), $2::int";
    first.execute(stock, &[&i32::from(opening.items), &i32::try_from(opening.stock)?]).await?;
    let mut connections = Vec::new();
    for _ in 0..opening.connections {
        let client = connect(&config).await?;
        let call = client.prepare(CALL).await?;
        connections.push(Prepared { client, call });
    }
    Ok(Postgres { pool: Pool::new(connections) })
}

async fn first(config: &Config) -> anyhow::Result<Client> {
    for _ in 1..CONNECT_TRIES {
        if let Ok(client) = connect(config).await {
            return Ok(client);
        }
        tokio::time::sleep(CONNECT_PAUSE).await;
    }
    connect(config).await.context("no PostgreSQL answers there")
}

async fn connect(config: &Config) -> anyhow::Result<Client> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            eprintln!("peer: a connection to PostgreSQL ended: {error}");
        }
    });
    Ok(client)
}

impl Postgres {
    pub(crate) async fn place(&self, order: Order) -> anyhow::Result<Placed> {
        let Order { number, item, quantity, buyer, key, per_buyer_max, expires_at } = order;
        let (item, quantity) = (i32::from(item), i32::from(quantity));
        let per_buyer_max = i32::try_from(per_buyer_max)?;
        let buyer: &[u8] = &buyer;
        let lent = self.pool.lend().await;
        let row = lent
            .client
            .query_one(&lent.call, &[&number, &buyer, &key, &item, &quantity, &per_buyer_max, &expires_at])
            .await?;
        placed(&row)
    }

    pub(crate) async fn ledger(&self) -> anyhow::Result<Ledger> {
        let lent = self.pool.lend().await;
        let row = lent.client.query_one(LEDGER, &[]).await?;
        let count = |index| -> anyhow::Result<u64> { Ok(row.try_get::<_, i64>(index)?.try_into()?) };
        Ok(Ledger {
            free: count(0)?,
            orders: count(1)?,
            units: count(2)?,
            keys: count(3)?,
            taken: count(4)?,
            per_buyer_max: count(5)?,
        })
    }
}

fn placed(row: &Row) -> anyhow::Result<Placed> {
    let quantity = || -> anyhow::Result<u32> { Ok(row.try_get::<_, i32>(3)?.try_into()?) };
    match row.try_get(0)? {
        "held" => Ok(Placed::Held),
        "known" => Ok(Placed::Known {
            number: row.try_get(1)?,
            item: row.try_get::<_, i32>(2)?.try_into()?,
            quantity: quantity()?.try_into()?,
            expires_at: row.try_get(4)?,
        }),
        "over_limit" => Ok(Placed::OverLimit { taken: quantity()? }),
        "exhausted" => Ok(Placed::Exhausted { left: quantity()? }),
        other => bail!("the function answered {other:?}"),
    }
}
