//! What the edge counts. Handles are looked up once; a request only adds to atomics and short locks.

use std::cell::Cell;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use gate::Reason;
use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::route::Route;

/// The statuses that the edge answers with; another one would be counted as 500.
const STATUSES: [u16; 20] =
    [200, 201, 202, 304, 400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 431, 500, 501, 502, 503];
const INTERNAL_ERROR_INDEX: usize = 16;

/// Seconds, from a tenth of a millisecond to ten seconds.
const BUCKETS: [f64; 16] =
    [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: &'static str,
    status: u16,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct RouteLabels {
    method: &'static str,
    route: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct StageLabels {
    stage: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct CodeLabels {
    code: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

/// A part of an order's way that the edge sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// Headers, body, checks.
    Receive,
    /// From the gate to the durable answer: waiting, deciding, committing. The writer tells these apart, for a batch.
    Writer,
    /// Writing the answer.
    Answer,
}

type HistogramFamily<S> = Family<S, Histogram, fn() -> Histogram>;

/// The counters and histograms of one edge, all I/O threads together.
pub struct Metrics {
    requests: Family<RequestLabels, Counter>,
    request_cells: [[OnceLock<Counter>; STATUSES.len()]; Route::COUNT],
    durations: [Histogram; Route::COUNT],
    stages: [Histogram; 3],
    problems: Family<CodeLabels, Counter>,
    /// Counters that were looked up, by the address of their code.
    problem_cells: [OnceLock<(&'static str, Counter)>; PROBLEM_CELL_COUNT],
    /// Requests answered "no" from the catalogue, without the writer.
    pub(crate) answered_by_view: Counter,
    /// Orders that came in bulk.
    pub(crate) bulk_orders: Counter,
    /// Those of them that were refused.
    pub(crate) bulk_orders_refused: Counter,
    shed_by_depth: Counter,
    shed_by_latency: Counter,
    /// Bulks whose turn did not come.
    pub(crate) shed_bulks: Counter,
    /// Panics caught in handlers.
    pub(crate) panics: Counter,
    pub(crate) connections: Gauge,
    pub(crate) connections_accepted: Counter,
    pub(crate) connections_cut: Counter,
    pub(crate) accept_errors: Counter,
}

impl Metrics {
    /// Makes them and registers them. The registry's prefix should be `onrush`.
    pub fn new(registry: &mut Registry) -> Metrics {
        let requests = Family::default();
        let durations: HistogramFamily<RouteLabels> = Family::new_with_constructor(histogram);
        let stages: HistogramFamily<StageLabels> = Family::new_with_constructor(histogram);
        let problems = Family::default();
        registry.register("http_requests", "Requests answered", requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "From the end of a request's headers to its answer; of the crowd's requests one in 16 is measured",
            durations.clone(),
        );
        registry.register(
            "order_stage_duration_seconds",
            "Stages of placing an order, one in 16 measured",
            stages.clone(),
        );
        registry.register("http_problems", "Problems answered, by code", problems.clone());
        let sheds = Family::<ReasonLabels, Counter>::default();
        registry.register("requests_shed", "Requests turned away by the gate, by reason", sheds.clone());
        let shed = |reason| sheds.get_or_create_owned(&ReasonLabels { reason });
        let stage = |stage| stages.get_or_create_owned(&StageLabels { stage });
        Metrics {
            requests,
            request_cells: Default::default(),
            durations: all_routes().map(|route| {
                let (method, route) = names(route);
                durations.get_or_create_owned(&RouteLabels { method, route })
            }),
            stages: ["receive", "writer", "answer"].map(stage),
            problems,
            problem_cells: Default::default(),
            answered_by_view: counter(
                registry,
                "orders_answered_by_view",
                "Orders refused without the writer",
            ),
            bulk_orders: counter(registry, "bulk_orders", "Orders answered that came in bulk"),
            bulk_orders_refused: counter(registry, "bulk_orders_refused", "Those of them that were refused"),
            shed_by_depth: shed("depth"),
            shed_by_latency: shed("latency"),
            shed_bulks: shed("bulks"),
            panics: counter(registry, "http_panics", "Panics caught in handlers"),
            connections: gauge(registry, "http_connections", "Connections now"),
            connections_accepted: counter(registry, "http_connections_accepted", "Connections accepted"),
            connections_cut: counter(registry, "http_connections_cut", "Connections ended by a deadline"),
            accept_errors: counter(registry, "http_accept_errors", "Connections that could not be accepted"),
        }
    }

    /// Counts one answered request, and how long it took if that was measured.
    pub(crate) fn answered(&self, route: Route, status: StatusCode, took: Option<Duration>) {
        let status_index = STATUSES.iter().position(|known| *known == status.as_u16());
        let status_index = status_index.unwrap_or(INTERNAL_ERROR_INDEX);
        let cell = &self.request_cells[route.index()][status_index];
        let counter = cell.get_or_init(|| {
            let (method, route) = names(route);
            let status = STATUSES[status_index];
            self.requests.get_or_create_owned(&RequestLabels { method, route, status })
        });
        counter.inc();
        if let Some(took) = took {
            self.durations[route.index()].observe(took.as_secs_f64());
        }
    }

    /// Counts one request that the gate turned away.
    pub(crate) fn shed(&self, reason: Reason) {
        match reason {
            Reason::Depth => self.shed_by_depth.inc(),
            Reason::Latency => self.shed_by_latency.inc(),
        };
    }

    /// Counts one problem. In a rush it is the same few over and over: the counters of those that came first are at hand.
    pub(crate) fn problem(&self, code: &'static str) {
        let counter = || self.problems.get_or_create_owned(&CodeLabels { code });
        let mut cells = self.problem_cells.iter().map(|cell| cell.get_or_init(|| (code, counter())));
        match cells.find(|(known, _)| std::ptr::eq(*known, code)) {
            Some((_, counter)) => counter.inc(),
            None => counter().inc(),
        };
    }

    /// Counts how long a stage of an order took, if this order is one of those that are measured.
    pub(crate) fn stage(&self, stage: Stage, took: Option<Duration>) {
        let index = match stage {
            Stage::Receive => 0,
            Stage::Writer => 1,
            Stage::Answer => 2,
        };
        if let Some(took) = took {
            self.stages[index].observe(took.as_secs_f64());
        }
    }
}

/// Problems whose counters are at hand.
const PROBLEM_CELL_COUNT: usize = 8;
/// Of so many of the crowd's requests one is measured, an order stage by stage: the clock and the histograms cost a
/// tenth of an order.
const MEASURED_ONE_IN: u32 = 16;

thread_local! {
    static SEEN: Cell<u32> = const { Cell::new(0) };
}

/// Whether the next request of the crowd is one of those that are measured.
pub(crate) fn is_measured() -> bool {
    let seen = SEEN.get();
    SEEN.set(seen.wrapping_add(1));
    seen.is_multiple_of(MEASURED_ONE_IN)
}

/// Measures stages one after the other.
pub(crate) struct Stopwatch(Option<Instant>);

impl Stopwatch {
    /// For what began then; `None`: it is not measured.
    pub(crate) fn new(since: Option<Instant>) -> Stopwatch {
        Stopwatch(since)
    }

    /// The time since the start or the last lap, if this one is measured.
    pub(crate) fn lap(&mut self) -> Option<Duration> {
        let last = self.0.as_mut()?;
        let now = Instant::now();
        Some(now - std::mem::replace(last, now))
    }
}

fn all_routes() -> [Route; Route::COUNT] {
    let mut routes = [Route::Unmatched; Route::COUNT];
    routes[..Route::ALL.len()].copy_from_slice(&Route::ALL);
    routes
}

fn names(route: Route) -> (&'static str, &'static str) {
    let method = match route {
        Route::Unmatched => "any",
        route if route.method() == http::Method::GET => "GET",
        route if route.method() == http::Method::PATCH => "PATCH",
        _ => "POST",
    };
    (method, route.path())
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

fn counter(registry: &mut Registry, name: &str, help: &str) -> Counter {
    let counter = Counter::default();
    registry.register(name, help, counter.clone());
    counter
}

fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, gauge.clone());
    gauge
}
