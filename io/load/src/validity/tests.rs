use std::collections::BTreeMap;

use super::*;
use crate::plan::Plan;
use crate::report::{Errors, Generator, Lag, Latency, Totals};

/// A run of which nothing bad can be said.
fn good(plan: Plan) -> Report {
    let statuses = BTreeMap::from([(200, 10)]);
    let (sent, answered, errors) = (10, 10, Errors::default());
    Report {
        plan,
        validity: Validity::Valid,
        measured_s: 1.0,
        sent,
        answered,
        statuses: statuses.clone(),
        errors,
        latency_us: Latency { p99: 5_000.0, ..Latency::default() },
        requests_per_second: 10.0,
        queued: 0,
        queue_len_peak: 0,
        bytes_sent: 1,
        bytes_received: 1,
        generator: Generator {
            cpu_share: 0.5,
            cpu_s: 0.5,
            lag_us: Some(Lag { p99: 900.0, ..Lag::default() }),
            is_limit: false,
        },
        whole_run: Totals { sent, answered, statuses, errors, dropped: 0 },
    }
}

fn open() -> Plan {
    Plan::open(([127, 0, 0, 1], 1).into(), 10)
}

fn closed() -> Plan {
    Plan::closed(([127, 0, 0, 1], 1).into())
}

/// The reasons after `change` was made to a good run.
fn reasons(plan: Plan, change: impl FnOnce(&mut Report)) -> Vec<Reason> {
    let mut report = good(plan);
    change(&mut report);
    match Validity::of(&report) {
        Validity::Valid => Vec::new(),
        Validity::Invalid { reasons } => reasons,
    }
}

fn lag(report: &mut Report, p99: f64) {
    report.generator.lag_us = Some(Lag { p99, ..Lag::default() });
}

#[test]
fn good_runs_are_valid() {
    assert_eq!(reasons(open(), |_| {}), []);
    assert_eq!(reasons(closed(), |_| {}), []);
    assert_eq!(reasons(open(), |report| report.generator.cpu_share = CPU_SHARE_MAX), []);
}

#[test]
fn busy_generator_makes_an_open_loop_invalid_and_a_closed_one_not() {
    let busy = |report: &mut Report| report.generator.cpu_share = 0.96;
    assert_eq!(reasons(open(), busy), [Reason::Cpu { cpu_share: 0.96 }]);
    assert_eq!(reasons(closed(), busy), []);
}

#[test]
fn lag_may_be_a_millisecond_or_a_tenth_of_the_latency() {
    let late = |lag_p99_us, lag_p99_us_max| Reason::Lag { lag_p99_us, lag_p99_us_max };
    assert_eq!(reasons(open(), |report| lag(report, 1_000.0)), []);
    assert_eq!(reasons(open(), |report| lag(report, 1_001.0)), [late(1_001.0, 1_000.0)]);
    let slow = |p99: f64| {
        move |report: &mut Report| {
            report.latency_us.p99 = 50_000.0;
            lag(report, p99);
        }
    };
    assert_eq!(reasons(open(), slow(5_000.0)), []);
    assert_eq!(reasons(open(), slow(5_001.0)), [late(5_001.0, 5_000.0)]);
}

#[test]
fn one_request_that_was_not_sent_is_enough() {
    assert_eq!(reasons(open(), |report| report.whole_run.dropped = 1), [Reason::Dropped { count: 1 }]);
    assert_eq!(reasons(closed(), |report| report.whole_run.errors.local = 2), [Reason::Local { count: 2 }]);
    assert_eq!(reasons(closed(), |report| report.answered = 0), [Reason::NoAnswer]);
}

#[test]
fn reasons_are_told_in_words() {
    assert!(Reason::Cpu { cpu_share: 0.96 }.to_string().contains("96 % of a core"));
    let lag = Reason::Lag { lag_p99_us: 2_500.0, lag_p99_us_max: 1_000.0 };
    assert!(lag.to_string().contains("2.50 ms late (p99), more than 1.00 ms"));
    let json =
        serde_json::to_value(Validity::Invalid { reasons: vec![Reason::Dropped { count: 3 }] }).unwrap();
    let expected = serde_json::json!({"state": "invalid", "reasons": [{"reason": "dropped", "count": 3}]});
    assert_eq!(json, expected);
}
