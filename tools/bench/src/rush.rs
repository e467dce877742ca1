//! Latency under an open arrival rate, which counts from the instant at which a request was meant to be sent: at half
//! load, at 80 %, and with ten times the clients. The generator has a core of its own.

use anyhow::Context as _;

use crate::arm::Arm;
use crate::cores::Apart;
use crate::figure::{Figure, Figures};
use crate::ledger;
use crate::load::{self, Load, Part, Seen, Side};
use crate::sample::settle;
use crate::series::{Bench, check_answers};
use crate::stand::Stand;

/// Connections of the generator, unless a run says otherwise: enough to keep either side busy.
pub(crate) const CONNECTIONS: u32 = 256;
pub(crate) const CROWD: u32 = 10 * CONNECTIONS;
/// Rounds whose generator was in time, before fewer have to do; and further rounds for that.
const IN_TIME_COUNT_MIN: usize = 3;
const MORE_COUNT_MAX: u32 = 3;
/// Whoever is answered so, at ten times the load or while the disk stands still, may come again: these are no errors.
pub(crate) const REFUSED: u16 = 503;

/// One round: a server, and the runs on it.
struct Round {
    most: Seen,
    half: Seen,
    most_of_it: Seen,
    crowd: Seen,
    void: Option<String>,
}

/// `half-load.tail` (p99.9 by p50), `overload.useful` and `overload.p99`, and the latencies that they are made of.
///
/// # Errors
/// When something cannot be started.
pub(crate) fn figures(bench: &Bench<'_>) -> anyhow::Result<Figures> {
    let wanted = bench.settings.pairs;
    let mut rounds: Vec<Round> = Vec::new();
    for number in 0..wanted + MORE_COUNT_MAX {
        let in_time = rounds.iter().filter(|round| round.late().is_none()).count();
        if number >= wanted && in_time >= IN_TIME_COUNT_MIN.min(wanted as usize) {
            break;
        }
        bench.wait_for_quiet()?;
        rounds.push(round(bench)?);
    }
    let void: Vec<String> = rounds.iter().filter_map(|round| round.void.clone()).collect();
    // A late generator measures itself; without any round in time the late ones have to do, and say so.
    let in_time: Vec<&Round> = rounds.iter().filter(|round| round.late().is_none()).collect();
    let late = rounds.iter().find_map(Round::late).filter(|_| in_time.is_empty());
    let used = if in_time.is_empty() { rounds.iter().collect() } else { in_time };
    let figure = |value: fn(&Round) -> f64| {
        let figure = Figure::of(used.iter().map(|round| value(round))).void(&void);
        late.iter().fold(figure, |figure, reason| figure.unfit(reason))
    };
    let crowd = format!("{CROWD} connections in a closed loop; p99 over all answers");
    Ok([
        ("half-load.tail", figure(|round| round.half.p999_us / round.half.p50_us)),
        ("half-load.p50-us", figure(|round| round.half.p50_us)),
        ("half-load.p99-us", figure(|round| round.half.p99_us)),
        ("half-load.p999-us", figure(|round| round.half.p999_us)),
        ("half-load.p50-us-at-80", figure(|round| round.most_of_it.p50_us)),
        ("half-load.p99-us-at-80", figure(|round| round.most_of_it.p99_us)),
        ("half-load.p999-us-at-80", figure(|round| round.most_of_it.p999_us)),
        ("half-load.most-per-s", figure(|round| round.most.requests_per_second)),
        // Closed loops have no schedule to be late for.
        ("overload.useful", Figure::of(rounds.iter().map(Round::useful)).void(&void).note(&crowd)),
        ("overload.p99", figure(|round| round.crowd.p99_us / round.most_of_it.p99_us).note(&crowd)),
    ]
    .map(|(name, figure)| (name.to_owned(), figure))
    .into())
}

fn round(bench: &Bench<'_>) -> anyhow::Result<Round> {
    let shape = Arm::Order.shape().context("an order is asked for")?;
    let (load, crowd) = (Load::new(shape.clone(), CONNECTIONS), Load::new(shape, CROWD));
    let (apart, stand) = Apart::start(|| Stand::open(bench.site, Arm::Order))?;
    let address = stand.address();
    let usual = bench.measured("rush-");
    let warm_up = load.run(address, usual)?;
    // The crowd comes by turns with those whom it is compared with, and buys under keys of its own.
    let of_most = Side { address, load: &load, part: Part { first: warm_up.completed, ..usual } };
    let of_crowd = Side { address, load: &crowd, part: bench.measured("crowd-") };
    let [most, crowd] = load::by_turns([of_most, of_crowd])?;
    let first = warm_up.completed + most.completed;
    let at = |part_of_most: f64, first: u64| {
        // The crowd's connections take the server some time to close.
        settle(&stand.pids())?;
        let rate = Some(whole(most.requests_per_second * part_of_most));
        load.run(address, Part { rate, first, ..usual })
    };
    let half = at(0.5, first)?;
    let most_of_it = at(0.8, first + half.completed + half.errors)?;
    drop(apart);
    let checked = check_answers(Arm::Order, &[&warm_up, &most, &half, &most_of_it]).and_then(|()| {
        let ledger = stand.close()?.context("orders are sold")?;
        let runs = [&warm_up, &most, &half, &most_of_it, &crowd];
        let sold: u64 = runs.iter().map(|seen| seen.count_of(Arm::Order.expected().status)).sum();
        let unknown: u64 = runs.iter().map(|seen| seen.errors).sum();
        ledger::check(Arm::Order, ledger, sold..=sold + unknown)
    });
    let void = checked.err().map(|error| format!("{error:#}"));
    Ok(Round { most, half, most_of_it, crowd, void })
}

impl Round {
    /// Orders a second of the crowd by the most; refusals are no orders.
    fn useful(&self) -> f64 {
        let answered = self.crowd.completed.max(1) as f64;
        let refused = self.crowd.count_of(REFUSED) as f64;
        self.crowd.requests_per_second * (1.0 - refused / answered) / self.most.requests_per_second
    }

    /// Why the latencies are the generator's.
    fn late(&self) -> Option<&str> {
        [&self.half, &self.most_of_it].into_iter().find_map(|seen| seen.invalid.as_deref())
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is positive and small")]
pub(crate) fn whole(rate: f64) -> u32 {
    rate.max(1.0) as u32
}
