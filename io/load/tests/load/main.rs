//! The generator against servers whose behaviour is known. Delays have lower bounds only: a busy machine may add to
//! them, and nothing can take away from them.
#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

mod latency;
mod outcomes;
mod server;
mod sources;

use std::time::Duration;

use load::{LoadError, Pace, Plan, Report, Spacing, Template, Watch, run};

use server::Server;

/// A run of so many requests in a closed loop, none of them warm-up.
fn closed(server: &Server, request_count: u64) -> Plan {
    Plan {
        connection_count: 4,
        warm_up: Duration::ZERO,
        duration: Duration::from_secs(60),
        request_count_max: Some(request_count),
        ..Plan::closed(server.address)
    }
}

/// Half a second of requests over one connection, evenly spaced, none of them warm-up.
fn open(server: &Server, rate_per_second: u32) -> Plan {
    Plan {
        pace: Pace::Open { rate_per_second, spacing: Spacing::Constant, seed: 1 },
        connection_count: 1,
        warm_up: Duration::ZERO,
        duration: Duration::from_millis(500),
        ..Plan::closed(server.address)
    }
}

/// Sends `GET /{n}` by that plan.
fn try_get(plan: &Plan) -> Result<Report, LoadError> {
    let template = Template::new("GET", "/{n}", "test").unwrap();
    run(plan, &Watch::default(), |share| template.requests(share))
}

#[track_caller]
fn get(plan: &Plan) -> Report {
    let report = try_get(plan).unwrap();
    let totals = &report.whole_run;
    assert_eq!(
        totals.sent,
        totals.answered + totals.errors.sum(),
        "every request has one outcome: {report:?}"
    );
    report
}
