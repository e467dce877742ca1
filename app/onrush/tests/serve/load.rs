//! `onrush load` against a real server.

use serde_json::Value;

use super::support::onrush::{Ran, run};
use super::support::sale::{Shop, definition};
use super::support::server::{House, Server};

/// Calls `onrush load` with these words and the server's address; what it said, and its report.
fn load(house: &House, server: &Server, path: &str, words: &[&str]) -> (Ran, Value) {
    let (url, file) = (format!("http://{}{path}", server.address), house.beside("load.json"));
    let fixed =
        ["load", "--url", &url, "--json", file.to_str().unwrap(), "--warm-up", "0s", "--connections", "4"];
    let ran = run(&[&fixed, words].concat());
    let json = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    (ran, json.unwrap_or_default())
}

// covers: I1, I2
#[test]
fn load_orders_as_many_different_buyers_as_it_sends() {
    let house = House::new();
    let server = house.serve(&[]);
    let mut body = definition("gig", 50, 600);
    body["limits"] = serde_json::json!({"per_buyer": 1});
    let shop = Shop::open(&house, &server, ("gig", &body));
    let data = house.data().display().to_string();
    let orders = ["--sale", "gig", "--item", "ga", "--data", &data, "--closed", "--requests"];
    let (ran, json) = load(&house, &server, "", &[&orders[..], &["40"]].concat());
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!((&json["statuses"]["201"], &json["whole_run"]["sent"]), (&40.into(), &40.into()), "{json}");
    assert!(ran.stdout.contains("statuses   201: 40") && ran.stdout.ends_with("\nvalid\n"), "{}", ran.stdout);
    // Other buyers come in the next run, each over a connection of their own.
    let (ran, json) = load(&house, &server, "", &[&orders[..], &["30", "--new-connections"]].concat());
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!((&json["statuses"]["201"], &json["statuses"]["409"]), (&10.into(), &20.into()), "{json}");
    assert_eq!((shop.stock().0.free, shop.stock().0.held), (0, 50));
    server.stop();
}

#[test]
fn load_sends_any_request_at_a_rate() {
    let house = House::new();
    let server = house.serve(&[]);
    Shop::open(&house, &server, ("gig", &definition("gig", 1, 600)));
    let at_a_rate = ["--rate", "400", "--spacing", "constant", "--requests", "40"];
    let (ran, json) =
        load(&house, &server, "/v1/sales/gig", &[&at_a_rate[..], &["--header", "X-Number: {n}"]].concat());
    assert_eq!(json["statuses"]["200"], 40, "{ran:?} {json}");
    assert!(ran.stdout.contains("400 requests/s at equal gaps"), "{}", ran.stdout);
    // A machine that is busy with other tests may be too late to send: then it has to say so.
    let is_valid = json["validity"]["state"] == "valid";
    assert_eq!(
        (ran.status.code(), ran.stdout.contains("INVALID")),
        (Some(i32::from(!is_valid)), !is_valid),
        "{ran:?}"
    );
    let (ran, json) =
        load(&house, &server, "/v1/sales", &["--closed", "--requests", "8", "--body", "{\"n\":{n}}"]);
    assert_eq!(json["statuses"]["401"], 8, "nobody may make sales without a key: {ran:?}");
    server.stop();
}

#[test]
fn load_says_what_is_wrong_before_it_sends_anything() {
    let house = House::new();
    let server = house.serve(&[]);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 1, 600)));
    let data = house.data().display().to_string();
    let complaint = |path: &str, words: &[&str]| {
        let (ran, json) = load(&house, &server, path, words);
        assert!(!ran.status.success() && json.is_null(), "{words:?}: {ran:?}");
        ran.stderr
    };
    let orders = |sale: &str, item: &str| {
        complaint("", &["--closed", "--data", &data, "--sale", sale, "--item", item])
    };
    assert!(orders("gag", "ga").contains("has no sale gag"));
    assert!(orders("gig", "vip").contains("has no item vip; it has ga"));
    assert!(complaint("/v1", &["--closed", "--sale", "gig", "--item", "ga"]).contains("address alone"));
    assert!(complaint("", &["--sale", "gig"]).contains("--item"));
    assert!(complaint("", &[]).contains("--rate"), "a pace has to be chosen");
    assert!(complaint("", &["--closed", "--rate", "5"]).contains("cannot be used with"));
    assert!(complaint("", &["--closed", "--threads", "5"]).contains("5 threads cannot share 4 connections"));
    assert!(complaint("", &["--closed", "--duration", "30"]).contains("30s"));
    let https = run(&["load", "--closed", "--url", "https://127.0.0.1/"]);
    assert!(https.stderr.contains("no TLS"), "{https:?}");
    assert_eq!(shop.stock().0.free, 1);
    server.stop();
}
