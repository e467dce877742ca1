//! Snapshots: entries of any bytes under right checksums, and good snapshots that a disk has damaged. What is
//! restored is a sound state that gives itself again and goes on; what is damaged is named.

use std::sync::LazyLock;

use domain::{
    Actor, Amount, BuyerId, Command, Currency, ItemIndex, ItemTerms, KeyDigest, PaymentId, PaymentResult,
    RefundStep, SaleId, SaleStatus, SaleTerms, Seq, ShardId, Slug, Term, UnixMs, Wish, Wishes,
};
use engine::{State, invariants, snapshot};
use views::snapshot_store::{Loaded, Position, SnapshotStore};

use crate::disk::{Image, MemDisk};
use crate::source::{Source, damage};

const SHARD: ShardId = ShardId::FIRST;
const NOW: UnixMs = UnixMs(UnixMs::EPOCH.0 + 1_000_000);
/// Room that a head announces is reserved: more than this would only be slow.
const ORDER_COUNT_MAX: u64 = 1_000;

/// The first byte says which.
pub fn run(input: &[u8]) {
    let mut source = Source(input);
    if source.u8().is_multiple_of(2) { any_entries(&mut source) } else { damaged_snapshot(&mut source) }
}

/// Entries out of the input in a file whose checksums are right (`docs/formats/snapshot.md`).
fn any_entries(source: &mut Source<'_>) {
    let seq = u64::from(source.u8());
    let entries = source.0;
    let Some(entry_count) = count_entries(entries) else { return };
    let file = sealed(seq, entry_count, entries);
    let image = Image::from([(file_name(Seq(seq)), file)]);
    let Loaded { newest, damaged } = load(&image);
    match newest {
        Some((position, state)) => {
            assert_eq!((position.seq, position.shard), (Seq(seq), SHARD));
            assert!(damaged.is_empty());
            check_sound(position, state);
        }
        None => {
            let [damaged] = &damaged[..] else { panic!("one file, {} faults", damaged.len()) };
            assert!(damaged.to_string().starts_with(&file_name(Seq(seq))), "{damaged}");
        }
    }
}

/// How many entries there are; `None` when a head announces more orders than is worth the time.
fn count_entries(mut entries: &[u8]) -> Option<u64> {
    let mut count = 0;
    while let Some(([kind, low, high], rest)) = entries.split_first_chunk() {
        let size_bytes = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (entry, behind) = rest.split_at(size_bytes);
        if let Ok(snapshot::Entry::Head(head)) = codec::decode_entry(*kind, entry)
            && head.order_count > ORDER_COUNT_MAX
        {
            return None;
        }
        entries = behind;
        count += 1;
    }
    Some(count)
}

fn sealed(seq: u64, entry_count: u64, entries: &[u8]) -> Vec<u8> {
    let chunk_size_bytes = if entries.is_empty() { 0 } else { 8 + entries.len() };
    let mut file = b"ONRUSHSN".to_vec();
    file.extend_from_slice(&1_u32.to_le_bytes());
    file.extend_from_slice(&1_u32.to_le_bytes());
    for field in [seq, NOW.0, entry_count, (128 + chunk_size_bytes) as u64] {
        file.extend_from_slice(&field.to_le_bytes());
    }
    file.extend_from_slice(&SHARD.get().to_le_bytes());
    file.resize(124, 0);
    let header_checksum = crc32c::crc32c(&file);
    file.extend_from_slice(&header_checksum.to_le_bytes());
    if !entries.is_empty() {
        let size_bytes = u32::try_from(entries.len()).expect("inputs are short").to_le_bytes();
        let checksum = crc32c::crc32c_append(crc32c::crc32c_append(header_checksum, &size_bytes), entries);
        file.extend_from_slice(&size_bytes);
        file.extend_from_slice(&checksum.to_le_bytes());
        file.extend_from_slice(entries);
    }
    file
}

fn file_name(seq: Seq) -> String {
    format!("snapshot-{:020}.snap", seq.0)
}

fn load(image: &Image) -> Loaded {
    let disk = MemDisk::of(image);
    let loaded = SnapshotStore::new(disk.clone()).load(SHARD, 7).expect("this disk never fails");
    assert_eq!(disk.image(), *image, "loading writes nothing");
    loaded
}

/// The invariants hold, the snapshot of the state is the state, and time can go on.
fn check_sound(position: Position, mut state: State) {
    invariants::check(&state).unwrap_or_else(|broken| panic!("{broken}"));
    let disk = MemDisk::default();
    SnapshotStore::new(disk.clone()).write(position, &state).expect("this disk never fails");
    let again = load(&disk.image()).newest.expect("what was just written is good");
    assert!(again.0 == position && again.1 == state, "{:?} is restored as {:?}", state, again.1);
    for now in [NOW, UnixMs(NOW.0 + 100 * UnixMs::DAY_MS)] {
        execute(&mut state, &Command::Tick, now);
        invariants::check(&state).unwrap_or_else(|broken| panic!("after a tick: {broken}"));
    }
}

fn execute(state: &mut State, command: &Command, now: UnixMs) {
    if let Ok(facts) = engine::decide(state, command, now) {
        facts.iter().for_each(|fact| engine::apply(state, fact));
    }
}

/// Two good snapshots, and the same after what a disk did to the newer one.
fn damaged_snapshot(source: &mut Source<'_>) {
    let mut files = vec![GOOD[&file_name(newest())].clone()];
    let before = files[0].clone();
    let damaged = damage(source, &mut files);
    let is_changed = files[0] != before;
    let mut image = GOOD.clone();
    image.insert(file_name(newest()), files.remove(0));
    let loaded = load(&image);
    let (position, state) = loaded.newest.expect("the older one is good");
    assert_eq!(loaded.damaged.len(), usize::from(is_changed), "{damaged:?} is not named");
    assert_eq!(position.seq == newest(), !is_changed);
    invariants::check(&state).unwrap_or_else(|broken| panic!("{broken}"));
}

fn newest() -> Seq {
    let name = GOOD.keys().next_back().expect("two snapshots");
    let digits = name.trim_start_matches("snapshot-").trim_end_matches(".snap");
    Seq(digits.parse().expect("twenty digits"))
}

/// A sale with orders in most of their states, at two positions.
static GOOD: LazyLock<Image> = LazyLock::new(|| {
    let disk = MemDisk::default();
    let store = SnapshotStore::new(disk.clone());
    let mut state = State::new(SHARD, 3);
    let commands = commands();
    for (index, command) in commands.iter().enumerate() {
        execute(&mut state, command, NOW);
        let orders: Vec<_> = snapshot::export(&state).filter_map(order_of).collect();
        if let (Command::PlaceOrder { .. }, Some((order, amount))) = (command, orders.last().copied()) {
            steps(index, order, amount).iter().for_each(|step| execute(&mut state, step, NOW));
        }
        if index == commands.len() / 2 || index == commands.len() - 1 {
            let position = Position { shard: SHARD, seq: state.seq(), term: Term(1), time: NOW };
            store.write(position, &state).expect("this disk never fails");
        }
    }
    disk.image()
});

fn order_of(entry: snapshot::Entry) -> Option<(domain::OrderId, Amount)> {
    match entry {
        snapshot::Entry::Order(order) => Some((order.order, order.lines.total())),
        _ => None,
    }
}

fn commands() -> Vec<Command> {
    let sale = SaleId(0);
    let item = |code: &str| ItemTerms::new(Slug::new(code).expect("a code"), "An item", 500);
    let terms = SaleTerms {
        per_buyer_max: Some(4),
        ..SaleTerms::new("A sale", Currency::new("EUR").expect("three capitals"), 60)
    };
    let mut commands = vec![
        Command::CreateSale {
            slug: Slug::new("concert").expect("a code"),
            terms: terms.into(),
            items: vec![(item("a"), 100), (item("b"), 100)],
        },
        Command::MoveSale { sale, to: SaleStatus::Open },
        Command::ChangeStock { sale, item: ItemIndex(0), change: 5, key: Some(KeyDigest(9)) },
    ];
    for number in 0..12 {
        let buyer = BuyerId::from_text(&format!("buyer {number}"));
        let wishes = Wishes::one(Wish { item: ItemIndex(number % 2), quantity: 1 + number % 3 });
        commands.push(Command::PlaceOrder { sale, buyer, key: KeyDigest(number.into()), wishes });
    }
    commands
}

/// What becomes of an order.
fn steps(index: usize, order: domain::OrderId, amount: Amount) -> Vec<Command> {
    let currency = Currency::new("EUR").expect("three capitals");
    let pay = |name: &str, result| {
        let payment = PaymentId::from_text(name);
        Command::RecordPayment { order, payment, amount, currency, result }
    };
    let paid = pay("first", PaymentResult::Succeeded);
    let refund = |step| Command::RecordRefund { order, surplus: None, step };
    match index % 6 {
        0 => vec![paid],
        1 => vec![pay("none", PaymentResult::Failed)],
        2 => vec![paid, pay("second", PaymentResult::Succeeded)],
        3 => vec![Command::CancelOrder { order, by: Actor::Organiser }],
        4 => vec![paid, refund(RefundStep::Start { restock: true }), refund(RefundStep::Succeeded)],
        _ => Vec::new(),
    }
}
