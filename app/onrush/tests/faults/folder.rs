//! The data folders that trials begin with.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::support::sale::{Shop, basket, definition};
use crate::support::server::House;

pub(crate) const SALE: &str = "faults";
/// Small segments and frequent snapshots, so that a run has both.
pub(crate) const SETTINGS: [&str; 2] = ["journal.segment_size_bytes=1048576", "snapshot.every_facts=1000"];
pub(crate) const STOCK: u32 = 100_000;
pub(crate) const HOLD_TTL_SECONDS: u32 = 3_600;
/// Orders before: the next snapshot is due in the middle of a trial.
const SEEDED_ORDER_COUNT: u32 = 1_900;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Folder {
    /// Not there yet: a trial makes it, and opens the sale.
    New,
    /// With a sale, a snapshot and a tail that a killed server left.
    Used,
}

impl Folder {
    pub(crate) const ALL: [Folder; 2] = [Folder::New, Folder::Used];

    /// Orders of a trial: on the used folder enough for the first 200 writes of the journal.
    pub(crate) fn order_count(self) -> usize {
        match self {
            Folder::New => 12,
            Folder::Used => 210,
        }
    }

    /// What position a segment or a snapshot that a trial makes can have.
    fn seqs(self) -> Range<u64> {
        match self {
            Folder::New => 0..100,
            Folder::Used => u64::from(SEEDED_ORDER_COUNT)..u64::from(SEEDED_ORDER_COUNT) + 400,
        }
    }

    /// Every file of a trial on the data folder `data`, those that will be made included.
    pub(crate) fn paths(self, data: &Path) -> Vec<PathBuf> {
        let mut paths = vec![data.to_owned()];
        let (secrets, shard) = (data.join("secrets"), data.join("shard-0000"));
        paths.extend(["LOCK", "installation.toml", "installation.tmp"].map(|name| data.join(name)));
        for name in ["order-codes", "buyer-tokens", "payments", "admin-keys"] {
            paths.extend(["", ".key", ".tmp"].map(|end| secrets.join(format!("{name}{end}"))));
        }
        paths.push(shard.join("segment.tmp"));
        for seq in self.seqs() {
            paths.push(shard.join(format!("journal-{seq:020}.seg")));
            paths.extend(["", "-tmp"].map(|end| shard.join(format!("snapshot-{seq:020}.snap{end}"))));
        }
        if let Ok(entries) = shard.read_dir() {
            paths.extend(entries.map(|entry| entry.unwrap().path()));
        }
        paths.extend([secrets, shard]);
        paths
    }
}

/// The used folder, made once and copied for each trial.
pub(crate) struct Template {
    /// Trials run side by side.
    house: Mutex<House>,
    /// Orders that are in it.
    pub(crate) order_count: usize,
}

impl Template {
    pub(crate) fn make() -> Template {
        let house = House::new();
        let server = house.serve(&SETTINGS);
        let shop = Shop::open(&house, &server, (SALE, &definition(SALE, STOCK, HOLD_TTL_SECONDS)));
        let token = house.token("early");
        let mut connection = server.connect();
        for number in 0..SEEDED_ORDER_COUNT {
            let ask = shop.order(&token, (&format!("early-{number}"), &basket(1)));
            connection.ask(&ask).unwrap().expect(201);
        }
        server.says("took a snapshot");
        server.kill();
        Template { house: Mutex::new(house), order_count: SEEDED_ORDER_COUNT as usize }
    }

    pub(crate) fn house(&self, folder: Folder) -> House {
        match folder {
            Folder::New => House::new(),
            Folder::Used => self.house.lock().unwrap().copy(),
        }
    }
}
