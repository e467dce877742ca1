//! Redis: stock, limits, keys and orders in hashes, decided by one script. One connection: its driver sends what
//! many requests want in one write, which is what serves Redis best.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, bail};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, Value, cmd};

use crate::store::{Ledger, Opening, Order, Placed};

const SCRIPT: &str = include_str!("place.lua");
const FREE: &str = "free";
const TAKEN: &str = "taken";
const KEYS: &str = "keys";
/// Requests that wait for the connection to take them.
const PIPELINE_LEN_MAX: usize = 4_096;
const CONNECT_PAUSE: Duration = Duration::from_millis(20);
const CONNECT_TRIES: u32 = 500;
/// Orders read at a time when they are counted.
const SCAN_COUNT: u32 = 1_000;

pub(crate) struct Redis {
    connection: MultiplexedConnection,
    script: String,
}

/// Waits for the server, loads the script and puts the stock there.
pub(crate) async fn open(opening: Opening) -> anyhow::Result<Redis> {
    let client = Client::open(format!("redis+unix://{}", opening.address))?;
    let mut connection = connect(&client).await?;
    let script: String = cmd("SCRIPT").arg("LOAD").arg(SCRIPT).query_async(&mut connection).await?;
    let mut stock = cmd("HSET");
    stock.arg(FREE);
    for item in 0..opening.items {
        stock.arg(item).arg(opening.stock);
    }
    stock.query_async::<()>(&mut connection).await?;
    Ok(Redis { connection, script })
}

async fn connect(client: &Client) -> anyhow::Result<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_response_timeout(None)
        .set_connection_timeout(None)
        .set_pipeline_buffer_size(PIPELINE_LEN_MAX);
    for _ in 1..CONNECT_TRIES {
        if let Ok(connection) = client.get_multiplexed_async_connection_with_config(&config).await {
            return Ok(connection);
        }
        tokio::time::sleep(CONNECT_PAUSE).await;
    }
    client.get_multiplexed_async_connection_with_config(&config).await.context("no Redis answers there")
}

impl Redis {
    fn command(&self, order: &Order) -> Cmd {
        let Order { number, item, quantity, buyer, key, per_buyer_max, expires_at } = order;
        let mut buyer_key = [0; 24];
        buyer_key[..16].copy_from_slice(buyer);
        buyer_key[16..].copy_from_slice(&key.to_be_bytes());
        let mut command = cmd("EVALSHA");
        command.arg(&self.script).arg(4).arg(FREE).arg(TAKEN).arg(KEYS).arg(format!("order:{number}"));
        command.arg(item).arg(quantity).arg(buyer).arg(&buyer_key);
        command.arg(number).arg(per_buyer_max).arg(expires_at);
        command
    }

    /// Counts the orders and the units in them, one page of names after the other.
    async fn orders(&self) -> anyhow::Result<(u64, u64)> {
        let mut connection = self.connection.clone();
        let (mut cursor, mut orders, mut units) = (0_u64, 0, 0);
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg("order:*").arg("COUNT").arg(SCAN_COUNT);
            let (next, names): (u64, Vec<String>) = scan.query_async(&mut connection).await?;
            let mut page = redis::pipe();
            for name in &names {
                page.cmd("HGET").arg(name).arg("quantity");
            }
            let quantities: Vec<u64> = page.query_async(&mut connection).await?;
            orders += quantities.len() as u64;
            units += quantities.iter().sum::<u64>();
            match next {
                0 => return Ok((orders, units)),
                _ => cursor = next,
            }
        }
    }
}

impl Redis {
    pub(crate) async fn place(&self, order: Order) -> anyhow::Result<Placed> {
        let reply: Value = self.command(&order).query_async(&mut self.connection.clone()).await?;
        placed(&reply).with_context(|| format!("the script answered {reply:?}"))
    }

    pub(crate) async fn ledger(&self) -> anyhow::Result<Ledger> {
        let mut connection = self.connection.clone();
        let free: Vec<u64> = cmd("HVALS").arg(FREE).query_async(&mut connection).await?;
        let taken: Vec<u64> = cmd("HVALS").arg(TAKEN).query_async(&mut connection).await?;
        let keys: HashMap<Vec<u8>, i64> = cmd("HGETALL").arg(KEYS).query_async(&mut connection).await?;
        let (orders, units) = self.orders().await?;
        Ok(Ledger {
            free: free.iter().sum(),
            orders,
            units,
            keys: keys.len() as u64,
            taken: taken.iter().sum(),
            per_buyer_max: taken.iter().copied().max().unwrap_or(0),
        })
    }
}

/// The script's answer: a word, and what belongs to it.
fn placed(reply: &Value) -> anyhow::Result<Placed> {
    let Value::Array(parts) = reply else { bail!("not a list") };
    let Some(Value::BulkString(word)) = parts.first() else { bail!("no word") };
    if word == b"held" {
        return Ok(Placed::Held);
    }
    let number = |index: usize| -> anyhow::Result<i64> {
        match parts.get(index) {
            Some(Value::Int(number)) => Ok(*number),
            Some(Value::BulkString(text)) => Ok(std::str::from_utf8(text)?.parse()?),
            other => bail!("part {index} is {other:?}"),
        }
    };
    match word.as_slice() {
        b"known" => Ok(Placed::Known {
            number: number(1)?,
            item: number(2)?.try_into()?,
            quantity: number(3)?.try_into()?,
            expires_at: number(4)?,
        }),
        b"over_limit" => Ok(Placed::OverLimit { taken: number(1)?.try_into()? }),
        b"exhausted" => Ok(Placed::Exhausted { left: number(1)?.try_into()? }),
        _ => bail!("an unknown word"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    #[test]
    fn every_answer_of_the_script_is_understood() {
        let check = |parts: Vec<Value>, expected| assert_eq!(placed(&Value::Array(parts)).unwrap(), expected);
        check(vec![text("held")], Placed::Held);
        check(vec![text("over_limit"), Value::Int(4)], Placed::OverLimit { taken: 4 });
        check(vec![text("exhausted"), Value::Int(1)], Placed::Exhausted { left: 1 });
        let known = Placed::Known { number: 1 << 60, item: 2, quantity: 3, expires_at: 4 };
        check(vec![text("known"), text("1152921504606846976"), text("2"), text("3"), text("4")], known);
        assert!(placed(&Value::Array(vec![text("what")])).is_err());
        assert!(placed(&Value::Nil).is_err());
    }
}
