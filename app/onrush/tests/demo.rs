//! `onrush demo` from outside: small, for two seeds; and killed in the middle.
#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

mod support;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;

use support::http::{Ask, Connection};
use support::onrush::{command, run, tokens, wait};
use support::sale::{Shop, Units, order_of, units_by_state};
use support::server::{House, WITH_SIMULATOR, verified};
use support::until;

const BUYERS: &str = "2000";
const UNITS: u64 = 200;
/// The units of the demo that is killed: so many that it is far from over by then.
const UNITS_KILLED: u64 = 400;

#[test]
fn demo_holds_all_checks_and_reports_them() {
    let folder = tempfile::tempdir().unwrap();
    for seed in ["11", "12"] {
        let file = folder.path().join(format!("{seed}.json"));
        let file = file.to_str().unwrap();
        let units = UNITS.to_string();
        let sizes = ["--buyers", BUYERS, "--units", &units, "--rate", "2000", "--seed", seed];
        let ran = run(&[&["demo", "--exit", "--json", file][..], &sizes].concat());
        assert!(ran.status.success(), "seed {seed}: {} {}", ran.stdout, ran.stderr);
        let report: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        assert_report(&report);
        assert_eq!(report["seed"].to_string(), seed);
        assert!(ran.stdout.contains("200 of 200 units paid, 0 oversold, 0 stranded"), "{}", ran.stdout);
        assert!(ran.stdout.contains("checks held"), "{}", ran.stdout);
    }
}

/// The fields that scripts rely on.
#[track_caller]
fn assert_report(report: &Value) {
    let number = |name: &str| report[name].as_u64().unwrap_or_else(|| panic!("{name}: {report}"));
    assert_eq!((number("stock"), number("paid")), (UNITS, UNITS));
    for none in ["oversold", "stranded", "orders_lost", "keys_with_two_outcomes"] {
        assert_eq!(number(none), 0, "{none}");
    }
    assert!(number("orders_acknowledged") >= UNITS / 6, "an order has at most six units");
    assert_eq!(number("orders_acknowledged"), number("orders_in_journal"));
    assert!(report["refused"]["stock_exhausted"].as_u64().is_some_and(|count| count > 0), "{report}");
    assert!(report["orders_per_second"].as_f64().is_some_and(|rate| rate > 0.0), "{report}");
    for quantile in ["p50", "p99", "p999"] {
        assert!(report["latency_ms"][quantile].as_f64().is_some_and(|ms| ms > 0.0), "{report}");
    }
    let checks = report["checks"].as_array().expect("a list");
    assert!(checks.len() >= 8, "{checks:?}");
    for check in checks {
        assert!(check["name"].is_string() && check["detail"].is_string() && check["ok"] == true, "{check}");
    }
}

#[test]
fn demo_refuses_sizes_that_cannot_sell_out() {
    let ran = run(&["demo", "--exit", "--buyers", "10", "--units", "20"]);
    assert!(!ran.status.success() && ran.stderr.contains("--buyers"), "{ran:?}");
}

// covers: I1, I5
#[test]
fn killed_demo_goes_on_as_a_server_with_exact_totals() {
    let house = House::new();
    // The first start makes the folder and shows its key; the demo then runs in it.
    house.serve(&[]).stop();
    kill_in_the_middle(&house.data());
    let server = house.serve(&WITH_SIMULATOR);
    let shop = Shop { server: &server, admin_key: house.admin_key(), sale: "concert" };
    let (orders, units) = shop.books();
    assert_eq!(units.stock, UNITS_KILLED);
    assert!(units.paid > 0 && units.paid < UNITS_KILLED, "in the middle: {units:?}");
    let by_state = units_by_state(&orders);
    let of = |state: &str| by_state.get(state).copied().unwrap_or(0);
    assert_eq!((of("held"), of("paid")), (units.held, units.paid));
    sell_the_rest(&shop, &house.data());
    let (orders, units) = shop.books();
    assert_eq!(units, Units { stock: UNITS_KILLED, paid: UNITS_KILLED, ..Units::default() });
    assert_eq!(units_by_state(&orders)["paid"], UNITS_KILLED);
    server.stop();
    let text = verified(&house.data());
    assert!(text.contains(&format!(", {UNITS_KILLED} units, ")) && text.ends_with("clean\n"), "{text}");
}

/// Runs a demo on the folder until some units are paid, then SIGKILL.
fn kill_in_the_middle(data: &Path) {
    let units = UNITS_KILLED.to_string();
    let data = data.to_str().unwrap();
    // Few arrivals a second: the crowd is still coming when it ends.
    let words =
        ["demo", "--data", data, "--buyers", "20000", "--units", &units, "--rate", "100", "--seed", "5"];
    let mut child = command(&words).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let address = address(&mut child);
    until("some paid units", || {
        let mut connection = Connection::open(address).unwrap();
        let stock = connection.ask(&Ask::get("/v1/sales/concert/stock")).unwrap().expect(200).json();
        let paid: u64 = stock["items"].as_array()?.iter().filter_map(|item| item["paid"].as_u64()).sum();
        (paid > 0).then_some(())
    });
    child.kill().unwrap();
    wait(&mut child);
}

/// Where the demo's server listens, from its first line; the rest of what it prints is read and dropped.
fn address(child: &mut Child) -> SocketAddr {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next().expect("the demo says what it does").unwrap();
    std::thread::spawn(move || lines.for_each(drop));
    let url = line.split_whitespace().find_map(|word| word.strip_prefix("http://"));
    url.unwrap_or_else(|| panic!("no address: {line}")).parse().unwrap()
}

/// New buyers pay for one unit each until none is left, neither free nor held.
fn sell_the_rest(shop: &Shop<'_>, data: &Path) {
    let count = u32::try_from(3 * UNITS_KILLED).unwrap();
    let mut tokens = tokens(data, "late", count).into_iter();
    let items = ["ga", "balcony", "front"];
    until("the last unit to be paid", || {
        let (units, _) = shop.stock();
        if units.paid == units.stock {
            return Some(());
        }
        if units.free == 0 {
            return None;
        }
        let token = tokens.next().expect("three buyers for each unit");
        for item in items {
            let body = serde_json::json!({"lines": [{"item": item, "quantity": 1}]});
            let reply = shop.server.ask(&shop.order(&token, (item, &body)));
            if reply.status == 201 {
                shop.act(&token, (&order_of(&reply.json()), "pay"));
            }
        }
        None
    });
}
