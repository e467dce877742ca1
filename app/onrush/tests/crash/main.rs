//! Twenty times SIGKILL under load: whatever a client was told is still so after the restart, whatever it was
//! not told happened once or not at all, and the units add up to the last one.
//!
//! `cargo xtask crash --cycles N` sets `CRASH_CYCLES`: twenty kills are a life of one data folder, and so many
//! lives follow, each with a seed of its own. [`large`] is about servers with many orders.

mod crowd;
mod figures;
mod large;
mod ledger;
mod load;
#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::{Value, json};

use crowd::{CLIENT_COUNT, Client, SALE};
use figures::Figures;
use ledger::Ledger;
use support::http::Ask;
use support::onrush::{self, wait};
use support::sale::Shop;
use support::server::{House, Server, WITH_SIMULATOR, verified};
use support::until;

/// Decides who buys what and when the server dies; another one is set with `CRASH_SEED`.
const SEED: u64 = 20_261_120;
const CYCLE_COUNT: u64 = 20;
/// Orders that one cycle may come to, at most.
const ATTEMPT_COUNT_MAX: u32 = 1_500;
/// Units of each item at the start, and what comes on top in each cycle: most cycles sell out.
const STOCK_FIRST: u64 = 300;
const STOCK_MORE: u64 = 250;
const ITEMS: [&str; 3] = ["ga", "balcony", "front"];

/// Small segments and frequent snapshots, so that a kill hits them too; some callbacks late, twice or bad.
const SETTINGS: [&str; 6] = [
    "journal.segment_size_bytes=1048576",
    "snapshot.every_facts=1000",
    "payments.simulator.fail_percent=20",
    "payments.simulator.twice_percent=10",
    "payments.simulator.late_percent=5",
    "payments.simulator.late_ms=1200",
];

// covers: I1, I3, I5
#[test]
fn twenty_kills_lose_no_acknowledged_order_and_sell_no_unit_twice() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seed = number("CRASH_SEED").unwrap_or(SEED);
    let cycle_count = number("CRASH_CYCLES").unwrap_or(CYCLE_COUNT);
    let mut figures = Figures::new(cycle_count);
    for life in 0..cycle_count.div_ceil(CYCLE_COUNT) {
        println!("seed {}", seed + life);
        live(seed + life, CYCLE_COUNT.min(cycle_count - life * CYCLE_COUNT), &mut figures);
    }
    println!("{figures}");
}

/// A data folder's life: so many kills, and a good end.
fn live(seed: u64, cycle_count: u64, figures: &mut Figures) {
    let mut rng = Rng::with_seed(seed);
    let house = House::new();
    let settings = [&WITH_SIMULATOR[..], &SETTINGS].concat();
    let mut ledger = Ledger::default();
    let mut server = house.serve(&settings);
    drop(Shop::open(&house, &server, (SALE, &definition())));
    let buyer_count = ATTEMPT_COUNT_MAX * u32::try_from(CLIENT_COUNT).expect("a few");
    for cycle in 0..cycle_count {
        let tokens = onrush::tokens(&house.data(), &format!("buyer-{cycle}"), buyer_count);
        let killed = rush(server, (tokens, &mut rng));
        if cycle % 4 == 3 {
            die_while_recovering(&house, &settings, &mut rng);
        }
        look_into_the_journal(&house.data());
        let begun = Instant::now();
        server = house.serve(&settings);
        figures.restarted(begun.elapsed());
        ledger.resolve(&server, killed);
        put_more_up(&house, &server, cycle);
        ledger.compare(&Shop { server: &server, admin_key: house.admin_key(), sale: SALE });
    }
    ledger.ask_everything_again(&server);
    let shop = Shop { server: &server, admin_key: house.admin_key(), sale: SALE };
    until("the last hold to end", || (shop.stock().0.held == 0).then_some(()));
    let books = ledger.compare(&shop);
    server.stop();
    ledger::compare_with_journal(&books, &verified(&house.data()));
    figures.lived(ledger.tally());
}

fn definition() -> Value {
    let item = |(number, code): (u64, &&str)| json!({"item": code, "name": code, "unit_price": 1_000 + number, "stock": STOCK_FIRST});
    let items: Vec<Value> = (0..).zip(&ITEMS).map(item).collect();
    json!({"sale": SALE, "name": "Crash", "currency": "EUR", "hold_ttl_seconds": 1, "items": items})
}

/// Lets the crowd in and kills the server in the middle of it. Returns what each client was told.
fn rush(server: Server, (tokens, rng): (Vec<String>, &mut Rng)) -> Vec<Vec<ledger::Attempt>> {
    let answered = Arc::new(AtomicU64::new(0));
    let per_client = tokens.len() / CLIENT_COUNT;
    let clients = tokens.chunks(per_client).map(|tokens| {
        let client = Client::new(server.address, (tokens.to_vec(), rng.fork()), Arc::clone(&answered));
        thread::spawn(move || client.run())
    });
    let clients: Vec<_> = clients.collect();
    let enough = rng.u64(100..u64::from(ATTEMPT_COUNT_MAX));
    until("enough answers", || (answered.load(Ordering::Relaxed) >= enough).then_some(()));
    // Not always at the same point of a batch.
    let begun = Instant::now();
    let later = Duration::from_micros(rng.u64(0..4_000));
    while begun.elapsed() < later {
        std::hint::spin_loop();
    }
    server.kill();
    clients.into_iter().map(|client| client.join().expect("no client found anything wrong")).collect()
}

/// Starts a server and kills it before, while or after it recovers.
fn die_while_recovering(house: &House, settings: &[&str], rng: &mut Rng) {
    let mut command = house.command(settings);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child = child.expect("the binary can be started");
    thread::sleep(Duration::from_micros(rng.u64(0..30_000)));
    child.kill().expect("it is our child");
    wait(&mut child);
}

/// As a kill leaves it: clean, or torn at its end; never damaged.
fn look_into_the_journal(data: &Path) {
    let ran = onrush::run(&["journal", "verify", data.to_str().expect("a text")]);
    assert!(matches!(ran.status.code(), Some(0 | 3)), "{ran:?}");
}

/// The organiser adds units, and repeats that: once under one key, however often and on whichever side of a
/// crash.
fn put_more_up(house: &House, server: &Server, cycle: u64) {
    let shop = Shop { server, admin_key: house.admin_key(), sale: SALE };
    for number in [cycle.saturating_sub(1), cycle, cycle] {
        for item in ITEMS {
            let path = format!("/v1/sales/{SALE}/items/{item}/stock");
            let ask =
                Ask::post(&path).key(&format!("more-{item}-{number}")).json(&json!({"change": STOCK_MORE}));
            shop.organise(&ask).expect(200);
        }
    }
    let item_count = u64::try_from(ITEMS.len()).expect("a few");
    assert_eq!(shop.stock().0.stock, item_count * (STOCK_FIRST + (cycle + 1) * STOCK_MORE));
}
