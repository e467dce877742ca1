//! Servers with many orders: how long a restart takes, and what orders wait for while snapshots are taken.
//!
//! In the suite the state is small and only what must hold is checked; `cargo xtask crash` sets `CRASH_ORDERS`, and
//! the figures mean something.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::load::Load;
use crate::support::server::{House, Server, verified};
use crate::support::until;

const ORDER_COUNT: u64 = 3_000;
const NO_SNAPSHOTS: &[&str] =
    &["snapshot.every_facts=1000000000", "snapshot.every_journal_bytes=1099511627776"];
/// The next is due as soon as one is done, or nearly.
const SNAPSHOTS: &[&str] = &["snapshot.every_facts=1000"];
/// So little of the journal that a small state needs several snapshots, whatever number of facts it has.
const FEW_BYTES: &[&str] = &["snapshot.every_facts=1000000000", "snapshot.every_journal_bytes=1048576"];
/// Windows without and with snapshots, so that a state that grows and a machine that changes count for both.
const WINDOWS: [bool; 8] = [false, true, true, false, false, true, true, false];
const WINDOW_MIN: Duration = Duration::from_millis(300);
const WINDOW_LARGE: Duration = Duration::from_secs(4);
const RESTART_COUNT: usize = 3;

/// So many orders as the environment says.
fn order_count() -> Option<u64> {
    std::env::var("CRASH_ORDERS").ok().map(|count| count.parse().expect("a number"))
}

// covers: I5
#[test]
fn restart_has_all_orders_from_the_journal_alone_and_from_a_snapshot() {
    let house = House::new();
    let server = house.serve(NO_SNAPSHOTS);
    let load = Load::open(&house, &server);
    load.fill(&server, order_count().unwrap_or(ORDER_COUNT));
    server.kill();
    let mut from_journal = Vec::new();
    for _ in 0..RESTART_COUNT {
        let server = timed(&house, NO_SNAPSHOTS, &mut from_journal);
        assert!(server.log().contains("snapshot_seq=0 "), "{}", server.log());
        load.check(&server);
        server.kill();
    }
    // A stop takes a snapshot; what comes after it is the tail.
    house.serve(NO_SNAPSHOTS).stop();
    let server = house.serve(NO_SNAPSHOTS);
    load.fill(&server, load.order_count() + ORDER_COUNT);
    server.kill();
    let mut from_snapshot = Vec::new();
    for _ in 0..RESTART_COUNT {
        let server = timed(&house, NO_SNAPSHOTS, &mut from_snapshot);
        assert!(!server.log().contains("snapshot_seq=0 "), "{}", server.log());
        load.check(&server);
        server.kill();
    }
    verified(&house.data());
    let size_bytes: u64 = fs::read_dir(house.data().join("shard-0000"))
        .expect("a folder")
        .map(|entry| entry.and_then(|entry| entry.metadata()).expect("a file").len())
        .sum();
    println!(
        "{} orders ({} MB on disk), from spawn to ready: from the journal {from_journal:.0?}, from a snapshot and a \
         tail of {ORDER_COUNT} orders {from_snapshot:.0?}",
        load.order_count(),
        size_bytes / 1_000_000,
    );
}

// covers: I5
#[test]
fn restart_after_a_kill_reads_little_however_small_the_batches_were() {
    let house = House::new();
    // As it is out of the box, when the state is large.
    let settings = if order_count().is_some() { &[] } else { FEW_BYTES };
    let server = house.serve(settings);
    let load = Load::open(&house, &server);
    load.run(&server, if order_count().is_some() { WINDOW_LARGE } else { WINDOW_MIN });
    load.fill(&server, order_count().unwrap_or(ORDER_COUNT));
    // How many bytes a window writes is the machine's business.
    until("took a snapshot", || {
        let has_snapshot = snapshot_count(&server) > 0;
        if !has_snapshot {
            load.run(&server, WINDOW_MIN);
        }
        has_snapshot.then_some(())
    });
    server.kill();
    let mut times = Vec::new();
    for _ in 0..RESTART_COUNT {
        let server = timed(&house, settings, &mut times);
        assert!(!server.log().contains("snapshot_seq=0 "), "{}", server.log());
        load.check(&server);
        server.kill();
    }
    verified(&house.data());
    println!("{} orders, killed and started again with {settings:?}: {times:.0?}", load.order_count());
}

#[test]
fn damage_in_an_old_segment_is_told_behind_the_start() {
    let house = House::new();
    let settings = [NO_SNAPSHOTS, &["journal.segment_size_bytes=1048576"]].concat();
    let server = house.serve(&settings);
    let load = Load::open(&house, &server);
    while segments(&house).len() < 3 {
        load.fill(&server, load.order_count() + ORDER_COUNT);
    }
    // A stop takes a snapshot: the next start needs the last segment only.
    server.stop();
    let server = house.serve(&settings);
    server.says("older segments of the journal are sound");
    server.stop();
    let oldest = segments(&house).swap_remove(0);
    let mut bytes = fs::read(&oldest).expect("a segment");
    bytes[4_096 + 200] ^= 1;
    fs::write(&oldest, bytes).expect("a segment");
    let server = house.serve(&settings);
    server.says("an old segment of the journal is damaged");
    let name = oldest.file_name().and_then(|name| name.to_str()).expect("a plain name");
    assert!(server.log().contains(&format!("{name} is damaged at offset 4096")), "{}", server.log());
    load.check(&server);
    server.kill();
}

/// The segments of the first shard, oldest first.
fn segments(house: &House) -> Vec<PathBuf> {
    let entries = fs::read_dir(house.data().join("shard-0000")).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut segments: Vec<_> = paths.filter(|path| path.extension().is_some_and(|is| is == "seg")).collect();
    segments.sort();
    segments
}

/// Starts a server and notes how long that took: it says where it listens when it is ready.
fn timed(house: &House, settings: &[&str], times: &mut Vec<Duration>) -> Server {
    let begun = Instant::now();
    let server = house.serve(settings);
    times.push(begun.elapsed());
    server
}

#[test]
fn orders_are_taken_while_snapshots_are() {
    let house = House::new();
    let server = house.serve(NO_SNAPSHOTS);
    let load = Load::open(&house, &server);
    load.fill(&server, order_count().unwrap_or(ORDER_COUNT) / 2);
    server.stop();
    let window = if order_count().is_some() { WINDOW_LARGE } else { WINDOW_MIN };
    let mut p99s = [Vec::new(), Vec::new()];
    for with_snapshots in WINDOWS {
        let server = house.serve(if with_snapshots { SNAPSHOTS } else { NO_SNAPSHOTS });
        load.run(&server, window / 4);
        let before = snapshot_count(&server);
        let seen = load.run(&server, window);
        let taken = snapshot_count(&server) - before;
        assert!(with_snapshots || taken == 0, "{}", server.log());
        let name = if with_snapshots { "with" } else { "without" };
        let of = |quantile| seen.value_at_quantile(quantile);
        println!(
            "{} orders, window {name} snapshots ({taken}): {} orders/s, p50 {} µs, p99 {} µs, p99.9 {} µs, most {} µs",
            load.order_count(),
            seen.len() * 1_000 / u64::try_from(window.as_millis()).expect("it is short"),
            of(0.5),
            of(0.99),
            of(0.999),
            seen.max(),
        );
        p99s[usize::from(with_snapshots)].push(of(0.99));
        if with_snapshots {
            server.says("took a snapshot");
        }
        load.check(&server);
        server.stop();
    }
    let [without, with] = p99s.map(median);
    println!(
        "p99: {without} µs without, {with} µs with snapshots, ratio {:.2}",
        with as f64 / without as f64
    );
}

fn snapshot_count(server: &Server) -> usize {
    server.log().matches("took a snapshot").count()
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    let middle = values.len() / 2;
    u64::midpoint(values[middle - 1], values[middle])
}
