//! How long the crowd's wait outlasts the crowd: an overload, then one-second windows at a load that the server can do.

use std::time::Duration;

use anyhow::Context as _;

use crate::arm::Arm;
use crate::cores::Apart;
use crate::figure::{Figure, Figures};
use crate::ledger;
use crate::load::{Load, Part, Seen};
use crate::rush::{CONNECTIONS, CROWD, whole};
use crate::series::{Bench, check_answers};
use crate::stand::Stand;

const WINDOW: Duration = Duration::from_secs(1);
/// Then it is taken not to come back.
const WINDOW_COUNT_MAX: u32 = 15;
/// A round takes nine seconds and more.
const ROUND_COUNT_MAX: u32 = 3;
/// From this multiple of the p99 before the overload on, it has not come back.
const P99_MAX: f64 = 2.0;

/// One round on a server of its own.
struct Round {
    /// Windows until p99 was as before, that one included.
    windows: Option<u32>,
    void: Option<String>,
}

/// `overload.recovery`: seconds after an overload of ten times the clients, who come again as soon as they are answered or
/// refused, until p99 of a second at 80 % of the most is less than twice what it was before.
///
/// # Errors
/// When something cannot be started.
pub(crate) fn figures(bench: &Bench<'_>) -> anyhow::Result<Figures> {
    let mut rounds = Vec::new();
    for _ in 0..bench.settings.pairs.min(ROUND_COUNT_MAX) {
        bench.wait_for_quiet()?;
        rounds.push(round(bench)?);
    }
    let void: Vec<String> = rounds.iter().filter_map(|round| round.void.clone()).collect();
    let seconds = |round: &Round| f64::from(round.windows.unwrap_or(WINDOW_COUNT_MAX));
    let note = format!("at most 5; seconds until p99 was back after {CROWD} connections in a closed loop");
    let figure = Figure::of(rounds.iter().map(seconds)).void(&void).note(&note);
    let is_lost = rounds.iter().any(|round| round.windows.is_none());
    let figure = if is_lost { figure.unfit("it did not come back") } else { figure };
    Ok([("overload.recovery".to_owned(), figure)].into())
}

fn round(bench: &Bench<'_>) -> anyhow::Result<Round> {
    let shape = Arm::Order.shape().context("an order is asked for")?;
    let (load, crowd) = (Load::new(shape.clone(), CONNECTIONS), Load::new(shape, CROWD));
    let (apart, stand) = Apart::start(|| Stand::open(bench.site, Arm::Order))?;
    let (mut runs, mut first) = (Vec::new(), 0);
    let mut run =
        |load: &Load, rate: Option<f64>, duration: Option<Duration>| -> anyhow::Result<(f64, f64)> {
            let usual = bench.measured("recovery-");
            let duration = duration.unwrap_or(usual.duration);
            let seen = load.run(stand.address(), Part { rate: rate.map(whole), first, duration, ..usual })?;
            first += seen.completed + seen.errors;
            let kept = (seen.p99_us, seen.requests_per_second);
            runs.push(seen);
            Ok(kept)
        };
    run(&load, None, None)?;
    let (_, most) = run(&load, None, None)?;
    let rate = Some(most * 0.8);
    let (p99_before_us, _) = run(&load, rate, Some(WINDOW * 2))?;
    run(&crowd, None, None)?;
    let mut windows = None;
    for number in 1..=WINDOW_COUNT_MAX {
        let (p99_us, _) = run(&load, rate, Some(WINDOW))?;
        if p99_us <= p99_before_us * P99_MAX {
            windows = Some(number);
            break;
        }
    }
    drop(apart);
    let void = check(stand, &runs).err().map(|error| format!("{error:#}"));
    Ok(Round { windows, void })
}

/// Every order that was answered is there, and none that nobody asked for; only the crowd may have been refused.
fn check(stand: Stand<'_>, runs: &[Seen]) -> anyhow::Result<()> {
    const CROWD_INDEX: usize = 3;
    let others = runs.iter().enumerate().filter(|(index, _)| *index != CROWD_INDEX).map(|(_, seen)| seen);
    check_answers(Arm::Order, &others.collect::<Vec<_>>())?;
    let ledger = stand.close()?.context("orders are sold")?;
    let status = Arm::Order.expected().status;
    let sold: u64 = runs.iter().map(|seen| seen.count_of(status)).sum();
    let unknown: u64 = runs.iter().map(|seen| seen.errors).sum();
    ledger::check(Arm::Order, ledger, sold..=sold + unknown)
}
