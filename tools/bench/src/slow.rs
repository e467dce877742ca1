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
const RUN_COUNT: u64 = 5;
/// From a cut until the client has noticed it and comes again, some are missing.
const SLOW_PART_MIN: f64 = 0.9;
/// `http.header_timeout_ms`, as it is by itself.
const DEADLINE: Duration = Duration::from_secs(10);
/// The same, so late that each slow client sends several bytes.
const DEADLINE_LATE: Duration = Duration::from_secs(60);
/// A deadline is late by twice the sweep interval at most, and its client looks every half second.
const DEADLINE_LATE_MAX: Duration = Duration::from_millis(1_500);

/// `slow.p99`: p99 of orders at half load beside slow clients that may stay for a minute, by p99 without them, and what it is made
/// of; `slow.returning-p99`: the same beside slow clients that are cut at their deadline, and come again at once;
/// `slow.lived-s`: how long the one of those lived that lived longest, from its first byte on.
///
/// # Errors
/// When something cannot be started.
pub(crate) fn figures(bench: &Bench<'_>) -> anyhow::Result<Figures> {
    let staying = Evening::spend(bench, DEADLINE_LATE)?;
    let returning = Evening::spend(bench, DEADLINE)?;
    let figures = [
        ("slow.p99", staying.figure(staying.ratios()).note(&staying.note())),
        ("slow.p99-us", staying.figure(staying.beside.clone())),
        ("slow.p99-us-without", staying.figure(staying.without.clone())),
        ("slow.returning-p99", returning.figure(returning.ratios()).note(&returning.note())),
        ("slow.lived-s", returning.figure(vec![returning.story.lived_max.as_secs_f64()])),
    ];
    Ok(figures.map(|(name, figure)| (name.to_owned(), figure)).into())
}

/// One server, without slow clients and then beside them.
struct Evening {
    deadline: Duration,
    without: Vec<f64>,
    beside: Vec<f64>,
    runs: Vec<Seen>,
    /// Connections that were open at least.
    open_count: f64,
    cut_count: f64,
    story: Story,
    void: Option<String>,
}

impl Evening {
    fn spend(bench: &Bench<'_>, deadline: Duration) -> anyhow::Result<Evening> {
        bench.wait_for_quiet()?;
        let shape = Arm::Order.shape().context("an order is asked for")?;
        let load = Load::new(shape, CONNECTIONS);
        let mut serve = bench.site.command("serve");
        serve.args(["--set", &format!("http.header_timeout_ms={}", deadline.as_millis())]);
        let house = House::open(bench.site, &mut serve, Arm::Order)?;
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
        let mut p99s =
            || (0..RUN_COUNT).map(|_| Ok(run(Some(half))?[0])).collect::<anyhow::Result<Vec<f64>>>();
        let without = p99s()?;
        let slow = SlowClients::come(house.server.address, SLOW_COUNT, deadline);
        // From here on, all are there.
        sleep(BYTE_INTERVAL + DEADLINE_LATE_MAX);
        let metric = |name| house.server.metric(name);
        let cut_before = metric("onrush_http_connections_cut_total")?;
        let open_before = metric("onrush_http_connections")?;
        let beside = p99s()?;
        let open_count = open_before.min(metric("onrush_http_connections")?);
        let cut_count = metric("onrush_http_connections_cut_total")? - cut_before;
        let story = slow.leave()?;
        let void = check(house, &runs).err().map(|error| format!("{error:#}"));
        Ok(Evening { deadline, without, beside, runs, open_count, cut_count, story, void })
    }

    fn ratios(&self) -> Vec<f64> {
        self.beside.iter().zip(&self.without).map(|(beside, without)| beside / without).collect()
    }

    fn note(&self) -> String {
        format!(
            "at most 2; {SLOW_COUNT} slow clients, {} connections, {} cut meanwhile, their deadline is {} s; their thread was late \
             by {:.1} s at most",
            self.open_count,
            self.cut_count,
            self.deadline.as_secs(),
            self.story.late_max.as_secs_f64()
        )
    }

    fn figure(&self, values: Vec<f64>) -> Figure {
        let figure = Figure::of(values).void(self.void.as_slice());
        let late = self.runs.iter().filter_map(|seen| seen.invalid.as_deref()).take(1);
        late.chain(self.is_missing()).fold(figure, Figure::unfit)
    }

    /// Why the orders were not beside so many slow clients.
    fn is_missing(&self) -> Option<&'static str> {
        if self.open_count < f64::from(SLOW_COUNT) * SLOW_PART_MIN {
            return Some("many slow clients were missing");
        }
        // Its thread may be late to look, and then it lived for less long than it seems.
        (self.story.lived_max > self.deadline + DEADLINE_LATE_MAX + self.story.late_max)
            .then_some("a slow client was not cut at its deadline")
    }
}

/// Every order is there, and there are no others.
fn check(house: House<'_>, runs: &[Seen]) -> anyhow::Result<()> {
    check_answers(Arm::Order, &runs.iter().collect::<Vec<_>>())?;
    let sold = runs.iter().map(|seen| seen.completed).sum();
    ledger::check(Arm::Order, house.close()?, sold..=sold)
}
