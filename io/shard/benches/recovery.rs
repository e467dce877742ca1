//! How long a shard takes until it is ready: from its journal alone, and from a snapshot and the journal's tail.
//! `cargo bench -p shard [-- ORDERS [DIR]]`; 10 million orders need about 3 GB of disk and 4 GB of memory.
//!
//! Every order is of one hot sale with a limit for each buyer, two orders a buyer. The files come from the page
//! cache, as after a restart of the process; after a restart of the machine the disk's reading comes on top.
#![allow(clippy::print_stdout, reason = "a benchmark talks to its terminal")]

use std::error::Error;
use std::num::NonZeroU16;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

use domain::{
    BuyerId, Command, Currency, ItemIndex, ItemTerms, KeyDigest, Request, SaleId, SaleStatus, SaleTerms,
    ShardId, Slug, UnixMs, Wish, Wishes, limits,
};
use journal::{Journal, Local, Options, OsDisk};
use shard::{Settings, Shard};
use views::{Catalog, Position, SnapshotStore};

const ORDER_COUNT: u64 = 10_000_000;
/// Orders behind each of two snapshots.
const TAIL_ORDER_COUNT: u64 = 100_000;
const ORDERS_A_BUYER: u64 = 2;
const OPENING: UnixMs = UnixMs(UnixMs::EPOCH.0 + 1_000_000);

type Whole = Shard<Local<OsDisk>, u64>;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let order_count = arguments.next().map_or(Ok(ORDER_COUNT), |count| count.parse())?;
    let parent = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let path = parent.join(format!("onrush-recovery-bench-{}", std::process::id()));
    let result = measure(&path, order_count);
    std::fs::remove_dir_all(&path)?;
    result
}

fn measure(path: &Path, order_count: u64) -> Result<(), Box<dyn Error>> {
    let disk = OsDisk::open_or_create(path)?;
    let mut shard = recover("nothing", &disk)?;
    create_sale(&mut shard)?;
    fill(&mut shard, 0..order_count)?;
    drop(shard);

    let mut shard = recover("the journal alone", &disk)?;
    // As a server does: each snapshot frees the journal up to the one before.
    for tail in 0..2 {
        let first = order_count + tail * TAIL_ORDER_COUNT;
        fill(&mut shard, first..first + TAIL_ORDER_COUNT)?;
        take_snapshot(&mut shard, &disk)?;
    }
    let first = order_count + 2 * TAIL_ORDER_COUNT;
    fill(&mut shard, first..first + TAIL_ORDER_COUNT)?;
    drop(shard);
    recover("a snapshot and its tail", &disk).map(drop)
}

fn take_snapshot(shard: &mut Whole, disk: &OsDisk) -> Result<(), Box<dyn Error>> {
    let tip = shard.journal().tip();
    let position = Position { shard: ShardId::FIRST, seq: tip.seq, term: tip.term, time: tip.time };
    let begun = Instant::now();
    let written = SnapshotStore::new(disk.clone()).write(position, shard.state())?;
    println!(
        "a snapshot of {} MB taken in {:.2} s",
        written.size_bytes / 1_000_000,
        begun.elapsed().as_secs_f64()
    );
    if let Some(before) = written.droppable_before {
        shard.truncate_before(before)?;
    }
    Ok(())
}

/// Recovers the shard, and says how long it took.
fn recover(from: &str, disk: &OsDisk) -> Result<Whole, Box<dyn Error>> {
    let settings = Settings { shard: ShardId::FIRST, hash_seed: 7, journal: Options::default() };
    let catalog = Catalog::new(NonZeroU16::MIN, 27);
    let (begun, cpu_before_s) = (Instant::now(), cpu_s()?);
    let (shard, recovered) = shard::recover(disk.clone(), settings, catalog, OPENING, |_| {})?;
    let took_s = begun.elapsed().as_secs_f64();
    let (orders, facts) = (shard.state().order_count(), recovered.tail_fact_count);
    println!(
        "ready from {from}: {orders} orders in {took_s:.2} s ({:.2} s of CPU); {facts} facts of the journal, {:.2} million/s",
        cpu_s()? - cpu_before_s,
        facts as f64 / took_s / 1e6,
    );
    Ok(shard)
}

/// CPU time of this process so far, all threads: what a busy machine does not change.
fn cpu_s() -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The 14th and 15th fields, in hundredths of a second (proc(5)); the second one ends with the last bracket.
    let behind = stat.rsplit_once(')').ok_or("/proc/self/stat has no bracket")?.1;
    let ticks = behind.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
    Ok(ticks.sum::<Result<u32, _>>()? as f64 / 100.0)
}

fn create_sale(shard: &mut Whole) -> Result<(), Box<dyn Error>> {
    shard.decide(OPENING, [(0, create()), (0, open())].into_iter());
    shard.commit()?;
    shard.release().for_each(drop);
    Ok(())
}

fn fill(shard: &mut Whole, orders: Range<u64>) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    let count = orders.end - orders.start;
    let first_ms = OPENING.0 + orders.start + 1;
    let mut requests = orders.map(|number| (number, place(number)));
    for now in (first_ms..).map(UnixMs) {
        let batch: Vec<_> = requests.by_ref().take(limits::BATCH_FACT_COUNT_MAX).collect();
        if batch.is_empty() {
            break;
        }
        shard.decide(now, batch.into_iter());
        shard.commit()?;
        for (ticket, outcome) in shard.release() {
            outcome.map_err(|refusal| format!("order {ticket} was refused: {refusal:?}"))?;
        }
    }
    println!("{count} orders written in {:.2} s", begun.elapsed().as_secs_f64());
    Ok(())
}

fn create() -> Request {
    let mut terms = SaleTerms::new("Concert", Currency::new("EUR").expect("three capital letters"), u16::MAX);
    terms.per_buyer_max = Some(4);
    let slug = Slug::new("concert").expect("a legal code");
    let item = ItemTerms::new(Slug::new("ga").expect("a legal code"), "Standing", 6_000);
    Request::Command(Command::CreateSale {
        slug,
        terms: terms.into(),
        items: vec![(item, limits::STOCK_MAX)],
    })
}

fn open() -> Request {
    Request::Command(Command::MoveSale { sale: SaleId(0), to: SaleStatus::Open })
}

fn place(number: u64) -> Request {
    Request::Command(Command::PlaceOrder {
        sale: SaleId(0),
        buyer: BuyerId::from_text(&(number / ORDERS_A_BUYER).to_string()),
        key: KeyDigest(number),
        wishes: Wishes::one(Wish { item: ItemIndex(0), quantity: 1 }),
    })
}
