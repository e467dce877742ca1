//! The house that the crowd comes to: a server with its payment simulator, on free ports, and the sale.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use domain::ShardId;
use edge::auth::AdminKey;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tempfile::TempDir;

use super::args::DemoArgs;
use super::crowd::{Offer, OfferItem};
use super::plan::EARLY_MAX;
use crate::client::Client;
use crate::config::{Config, Layers, load};
use crate::installation::Installation;
use crate::sale_apply::{Definition, Desk};
use crate::serve::{self, Running};
use crate::token::{Issuer, TokenKind};

const CONCERT: &str = include_str!("../../../../examples/concert.toml");
/// Holds of a demo end soon, so that one sees units come back.
const HOLD_S: u16 = 3;
/// Afterwards, for whoever tries things out by hand.
pub(crate) const VISITOR_HOLD_S: u16 = 600;
/// From the announcement to the opening: time for the early ones to come.
const ANNOUNCED_BEFORE: Duration = Duration::from_secs(1);
const PAYMENT_DELAY_MS: u64 = 150;
/// Longer than a hold: a late payment meets an order that has expired.
const PAYMENT_LATE_MS: u64 = 3_000;
/// When the callback of every payment has come: the latest one, and a little. A second call changes nothing.
pub(crate) const CALLBACK_MAX: Duration = Duration::from_millis(PAYMENT_DELAY_MS + PAYMENT_LATE_MS + 500);
/// Where a data folder keeps the hashes of its admin keys, one per line.
const ADMIN_KEYS: &str = "secrets/admin-keys";
/// So many sales of one data folder are named after the concert before it is enough.
const SALE_COUNT_MAX: u32 = 1_000;

/// A running server.
pub(crate) struct House {
    pub(crate) running: Running,
    pub(crate) config: Config,
    pub(crate) url: String,
    pub(crate) admin_key: String,
    /// A key for the time of the demo, in a folder whose own keys only its owner knows.
    lent: Option<AdminKey>,
    /// Goes with its contents when it is dropped.
    _folder: Option<TempDir>,
}

impl House {
    pub(crate) fn open(args: &DemoArgs) -> anyhow::Result<House> {
        let (data, folder) = match &args.data {
            Some(data) => (data.clone(), None),
            None => {
                let folder = tempfile::Builder::new().prefix("onrush-demo-").tempdir();
                let folder = folder.context("no temporary folder can be made; name one with --data")?;
                (folder.path().join("data"), Some(folder))
            }
        };
        let config = config(&data, args.seed)?;
        let lent = lend_key(&data)?;
        let running = serve::start(&config).context("the server does not start")?;
        let admin_key = lent.as_ref().or(running.new_admin_key());
        let admin_key = admin_key.context("a new data folder comes with an admin key")?.as_str().to_owned();
        let url = format!("http://{}", running.listen_addr());
        Ok(House { running, config, url, admin_key, lent, _folder: folder })
    }

    /// Gives whoever tries things out by hand the time to do so.
    pub(crate) fn give_time(&self, sale: &str) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let desk = Desk { client: Client::new(&self.url, 1)?, admin_key: self.admin_key.clone() };
        let body = json!({ "hold_ttl_seconds": VISITOR_HOLD_S });
        let key = format!("{sale}/visitors");
        runtime.block_on(desk.send(Method::PATCH, &format!("/v1/sales/{sale}"), (&key, &body)))
    }

    /// Stops the server and takes back what was lent.
    pub(crate) fn close(self) -> anyhow::Result<()> {
        self.running.stop().context("the server did not stop in order")?;
        match self.lent {
            Some(key) => take_back(&self.config.data, &key),
            None => Ok(()),
        }
    }

    /// The folder of the journal.
    pub(crate) fn journal(&self) -> anyhow::Result<PathBuf> {
        Ok(Installation::open(&self.config.data)?.shard_dir(ShardId::FIRST))
    }

    pub(crate) fn issuer(&self) -> anyhow::Result<Issuer> {
        Issuer::from_config(&self.config, TokenKind::Jwt, None)
    }

    /// Puts the concert up for sale; it opens by itself soon.
    pub(crate) fn announce(&self, args: &DemoArgs) -> anyhow::Result<Offer> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let desk = Desk { client: Client::new(&self.url, 1)?, admin_key: self.admin_key.clone() };
        let mut definition = scale(&Definition::parse(CONCERT)?, args.units);
        definition.hold_ttl_seconds = HOLD_S;
        let opens_in = EARLY_MAX + ANNOUNCED_BEFORE;
        runtime.block_on(async {
            definition.sale = free_slug(&desk, &definition.sale).await?;
            let opens_at = Timestamp::now() + SignedDuration::try_from(opens_in)?;
            definition.opens_at = Some(format!("{opens_at:.3}"));
            let opening = Instant::now() + opens_in;
            desk.create(&definition).await?;
            Ok(offer(&definition, args.units, opening))
        })
    }
}

fn config(data: &Path, seed: u64) -> anyhow::Result<Config> {
    let data = data.to_str().context("the data folder's name is not text")?;
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let command_line = vec![
        set("listen", "127.0.0.1:0"),
        set("admin_listen", "127.0.0.1:0"),
        set("data", data),
        // The audit reads the whole journal, so nothing of it may be dropped meanwhile.
        set("snapshot.every_facts", "1000000000"),
        set("snapshot.every_journal_bytes", "1099511627776"),
        set("payments.simulator.enabled", "true"),
        set("payments.simulator.listen", "127.0.0.1:0"),
        set("payments.simulator.seed", &seed.to_string()),
        set("payments.simulator.delay_ms", &PAYMENT_DELAY_MS.to_string()),
        set("payments.simulator.fail_percent", "30"),
        set("payments.simulator.late_percent", "2"),
        set("payments.simulator.late_ms", &PAYMENT_LATE_MS.to_string()),
        set("payments.simulator.twice_percent", "10"),
        set("log.level", "warn"),
    ];
    let layers = Layers { file: None, environment: Vec::new(), command_line };
    Ok(load(layers).context("the demo's configuration is refused")?.config)
}

/// Adds an admin key to a folder that was made before.
fn lend_key(data: &Path) -> anyhow::Result<Option<AdminKey>> {
    let path = data.join(ADMIN_KEYS);
    if !path.try_exists()? {
        return Ok(None);
    }
    let key = AdminKey::generate();
    let mut file = OpenOptions::new().append(true).open(&path).with_context(|| told("write", &path))?;
    writeln!(file, "{}", key.hash()).with_context(|| told("write", &path))?;
    Ok(Some(key))
}

fn take_back(data: &Path, key: &AdminKey) -> anyhow::Result<()> {
    let path = data.join(ADMIN_KEYS);
    let text = fs::read_to_string(&path).with_context(|| told("read", &path))?;
    let hash = key.hash().to_string();
    let kept: String =
        text.lines().filter(|line| line.trim() != hash).map(|line| format!("{line}\n")).collect();
    fs::write(&path, kept).with_context(|| told("write", &path))
}

fn told(what: &str, path: &Path) -> String {
    format!("cannot {what} {}", path.display())
}

/// The first of `concert`, `concert-2`, … that the data folder does not have yet.
async fn free_slug(desk: &Desk, base: &str) -> anyhow::Result<String> {
    for number in 1..=SALE_COUNT_MAX {
        let slug = if number == 1 { base.to_owned() } else { format!("{base}-{number}") };
        if desk.find(&format!("/v1/sales/{slug}")).await?.is_none() {
            return Ok(slug);
        }
    }
    bail!("this data folder has {SALE_COUNT_MAX} demos already; name another")
}

/// The same sale with `units` units in all, shared out as before; items without a unit are left out.
fn scale(definition: &Definition, units: u32) -> Definition {
    let total: u64 = definition.items.iter().map(|item| u64::from(item.stock)).sum();
    let mut scaled = definition.clone();
    let mut left = units;
    for item in scaled.items.iter_mut().rev() {
        let share = u64::from(units) * u64::from(item.stock) / total.max(1);
        item.stock = u32::try_from(share).expect("a share is not more than the whole");
        left -= item.stock;
    }
    // What rounding left over goes to the first.
    scaled.items[0].stock += left;
    scaled.items.retain(|item| item.stock > 0);
    scaled
}

fn offer(definition: &Definition, units: u32, opening: Instant) -> Offer {
    let limit = |limit: Option<u32>| limit.map_or(u16::MAX, |limit| u16::try_from(limit).unwrap_or(u16::MAX));
    let items = definition.items.iter().map(|item| OfferItem {
        code: item.item.clone(),
        stock: item.stock,
        quantity_max: limit(item.limits.per_order).min(limit(definition.limits.per_order)),
    });
    Offer {
        sale: definition.sale.clone(),
        items: items.collect(),
        units,
        hold: Duration::from_secs(u64::from(definition.hold_ttl_seconds)),
        opening,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_concert_has_exactly_the_units() {
        let concert = Definition::parse(CONCERT).unwrap();
        for units in [1, 2, 3, 10, 999, 2_000, 2_001, 1_000_000] {
            let scaled = scale(&concert, units);
            assert_eq!(scaled.items.iter().map(|item| item.stock).sum::<u32>(), units);
            assert!(scaled.items.iter().all(|item| item.stock > 0), "{units}");
        }
        assert_eq!(scale(&concert, 2_000), concert);
    }
}
