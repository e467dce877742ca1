//! What an order costs the engine: time, allocations and memory for each of millions of different buyers.
//! `cargo bench -p engine` runs it; the budgets are those of docs/performance.md.
#![allow(unsafe_code, reason = "an allocator that counts has to be an allocator")]
#![allow(clippy::print_stdout, reason = "a benchmark prints")]
#![allow(missing_docs, clippy::unwrap_used, clippy::cast_precision_loss)]

use std::alloc::{GlobalAlloc, Layout};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use domain::{
    BuyerId, Command, Currency, ItemIndex, ItemTerms, KeyDigest, SaleId, SaleStatus, SaleTerms, ShardId,
    Slug, UnixMs, Wish, Wishes,
};
use engine::State;
use engine::state::Capacity;
use mimalloc::MiMalloc;

const ORDER_COUNT: usize = 5_000_000;

/// Commands that come together, as under load.
const BATCH_LEN: usize = 64;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static LIVE_BYTES: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to the server's allocator unchanged; the counters own nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        LIVE_BYTES.fetch_add(layout.size() as u64, Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { MiMalloc.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE_BYTES.fetch_sub(layout.size() as u64, Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { MiMalloc.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    println!("decide + apply of one-line orders by {ORDER_COUNT} different buyers");
    for (name, per_buyer_max, reserved) in [
        ("no limit, reserved", None, true),
        ("limit per buyer, reserved", Some(4), true),
        ("limit per buyer, growing", Some(4), false),
    ] {
        measure(name, per_buyer_max, reserved);
    }
}

fn measure(name: &str, per_buyer_max: Option<u32>, reserved: bool) {
    let now = UnixMs(UnixMs::EPOCH.0 + 1);
    let room = if reserved { ORDER_COUNT } else { 0 };
    let buyers = if per_buyer_max.is_some() { room } else { 0 };
    let bytes_before = LIVE_BYTES.load(Relaxed);
    let capacity = Capacity { orders: room, buyers, holds: room, hold_ttl_s: 600 };
    let mut state = State::with_capacity(ShardId::FIRST, 42, capacity);
    open_sale(&mut state, per_buyer_max, now);
    // Commands are made ahead in pieces, so that only the engine is on the clock.
    let mut piece = Vec::with_capacity(4_000);
    let (mut elapsed, mut allocations) = (std::time::Duration::ZERO, 0);
    let mut worst = std::time::Duration::ZERO;
    for first in (0..ORDER_COUNT).step_by(piece.capacity()) {
        piece.clear();
        piece.extend((first..first + piece.capacity()).map(order));
        let counted = ALLOCATIONS.load(Relaxed);
        let start = Instant::now();
        for (index, command) in piece.iter().enumerate() {
            if index % BATCH_LEN == 0 {
                let batch = &piece[index..piece.len().min(index + BATCH_LEN)];
                engine::foresee(&state, batch.iter());
            }
            let begun = (!reserved).then(Instant::now);
            let facts = engine::decide(&state, black_box(command), UnixMs(now.0 + first as u64)).unwrap();
            engine::apply(&mut state, &facts[0]);
            worst = worst.max(begun.map(|begun| begun.elapsed()).unwrap_or_default());
        }
        elapsed += start.elapsed();
        allocations += ALLOCATIONS.load(Relaxed) - counted;
    }
    let bytes = LIVE_BYTES.load(Relaxed) - bytes_before - (piece.capacity() * size_of::<Command>()) as u64;
    println!(
        "{name:28} {:6.0} ns/order  {:.6} allocations/order  {:5.1} bytes/order  longest {:?}",
        elapsed.as_nanos() as f64 / ORDER_COUNT as f64,
        allocations as f64 / ORDER_COUNT as f64,
        bytes as f64 / ORDER_COUNT as f64,
        worst
    );
}

fn order(number: usize) -> Command {
    Command::PlaceOrder {
        sale: SaleId(0),
        buyer: BuyerId::from_text(&format!("buyer-{number}")),
        key: KeyDigest::from_text(&format!("key-{number}")),
        wishes: Wishes::one(Wish { item: ItemIndex(0), quantity: 1 }),
    }
}

fn open_sale(state: &mut State, per_buyer_max: Option<u32>, now: UnixMs) {
    let plain = SaleTerms::new("Concert", Currency::new("EUR").unwrap(), 600);
    let terms = SaleTerms { per_buyer_max, ..plain };
    let item = ItemTerms::new(Slug::new("ga").unwrap(), "Standing", 6_000);
    let stock = 1_000_000_000;
    let create = Command::CreateSale {
        slug: Slug::new("concert").unwrap(),
        terms: terms.into(),
        items: vec![(item, stock)],
    };
    for command in [create, Command::MoveSale { sale: SaleId(0), to: SaleStatus::Open }] {
        let facts = engine::decide(state, &command, now).unwrap();
        facts.iter().for_each(|fact| engine::apply(state, fact));
    }
}
