//! A data folder for tests, filled by a real shard with a clock of its own.

use std::fs;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use domain::{
    Actor, Amount, Answer, BuyerId, Command, Currency, ItemIndex, ItemTerms, KeyDigest, OrderCodec, OrderId,
    OrderView, PaymentId, PaymentResult, Refusal, Request, SaleId, SaleStatus, SaleTerms, Seq, ShardId, Slug,
    UnixMs, Wish, Wishes,
};
use edge::{Receipt, Tip};
use journal::{Journal as _, Local, Options, OsDisk};
use shard::{Settings, Shard, recover};
use tempfile::TempDir;
use views::{Catalog, Position, SnapshotStore};

/// 2026-09-21T14:13:20Z.
pub(crate) const START: UnixMs = UnixMs(1_790_000_000_000);
const SECRET: [u8; 16] = [0xAB; 16];
pub(crate) const SALE: SaleId = SaleId(0);

/// The folder and the shard at work.
pub(crate) struct House {
    dir: TempDir,
    shard: Shard<Local<OsDisk>, ()>,
    pub(crate) clock: UnixMs,
}

impl House {
    /// With an open sale `gig`: so many units of `ga` at 500, holds of 60 s, at most 4 per buyer.
    pub(crate) fn with_sale(stock: u32) -> House {
        let mut house = House::new();
        let mut terms = SaleTerms::new("Concert", Currency::new("EUR").unwrap(), 60);
        terms.per_buyer_max = Some(4);
        let item = ItemTerms::new(Slug::new("ga").unwrap(), "Standing", 500);
        let slug = Slug::new("gig").unwrap();
        house.ask(Command::CreateSale { slug, terms: terms.into(), items: vec![(item, stock)] }).0.unwrap();
        house.ask(Command::MoveSale { sale: SALE, to: SaleStatus::Open }).0.unwrap();
        house
    }

    pub(crate) fn new() -> House {
        let dir = TempDir::new().unwrap();
        fs::create_dir_all(dir.path().join("secrets")).unwrap();
        fs::create_dir_all(dir.path().join("shard-0000")).unwrap();
        fs::write(dir.path().join("secrets/order-codes.key"), "ab".repeat(32)).unwrap();
        fs::write(dir.path().join("installation.toml"), "format = 1\nshards = 1\n").unwrap();
        let shard = start(dir.path());
        House { dir, shard, clock: START }
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    pub(crate) fn disk(&self) -> OsDisk {
        OsDisk::open(&self.dir.path().join("shard-0000")).unwrap()
    }

    /// Ends the shard and starts another one on what is there.
    pub(crate) fn restart(&mut self) {
        self.shard = start(self.dir.path());
    }

    /// One round with one command; also the journal's end behind it.
    pub(crate) fn ask(&mut self, command: Command) -> (Result<Answer, Refusal>, Tip) {
        self.shard.decide(self.clock, [((), Request::Command(command))].into_iter());
        self.shard.commit().unwrap();
        let journal::Tip { seq, chain, .. } = self.shard.journal().tip();
        let outcome = self.shard.release().next().unwrap().1;
        (outcome, Tip { seq, chain: chain.0 })
    }

    /// The same for what is answered with an order: with the receipt that an edge would give.
    pub(crate) fn ask_order(&mut self, command: Command) -> (OrderView, Receipt) {
        let (outcome, tip) = self.ask(command);
        let Ok(Answer::Order(view)) = outcome else { panic!("{outcome:?}") };
        let order = OrderCodec::new(SECRET).encode(view.order);
        let receipt = Receipt { shard: ShardId::FIRST, order, seq: view.seq, tip };
        (view, receipt)
    }

    pub(crate) fn place(&mut self, buyer: &str, key: &str, quantity: u16) -> (OrderView, Receipt) {
        let (buyer, key) = (BuyerId::from_text(buyer), KeyDigest::from_text(key));
        let wishes = Wishes::one(Wish { item: ItemIndex(0), quantity });
        self.ask_order(Command::PlaceOrder { sale: SALE, buyer, key, wishes })
    }

    pub(crate) fn pay(&mut self, view: &OrderView, payment: &str) -> (OrderView, Receipt) {
        self.ask_order(Command::RecordPayment {
            order: view.order,
            payment: PaymentId::from_text(payment),
            amount: Amount(view.total().0),
            currency: Currency::new("EUR").unwrap(),
            result: PaymentResult::Succeeded,
        })
    }

    pub(crate) fn cancel(&mut self, order: OrderId) -> (OrderView, Receipt) {
        self.ask_order(Command::CancelOrder { order, by: Actor::Organiser })
    }

    /// Takes a snapshot of the state as it is.
    pub(crate) fn snapshot(&mut self) {
        let tip = self.shard.journal().tip();
        let position = Position { shard: ShardId::FIRST, seq: tip.seq, term: tip.term, time: tip.time };
        SnapshotStore::new(self.disk()).write(position, self.shard.state()).unwrap();
    }

    /// Drops whole segments before that record; returns how many.
    pub(crate) fn drop_segments(&mut self, before: Seq) -> u64 {
        self.shard.truncate_before(before).unwrap()
    }

    /// The code that the buyer knows.
    pub(crate) fn code(order: OrderId) -> String {
        OrderCodec::new(SECRET).encode(order).into_iter().map(char::from).collect()
    }
}

fn start(dir: &Path) -> Shard<Local<OsDisk>, ()> {
    // Small, so that a few hundred records fill a segment.
    let journal = Options { segment_size_bytes: 64 << 10, ..Options::default() };
    let settings = Settings { shard: ShardId::FIRST, hash_seed: 1, journal };
    let catalog = Catalog::new(NonZeroU16::MIN, 12);
    let disk = OsDisk::open(&dir.join("shard-0000")).unwrap();
    recover(disk, settings, catalog, START, |_| {}).unwrap().0
}
