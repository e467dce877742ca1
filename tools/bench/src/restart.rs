//! What a start after a crash replays, beside how fast it was sold.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::arm::Arm;
use crate::figure::{Figure, Figures};
use crate::load::{Load, Part};
use crate::series::Bench;
use crate::server::Server;
use crate::stand::onrush::{House, on_data};

const CONNECTIONS: u32 = 256;
/// Orders are sold for so many times the length of a measurement: a start takes a while, whatever it replays.
const LENGTH: u32 = 3;
const STARTS: usize = 3;
/// No snapshot: everything is replayed.
const NO_SNAPSHOT: &str = "snapshot.every_facts=1000000000";

/// `restart.ratio`: orders replayed a second by orders sold a second. The time of a start on an empty folder is
/// taken off. With both rates.
///
/// # Errors
/// When something cannot be started, or the journal is not sound afterwards.
pub(crate) fn figures(bench: &Bench<'_>) -> anyhow::Result<Figures> {
    let shape = Arm::Order.shape().context("an order is asked for")?;
    let load = Load::new(shape, CONNECTIONS);
    let part = bench.measured("restart-");
    let part = Part { duration: part.duration * LENGTH, ..part };
    bench.wait_for_quiet()?;
    let mut house = House::open(bench.site, &mut serve(bench), Arm::Order)?;
    let empty = start(bench, &mut house)?;
    let seen = load.run(house.server.address, part)?;
    let mut replays = Vec::new();
    for _ in 0..STARTS {
        replays.push(start(bench, &mut house)?.saturating_sub(empty));
    }
    let orders = house.close()?.orders;
    ensure!(orders >= seen.completed, "{} orders were confirmed, {orders} are there", seen.completed);
    let sold_per_second = seen.requests_per_second;
    let replayed: Vec<f64> = replays
        .iter()
        .map(|time| orders as f64 / time.max(&Duration::from_millis(1)).as_secs_f64())
        .collect();
    Ok([
        ("restart.ratio", Figure::of(replayed.iter().map(|rate| rate / sold_per_second))),
        ("restart.replayed-per-s", Figure::of(replayed)),
        ("restart.sold-per-s", Figure::of([sold_per_second])),
    ]
    .map(|(name, figure)| (name.to_owned(), figure.note(&format!("over {orders} orders"))))
    .into())
}

fn serve(bench: &Bench<'_>) -> std::process::Command {
    let mut serve = bench.site.command("serve");
    serve.args(["--set", NO_SNAPSHOT]);
    serve
}

/// Ends a server as a crash would, and starts it anew: how long that takes until it listens.
fn start(bench: &Bench<'_>, house: &mut House<'_>) -> anyhow::Result<Duration> {
    let mut serve = serve(bench);
    on_data(&mut serve, &house.data);
    house.server.kill()?;
    let begun = Instant::now();
    house.server = Server::start(&mut serve)?;
    Ok(begun.elapsed())
}
