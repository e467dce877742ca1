//! Onrush: a real server on a data folder of its own, with one sale; and what its journal says afterwards.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use crate::arm::{Arm, PER_BUYER_MAX, SALE, item};
use crate::ledger::Ledger;
use crate::sample::settle;
use crate::server::Server;
use crate::site::{Site, run};

const ADMIN_KEY: &str = "admin key, shown this once: ";
/// Longer than any run.
const HOLD_TTL_SECONDS: u32 = 3_600;

/// A server with an open sale.
pub(crate) struct House<'a> {
    site: &'a Site,
    pub(crate) server: Server,
    pub(crate) data: TempDir,
}

impl<'a> House<'a> {
    /// Starts a server by `command` (serve) on a new data folder, and opens the sale that the arm needs.
    ///
    /// # Errors
    /// When any of that fails.
    pub(crate) fn open(site: &'a Site, command: &mut Command, arm: Arm) -> anyhow::Result<House<'a>> {
        let data = site.data_folder(arm)?;
        let server = Server::start(on_data(command, &data))?;
        let key = server.greeting.iter().find_map(|line| line.strip_prefix(ADMIN_KEY));
        let key = key.context("a new server did not print its admin key")?.to_owned();
        let file = data.path().join("bench-sale.toml");
        std::fs::write(&file, sale_definition(arm))?;
        let mut apply = site.command("sale");
        apply.arg("apply").arg(&file).arg("--yes").args(["--url", &format!("http://{}", server.address)]);
        run(apply.args(["--admin-key", &key]))?;
        std::fs::remove_file(&file)?;
        // Nobody sells in the second in which the sale was made: its server has made room for it.
        settle(&[server.pid()])?;
        Ok(House { site, server, data })
    }

    /// Stops the server, has `onrush journal verify` read everything it wrote, and says what was sold.
    ///
    /// # Errors
    /// When the server did not stop in order, or the journal is not sound.
    pub(crate) fn close(self) -> anyhow::Result<Ledger> {
        let House { site, server, data } = self;
        let (status, _) = server.stop()?;
        ensure!(status.success(), "the server did not stop in order: {status}");
        let output = run(site.command("journal").arg("verify").arg(data.path()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        ledger(&text).with_context(|| format!("cannot understand what `onrush journal verify` says:\n{text}"))
    }
}

/// Tells a server where to keep its data and to listen where there is room.
pub(crate) fn on_data<'a>(command: &'a mut Command, data: &TempDir) -> &'a mut Command {
    command.arg("--data").arg(data.path());
    command.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--set", "log.level=warn"])
}

/// Limits as in an ordinary sale, so that they are checked; open since long ago.
fn sale_definition(arm: Arm) -> String {
    let mut text = format!(
        "sale = \"{SALE}\"\nname = \"Bench\"\ncurrency = \"EUR\"\nopens_at = 2026-01-01T00:00:00Z\n\
         hold_ttl_seconds = {HOLD_TTL_SECONDS}\n[limits]\nper_order = {PER_BUYER_MAX}\nper_buyer = {PER_BUYER_MAX}\n"
    );
    for number in 0..arm.items() {
        let (code, stock) = (item(number), arm.stock());
        let item = format!(
            "[[items]]\nitem = \"{code}\"\nname = \"Item {number}\"\nunit_price = 12000\nstock = {stock}\n"
        );
        text.write_str(&item).expect("a text takes more text");
    }
    text
}

/// Reads `item i0000: stock 9 = free 7 + held 2 + …`, a line for each item, and `held: 2 orders, 2 units, …`. That
/// no key stands for two orders and no limit is exceeded is what `onrush journal verify` makes sure of itself.
fn ledger(text: &str) -> Option<Ledger> {
    let lines = |start: &'static str| {
        text.lines().map(str::trim).filter_map(move |line| line.strip_prefix(start)).map(numbers)
    };
    let (mut free, mut held, mut items) = (0, 0, 0);
    for line in text.lines().map(str::trim).filter_map(|line| line.strip_prefix("item ")?.split_once(": ")) {
        let levels = numbers(line.1);
        free += levels.get(1)?;
        held += levels.get(2)?;
        items += 1;
    }
    let (orders, units) = match lines("held: ").next() {
        Some(sums) => (*sums.first()?, *sums.get(1)?),
        None => (0, 0),
    };
    (items > 0).then_some(Ledger {
        free,
        orders,
        units,
        keys: orders,
        taken: held,
        per_buyer_max: u64::from(orders > 0),
    })
}

fn numbers(text: &str) -> Vec<u64> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sold_is_read_from_the_words() {
        let text = "x\n    item i0000: stock 9 = free 7 + held 2 + paid 0 + withdrawn 0\n    \
                    item i0001: stock 9 = free 8 + held 1 + paid 0 + withdrawn 0\n    \
                    held: 3 orders, 3 units, 24000 EUR in minor units\n";
        let expected = Ledger { free: 15, orders: 3, units: 3, keys: 3, taken: 3, per_buyer_max: 1 };
        assert_eq!(ledger(text), Some(expected));
        let nothing = "    item i0000: stock 0 = free 0 + held 0 + paid 0 + withdrawn 0\n";
        let expected = Ledger { free: 0, orders: 0, units: 0, keys: 0, taken: 0, per_buyer_max: 0 };
        assert_eq!(ledger(nothing), Some(expected));
        assert_eq!(ledger("invariants: all hold"), None);
    }
}
