//! Orders beside thousands of clients that send a byte in ten seconds.

mod clients;

use std::thread::sleep;
use std::time::Duration;

use anyhow::Context as _;

use crate::arm::Arm;
use crate::figure::{Figure, Figures};
use crate::ledger;
use crate::load::{Load, Part, Seen};
use crate::rush::{CONNECTIONS, whole};
use crate::series::{Bench, check_answers};
use crate::stand::onrush::House;
use clients::{BYTE_INTERVAL, SlowClients, Story};

/// Clients that are slow. With those of the load they are fewer than `http.connections_max`.
const SLOW_COUNT: u32 = 15_000;
/// Runs without them, and runs beside them.
const RUN_COUNT: u64 = 3;
/// From a cut until the client has noticed it and comes again, some are missing.
const SLOW_PART_MIN: f64 = 0.9;
/// `http.header_timeout_ms`, as it is by itself.
const DEADLINE: Duration = Duration::from_secs(10);
/// A deadline is late by twice the sweep interval at most, and its client looks every half second.
const DEADLINE_LATE_MAX: Duration = Duration::from_millis(1_500);

/// `slow.p99`: p99 of orders at half load beside slow clients, by p99 without them, and what it is made of;
/// `slow.lived-s`: how long the slow client lived that lived longest, from its first byte on.
///
/// # Errors
/// When something cannot be started.
pub(crate) fn figures(bench: &Bench<'_>) -> anyhow::Result<Figures> {
    bench.wait_for_quiet()?;
    let shape = Arm::Order.shape().context("an order is asked for")?;
    let load = Load::new(shape, CONNECTIONS);
    let house = House::open(bench.site, &mut bench.site.command("serve"), Arm::Order)?;
    let (mut runs, mut first) = (Vec::new(), 0);
    let mut run = |rate: Option<f64>| -> anyhow::Result<Vec<f64>> {
        let part = Part { rate: rate.map(whole), first, ..bench.measured("slow-") };
        let seen = load.run(house.server.address, part)?;
        first += seen.completed + seen.errors;
        let kept = vec![seen.p99_us, seen.requests_per_second];
        runs.push(seen);
        Ok(kept)
    };
    run(None)?;
    let half = run(None)?[1] * 0.5;
    let mut p99s = || (0..RUN_COUNT).map(|_| Ok(run(Some(half))?[0])).collect::<anyhow::Result<Vec<f64>>>();
    let without = p99s()?;
    let slow = SlowClients::come(house.server.address, SLOW_COUNT);
    // From here on, as many are cut and come again as send a byte.
    sleep(BYTE_INTERVAL + DEADLINE_LATE_MAX);
    let cut_before = house.server.metric("onrush_http_connections_cut_total")?;
    let open_before = house.server.metric("onrush_http_connections")?;
    let beside = p99s()?;
    let open_after = house.server.metric("onrush_http_connections")?;
    let cut_count = house.server.metric("onrush_http_connections_cut_total")? - cut_before;
    let story = slow.leave()?;
    let void = check(house, &runs).err().map(|error| format!("{error:#}"));

    let figure = |values: Vec<f64>| {
        let figure = Figure::of(values).void(void.as_slice());
        let late = runs.iter().filter_map(|seen| seen.invalid.as_deref()).take(1);
        let missing = is_missing(open_before.min(open_after), &story);
        late.chain(missing).fold(figure, Figure::unfit)
    };
    let ratios = beside.iter().zip(&without).map(|(beside, without)| beside / without).collect();
    let note = format!(
        "at most 2; {SLOW_COUNT} slow clients, {open_after} connections, {cut_count} cut meanwhile; their thread was late by \
         {:.1} s at most",
        story.late_max.as_secs_f64()
    );
    Ok([
        ("slow.p99", figure(ratios).note(&note)),
        ("slow.p99-us", figure(beside)),
        ("slow.p99-us-without", figure(without)),
        ("slow.lived-s", figure(vec![story.lived_max.as_secs_f64()])),
    ]
    .map(|(name, figure)| (name.to_owned(), figure))
    .into())
}

/// Every order is there, and there are no others.
fn check(house: House<'_>, runs: &[Seen]) -> anyhow::Result<()> {
    check_answers(Arm::Order, &runs.iter().collect::<Vec<_>>())?;
    let sold = runs.iter().map(|seen| seen.completed).sum();
    ledger::check(Arm::Order, house.close()?, sold..=sold)
}

/// Why the orders were not beside so many slow clients.
fn is_missing(open_count: f64, story: &Story) -> Option<&'static str> {
    if open_count < f64::from(SLOW_COUNT) * SLOW_PART_MIN {
        return Some("many slow clients were missing");
    }
    // Its thread may be late to look, and then it lived for less long than it seems.
    (story.lived_max > DEADLINE + DEADLINE_LATE_MAX + story.late_max)
        .then_some("a slow client was not cut at its deadline")
}
