//! Orders beside thousands of clients that send a byte in ten seconds.

mod clients;

use std::thread::sleep;
use std::time::Duration;

use anyhow::Context as _;

use crate::arm::Arm;
use crate::cores::Apart;
use crate::figure::{Figure, Figures};
use crate::ledger;
use crate::load::{self, Load, Part, Seen, Side};
use crate::rush::{CONNECTIONS, whole};
use crate::series::{Bench, check_answers};
use crate::stand::onrush::House;
use clients::{BYTE_INTERVAL, SlowClients, Story};

/// Clients that are slow. With those of the load they are fewer than `http.connections_max`.
const SLOW_COUNT: u32 = 15_000;
/// Runs in a closed loop, to warm up and to find the most; and runs at half of that.
const CLOSED_COUNT: usize = 2;
const RUN_COUNT: u64 = 5;
/// From a cut until the client has noticed it and comes again, some are missing.
const SLOW_PART_MIN: f64 = 0.9;
/// `http.header_timeout_ms`, as it is by itself.
const DEADLINE: Duration = Duration::from_secs(10);
/// The same, so late that each slow client sends several bytes.
const DEADLINE_LATE: Duration = Duration::from_secs(60);
/// A deadline is late by twice the sweep interval at most, and its client looks every half second.
const DEADLINE_LATE_MAX: Duration = Duration::from_millis(1_500);

/// Metrics of a server: connections that are open, and that were cut.
const OPEN: &str = "onrush_http_connections";
const CUT: &str = "onrush_http_connections_cut_total";

/// `slow.p99`: p99 of orders at half load on a server with slow clients that may stay for a minute, by p99 on one without them,
/// and what it is made of; `slow.returning-p99`: the same with slow clients that are cut at their deadline, and come again at
/// once; `slow.lived-s`: how long the one of those lived that lived longest, from its first byte on. The slow clients have all
/// cores: what they take of the machine, both servers feel.
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

/// Two servers under load by turns; slow clients are at the second.
struct Evening {
    deadline: Duration,
    without: Vec<f64>,
    beside: Vec<f64>,
    /// Why latencies are the generator's and not a server's.
    late: Option<String>,
    /// Connections of the second server that were open at least.
    open_count: f64,
    cut_count: f64,
    story: Story,
    void: Option<String>,
}

impl Evening {
    fn spend(bench: &Bench<'_>, deadline: Duration) -> anyhow::Result<Evening> {
        bench.wait_for_quiet()?;
        let open = || Place::open(bench, deadline);
        let (apart, mut places) = Apart::start(|| Ok([open()?, open()?]))?;
        let load = Load::new(Arm::Order.shape().context("an order is asked for")?, CONNECTIONS);
        let mut most = f64::MAX;
        for _ in 0..CLOSED_COUNT {
            let [without, beside] = by_turns(bench, &load, &mut places, None)?;
            most = without.min(beside);
        }
        let half = Some(whole(most * 0.5));
        let address = places[1].house.server.address;
        let slow = apart.start_anywhere(|| Ok(SlowClients::come(address, SLOW_COUNT, deadline)))?;
        // From here on, all are there.
        sleep(BYTE_INTERVAL + DEADLINE_LATE_MAX);
        let metric = |places: &[Place<'_>; 2], name| places[1].house.server.metric(name);
        let cut_before = metric(&places, CUT)?;
        let open_before = metric(&places, OPEN)?;
        for _ in 0..RUN_COUNT {
            by_turns(bench, &load, &mut places, half)?;
        }
        let open_count = open_before.min(metric(&places, OPEN)?);
        let cut_count = metric(&places, CUT)? - cut_before;
        let story = slow.leave()?;
        drop(apart);
        let late = places.iter().flat_map(Place::at_half).find_map(|seen| seen.invalid.clone());
        let [without, beside] =
            places.each_ref().map(|place| place.at_half().map(|seen| seen.p99_us).collect());
        let void = places.into_iter().find_map(|place| place.close().err()).map(|error| format!("{error:#}"));
        Ok(Evening { deadline, without, beside, late, open_count, cut_count, story, void })
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
        self.late.as_deref().into_iter().chain(self.is_missing()).fold(figure, Figure::unfit)
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

/// A run on both, which is kept with either; says their requests a second.
fn by_turns(
    bench: &Bench<'_>,
    load: &Load,
    places: &mut [Place<'_>; 2],
    rate: Option<u32>,
) -> anyhow::Result<[f64; 2]> {
    let side = |place: &Place<'_>| {
        let part = Part { rate, first: place.first(), ..bench.measured("slow-") };
        Side { address: place.house.server.address, load, part }
    };
    let seen = load::by_turns(places.each_ref().map(side))?;
    let rates = seen.each_ref().map(|seen| seen.requests_per_second);
    places.iter_mut().zip(seen).for_each(|(place, seen)| place.seen.push(seen));
    Ok(rates)
}

/// A server, and the runs on it.
struct Place<'a> {
    house: House<'a>,
    seen: Vec<Seen>,
}

impl<'a> Place<'a> {
    fn open(bench: &Bench<'a>, deadline: Duration) -> anyhow::Result<Place<'a>> {
        let mut serve = bench.site.command("serve");
        serve.args(["--set", &format!("http.header_timeout_ms={}", deadline.as_millis())]);
        Ok(Place { house: House::open(bench.site, &mut serve, Arm::Order)?, seen: Vec::new() })
    }

    /// The first buyer who was in no run yet.
    fn first(&self) -> u64 {
        self.seen.iter().map(|seen| seen.completed + seen.errors).sum()
    }

    /// The runs at half load.
    fn at_half(&self) -> impl Iterator<Item = &Seen> {
        self.seen.iter().skip(CLOSED_COUNT)
    }

    /// Every order is there, and there are no others.
    fn close(self) -> anyhow::Result<()> {
        check_answers(Arm::Order, &self.seen.iter().collect::<Vec<_>>())?;
        let sold = self.seen.iter().map(|seen| seen.completed).sum();
        ledger::check(Arm::Order, self.house.close()?, sold..=sold)
    }
}
