//! The commands on real files, written by the real journal.

use std::fs;
use std::path::{Path, PathBuf};

use domain::{
    BuyerId, Cause, Currency, Fact, ItemIndex, ItemTerms, KeyDigest, Line, Lines, OrderCodec, OrderId,
    PaymentId, SaleId, SaleStatus, SaleTerms, ShardId, Slug, Term, UnixMs,
};
use engine::State;
use journal::{Batch, Journal, Local, OsDisk};
use tempfile::TempDir;
use views::{Position, SnapshotStore};

use super::*;

const NOW: UnixMs = UnixMs(1_790_000_000_123);
const SECRET: [u8; 16] = [0xAB; 16];

fn order(index: u64) -> OrderId {
    OrderId::next(ShardId::FIRST, UnixMs(NOW.0 + index), None)
}

fn code(order: OrderId) -> String {
    OrderCodec::new(SECRET).encode(order).into_iter().map(char::from).collect()
}

/// A sale of ten units, and two orders: one paid, one held.
fn facts() -> Vec<Fact> {
    let (sale, item) = (SaleId(0), ItemIndex(0));
    let terms = SaleTerms {
        name: "Concert".into(),
        currency: Currency::new("EUR").unwrap(),
        opens_at: None,
        closes_at: None,
        hold_ttl_s: 60,
        per_order_max: None,
        per_buyer_max: None,
        per_buyer_day_max: None,
    };
    let item_terms = ItemTerms {
        code: Slug::new("ga").unwrap(),
        name: "General admission".into(),
        unit_price: 500,
        per_order_max: None,
        per_buyer_max: None,
    };
    let held = |index| Fact::OrderHeld {
        order: order(index),
        sale,
        buyer: BuyerId::from_text(&format!("buyer {index}")),
        key: KeyDigest(7),
        hold_ttl_s: 60,
        lines: Lines::one(Line { item, quantity: 2, unit_price: 500 }),
    };
    vec![
        Fact::TermStarted { term: Term(1) },
        Fact::SaleCreated { sale, slug: Slug::new("concert").unwrap(), terms: terms.into() },
        Fact::ItemAdded { sale, item, terms: item_terms.into(), stock: 10 },
        Fact::SaleMoved { sale, to: SaleStatus::Open, cause: Cause::Organiser },
        held(0),
        held(1),
        Fact::OrderPaid {
            order: order(0),
            payment: PaymentId::from_text("pay-1"),
            amount: domain::Amount(1_000),
        },
    ]
}

/// A data directory.
struct Installation(TempDir);

impl Installation {
    /// With one shard whose journal has these facts, one in a batch.
    fn new(facts: &[Fact]) -> Installation {
        let installation = Installation(TempDir::new().unwrap());
        fs::create_dir_all(installation.shard()).unwrap();
        fs::create_dir_all(installation.dir().join("secrets")).unwrap();
        fs::write(installation.dir().join("secrets/order-codes.key"), "ab".repeat(32)).unwrap();
        fs::write(installation.dir().join("installation.toml"), "format = 1\nshards = 1\n").unwrap();
        let records = facts.iter().map(|fact| {
            let mut payload = Vec::new();
            (codec::encode(fact, &mut payload), payload)
        });
        installation.append(records.collect());
        installation
    }

    fn append(&self, records: Vec<(u8, Vec<u8>)>) {
        let mut journal = self.open();
        let mut batch = Batch::new();
        for (kind, payload) in records {
            batch.clear();
            batch.push(kind, &payload);
            journal.append(&batch, NOW).unwrap();
        }
    }

    /// Takes a snapshot of the state that these facts come to.
    fn snapshot(&self, facts: &[Fact]) -> PathBuf {
        let mut state = State::new(ShardId::FIRST, 0);
        facts.iter().for_each(|fact| engine::apply(&mut state, fact));
        let position = Position { shard: ShardId::FIRST, seq: state.seq(), term: Term(1), time: NOW };
        let written = SnapshotStore::new(self.disk()).write(position, &state).unwrap();
        self.shard().join(written.file)
    }

    fn dir(&self) -> &Path {
        self.0.path()
    }

    fn shard(&self) -> PathBuf {
        self.dir().join("shard-0000")
    }

    fn open(&self) -> Local<OsDisk> {
        let options = journal::Options { segment_size_bytes: 1 << 20, ..journal::Options::default() };
        Local::open(self.disk(), options, NOW).unwrap().0
    }

    fn disk(&self) -> OsDisk {
        OsDisk::open(&self.shard()).unwrap()
    }

    fn segment(&self) -> PathBuf {
        let is_segment = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "seg");
        let mut files = fs::read_dir(self.shard()).unwrap().map(|entry| entry.unwrap().path());
        files.find(is_segment).unwrap()
    }

    /// Flips a bit of the first stored bytes `wanted`.
    fn damage(path: &Path, wanted: &[u8]) {
        let mut bytes = fs::read(path).unwrap();
        let place = bytes.windows(wanted.len()).position(|window| window == wanted).unwrap();
        bytes[place] ^= 1;
        fs::write(path, bytes).unwrap();
    }

    fn verify(&self) -> (Verdict, String) {
        let mut out = Vec::new();
        let verdict = verify::run(&VerifyArgs { dir: self.dir().to_owned() }, &mut out).unwrap();
        (verdict, String::from_utf8(out).unwrap())
    }

    fn dump(&self, from: u64, order: Option<&str>) -> (Verdict, Vec<serde_json::Value>) {
        let args = DumpArgs { dir: self.dir().to_owned(), from, order: order.map(str::to_owned) };
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        let verdict = dump::run(&args, &mut out, &mut notes).unwrap();
        assert_eq!(verdict == Verdict::Clean, notes.is_empty());
        let text = String::from_utf8(out).unwrap();
        (verdict, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }
}

#[test]
fn sound_journal_is_clean_and_its_levels_are_told() {
    let installation = Installation::new(&facts());
    let (verdict, text) = installation.verify();
    assert_eq!(verdict, Verdict::Clean, "{text}");
    for line in [
        "journal: 7 records in ",
        "1 to 7, the last of term 1 at 2026-09-21T14:13:20.123Z; ends clean",
        "replayed: facts 1 to 7, from the start",
        "sale concert (open): Concert",
        "item ga: stock 10 = free 6 + held 2 + paid 2 + withdrawn 0",
        "held: 1 orders, 2 units, 1000 EUR in minor units",
        "paid: 1 orders, 2 units, 1000 EUR in minor units",
        "invariants: all hold",
    ] {
        assert!(text.contains(line), "`{line}` is not in:\n{text}");
    }
    let one_shard = VerifyArgs { dir: installation.shard() };
    assert_eq!(verify::run(&one_shard, &mut Vec::new()).unwrap(), Verdict::Clean);
}

#[test]
fn verify_and_dump_change_nothing() {
    let installation = Installation::new(&facts());
    let snapshot = installation.snapshot(&facts());
    let files = || [fs::read(&snapshot).unwrap(), fs::read(installation.segment()).unwrap()];
    let (names, before) = (|| fs::read_dir(installation.shard()).unwrap().count(), files());
    let name_count = names();
    installation.verify();
    installation.dump(1, None);
    assert!(files() == before && names() == name_count);
}

#[test]
fn snapshot_is_compared_with_the_facts() {
    let installation = Installation::new(&facts());
    installation.snapshot(&facts()[..5]);
    let (verdict, text) = installation.verify();
    assert_eq!(verdict, Verdict::Clean, "{text}");
    assert!(text.contains("snapshot: sound, up to fact 5"), "{text}");
    // A sound snapshot of another history: the same facts, but one.
    let mut other = facts();
    other[5] = Fact::OrderExpired { order: order(0) };
    installation.snapshot(&other[..6]);
    let (verdict, text) = installation.verify();
    assert_eq!(verdict, Verdict::Damaged);
    assert!(text.contains("FAULT: the snapshot up to fact 6 is not what the facts come to"), "{text}");
}

#[test]
fn snapshot_ahead_of_the_journal_is_damage() {
    let installation = Installation::new(&facts()[..5]);
    installation.snapshot(&facts());
    let (verdict, text) = installation.verify();
    assert_eq!(verdict, Verdict::Damaged);
    assert!(text.contains("FAULT: the snapshot reaches fact 7, but the journal ends with fact 5"), "{text}");
}

#[test]
fn flipped_bit_is_damage_in_a_journal_and_in_a_snapshot() {
    let installation = Installation::new(&facts());
    let snapshot = installation.snapshot(&facts());
    Installation::damage(&snapshot, b"General admission");
    let (verdict, text) = installation.verify();
    assert_eq!(verdict, Verdict::Damaged);
    assert!(text.contains("FAULT: snapshot-00000000000000000007.snap: the checksum of the chunk"), "{text}");
    fs::remove_file(snapshot).unwrap();
    assert_eq!(installation.verify().0, Verdict::Clean);
    Installation::damage(&installation.segment(), b"General admission");
    let (verdict, text) = installation.verify();
    assert_eq!(verdict, Verdict::Damaged);
    assert!(text.contains("DAMAGE: journal-00000000000000000001.seg is damaged at offset"), "{text}");
    let (verdict, rows) = installation.dump(1, None);
    assert_eq!((verdict, rows.len()), (Verdict::Damaged, 2), "the facts before the damage are shown");
}

#[test]
fn write_that_was_cut_off_is_a_torn_tail() {
    let installation = Installation::new(&facts());
    // A block of several sectors, for one sector is written as a whole or not at all.
    let (mut batch, mut payload) = (Batch::new(), Vec::new());
    let kind = codec::encode(&Fact::TermStarted { term: Term(2) }, &mut payload);
    (0..100).for_each(|_| batch.push(kind, &payload));
    installation.open().append(&batch, NOW).unwrap();
    let path = installation.segment();
    let mut bytes = fs::read(&path).unwrap();
    let block = bytes.iter().rposition(|byte| *byte != 0).unwrap() / 4096 * 4096;
    // The first sector was written, the others were not.
    bytes[block + 512..block + 4096].fill(0);
    fs::write(&path, bytes).unwrap();
    let (verdict, text) = installation.verify();
    assert_eq!(verdict, Verdict::TornTail, "{text}");
    assert!(text.contains("7 records"), "{text}");
    let (verdict, rows) = installation.dump(1, None);
    assert_eq!((verdict, rows.len()), (Verdict::TornTail, 7));
}

#[test]
fn record_that_is_no_fact_and_fact_that_does_not_fit_are_faults() {
    let installation = Installation::new(&facts());
    installation.append(vec![(127, vec![1, 2])]);
    let (verdict, text) = installation.verify();
    assert_eq!(verdict, Verdict::Damaged);
    assert!(text.contains("FAULT: fact 8 cannot be decoded: kind 127 is unknown to this version"), "{text}");
    let args = DumpArgs { dir: installation.dir().to_owned(), from: 8, order: None };
    let mut out = Vec::new();
    assert_eq!(dump::run(&args, &mut out, &mut Vec::new()).unwrap(), Verdict::Damaged);
    let row: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!((row["kind"].as_str(), row["payload"].as_str()), (Some("unknown"), Some("0102")));

    let mut twice = facts();
    twice.push(Fact::OrderExpired { order: order(9) });
    let (verdict, text) = Installation::new(&twice).verify();
    assert_eq!(verdict, Verdict::Damaged);
    assert!(text.contains("FAULT: fact 8 does not fit the ones before it: OrderExpired"), "{text}");
}

#[test]
fn journal_without_its_beginning_is_replayed_from_the_snapshot() {
    let installation = Installation::new(&facts());
    installation.snapshot(&facts()[..5]);
    // What dropping old segments leaves: the journal begins within a later segment.
    let mut journal = installation.open();
    let (mut batch, mut payload) = (Batch::new(), Vec::new());
    let kind = codec::encode(&Fact::TermStarted { term: Term(2) }, &mut payload);
    // 16 batches of 5,000 records of 24 bytes are two segments of 1 MiB.
    for _ in 0..16 {
        batch.clear();
        (0..5_000).for_each(|_| batch.push(kind, &payload));
        journal.append(&batch, NOW).unwrap();
    }
    assert_eq!(journal.truncate_before(journal.tip().seq).unwrap(), 1);
    let (verdict, text) = installation.verify();
    assert_eq!(verdict, Verdict::Damaged, "facts 6 and 7 went with the first segment");
    assert!(text.contains("and no sound snapshot reaches it"), "{text}");
    let position = Position { seq: journal.tip().seq, term: Term(2), time: NOW, shard: ShardId::FIRST };
    let mut state = State::new(ShardId::FIRST, 0);
    facts().iter().for_each(|fact| engine::apply(&mut state, fact));
    while state.seq() < position.seq {
        engine::apply(&mut state, &Fact::TermStarted { term: Term(2) });
    }
    SnapshotStore::new(installation.disk()).write(position, &state).unwrap();
    let (verdict, text) = installation.verify();
    assert_eq!(verdict, Verdict::Clean, "{text}");
    assert!(text.contains(&format!("from the snapshot up to {}", position.seq.0)), "{text}");
}

#[test]
fn missing_shard_is_damage_and_a_foreign_directory_is_an_error() {
    let installation = Installation::new(&facts());
    fs::write(installation.dir().join("installation.toml"), "format = 1\nshards = 2\n").unwrap();
    let (verdict, text) = installation.verify();
    assert_eq!(verdict, Verdict::Damaged);
    assert!(text.contains("shard 1: its folder is missing"), "{text}");
    let empty = TempDir::new().unwrap();
    for dir in [empty.path().to_owned(), empty.path().join("nowhere")] {
        assert!(verify::run(&VerifyArgs { dir }, &mut Vec::new()).is_err());
    }
}

#[test]
fn dump_tells_every_fact_in_stable_words() {
    let installation = Installation::new(&facts());
    let (verdict, rows) = installation.dump(1, None);
    assert_eq!(verdict, Verdict::Clean);
    let kinds: Vec<&str> = rows.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    let expected = [
        "term_started",
        "sale_created",
        "item_added",
        "sale_moved",
        "order_held",
        "order_held",
        "order_paid",
    ];
    assert_eq!(kinds, expected);
    let held = serde_json::json!({
        "shard": 0, "seq": 5, "time": "2026-09-21T14:13:20.123Z", "term": 1, "kind": "order_held",
        "order": order(0).raw().to_string(), "code": code(order(0)), "sale": 0, "buyer": "buyer 0",
        "key": "0000000000000007", "hold_ttl_s": 60, "total": 1_000,
        "lines": [{"item": 0, "quantity": 2, "unit_price": 500}],
    });
    assert_eq!(rows[4], held);
    assert_eq!(installation.dump(6, None).1, rows[5..]);
}

#[test]
fn order_is_found_by_its_number_and_by_its_code() {
    let installation = Installation::new(&facts());
    for id in [order(0).raw().to_string(), code(order(0))] {
        let (_, rows) = installation.dump(1, Some(&id));
        let seqs: Vec<u64> = rows.iter().map(|row| row["seq"].as_u64().unwrap()).collect();
        assert_eq!(seqs, [5, 7]);
    }
    fs::remove_file(installation.dir().join("secrets/order-codes.key")).unwrap();
    assert!(installation.dump(5, None).1[0].get("code").is_none());
    let args = DumpArgs { dir: installation.dir().to_owned(), from: 1, order: Some(code(order(0))) };
    let error = dump::run(&args, &mut Vec::new(), &mut Vec::new()).unwrap_err().to_string();
    assert!(error.contains("secrets/order-codes.key cannot be read"), "{error}");
}

#[test]
fn gravest_verdict_counts() {
    use Verdict::{Clean, Damaged, Failed, TornTail};
    assert_eq!(Clean.or(TornTail), TornTail);
    assert_eq!(Damaged.or(TornTail), Damaged);
    assert_eq!(TornTail.or(Failed), Failed);
    assert_eq!(Clean.or(Clean), Clean);
}
