//! A lone order at light load, beside what it cannot do without: a hello round trip and one durable write.
//!
//! The generator waits awake. Its core would sleep for longer while an order is written than during a hello, and so take
//! longer to wake: a part of the order's time that neither server nor disk has.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::arm::Arm;
use crate::cores::Apart;
use crate::figure::{Figure, Figures, Spread};
use crate::load::Load;
use crate::series::Bench;
use crate::stand::Stand;

const BLOCK_SIZE_BYTES: usize = 4_096;
/// Blocks of the file that is written, which is filled with zeros before, as a segment of the journal is.
const BLOCK_COUNT: usize = 4_096;

/// One round.
struct Round {
    hello_us: f64,
    write_us: f64,
    order_us: f64,
}

/// `light.ratio`: p50 of an order by the sum of the p50 of a hello and of a raw durable write, one connection, the
/// next request when the answer is there. With the three times in microseconds.
///
/// # Errors
/// When something cannot be started.
pub(crate) fn figures(bench: &Bench<'_>) -> anyhow::Result<Figures> {
    let mut rounds = Vec::new();
    for number in 0..bench.settings.pairs {
        bench.wait_for_quiet()?;
        rounds.push(round(bench, number % 2 == 0)?);
    }
    let figure = |value: fn(&Round) -> f64| Figure::of(rounds.iter().map(value));
    Ok([
        ("light.ratio", figure(|round| round.order_us / (round.hello_us + round.write_us))),
        ("light.hello-us", figure(|round| round.hello_us)),
        ("light.write-us", figure(|round| round.write_us)),
        ("light.order-us", figure(|round| round.order_us)),
    ]
    .map(|(name, figure)| (name.to_owned(), figure))
    .into())
}

fn round(bench: &Bench<'_>, is_hello_first: bool) -> anyhow::Result<Round> {
    let hello = || p50_us(bench, Arm::Hello);
    let order = || p50_us(bench, Arm::Order);
    let (hello_us, order_us) = match is_hello_first {
        true => (hello()?, order()?),
        false => {
            let order_us = order()?;
            (hello()?, order_us)
        }
    };
    let write_us = raw_write_us(&bench.site.folder().join("raw"), bench.settings.seconds)?;
    Ok(Round { hello_us, write_us, order_us })
}

fn p50_us(bench: &Bench<'_>, arm: Arm) -> anyhow::Result<f64> {
    let shape = Arm::Order.shape().context("an order is asked for")?;
    let load = Load::new(shape, 1).awake();
    let (apart, stand) = Apart::start(|| Stand::open(bench.site, arm))?;
    load.run(stand.address(), bench.measured("before-"))?;
    let seen = load.run(stand.address(), bench.measured("light-"))?;
    drop(apart);
    stand.close()?;
    Ok(seen.p50_us)
}

/// The p50 of writing a block into a file that is there already and syncing it, one after the other.
fn raw_write_us(path: &Path, seconds: f64) -> anyhow::Result<f64> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).open(path);
    let file = file.with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all_at(&vec![0; BLOCK_SIZE_BYTES * BLOCK_COUNT], 0)?;
    file.sync_all()?;
    let block = [0xA5; BLOCK_SIZE_BYTES];
    let begun = Instant::now();
    let mut times_us = Vec::new();
    for number in 0_usize.. {
        let at = Instant::now();
        let offset = number % BLOCK_COUNT * BLOCK_SIZE_BYTES;
        file.write_all_at(&block, u64::try_from(offset)?)?;
        file.sync_data()?;
        times_us.push(at.elapsed().as_secs_f64() * 1e6);
        if begun.elapsed() >= Duration::from_secs_f64(seconds) {
            break;
        }
    }
    std::fs::remove_file(path)?;
    Ok(Spread::of(times_us).median)
}
