//! Starting, stopping, refusing to start.

use std::fs;

use super::support::http::{Ask, Connection};
use super::support::onrush::{command, ran, run, run_well};
use super::support::sale::{Shop, basket, definition};
use super::support::server::{House, verified};
use super::support::until;

#[test]
fn sigterm_answers_what_is_in_flight_takes_a_snapshot_and_ends_with_0() {
    let house = House::new();
    let server = house.serve(&[]);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 10, 600)));
    let token = house.token("ada");
    // Half of an order is there when the word comes; the other half follows.
    let body = basket(1).to_string();
    let ask = shop.order(&token, ("k", &basket(1)));
    let mut connection = server.connect();
    connection.send(&ask.head()).unwrap();
    connection.send(&body.as_bytes()[..10]).unwrap();
    // The server has read the head once it answers a request that came after it on the same thread; which
    // thread that is nobody knows, so several ask.
    for _ in 0..64 {
        shop.stock();
    }
    drop(shop);
    server.terminate();
    server.says("stopping");
    connection.send(&body.as_bytes()[10..]).unwrap();
    let first = connection.reply().unwrap().expect(201);
    assert!(connection.rest().unwrap().is_empty(), "closed after the answer");
    let address = server.address;
    let (status, log) = server.ended();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("took a snapshot") && log.contains("stopped"), "{log}");
    assert!(Connection::open(address).is_err(), "nobody listens any more");
    assert!(verified(&house.data()).contains("snapshot: sound"));
    let server = house.serve(&[]);
    assert!(server.log().contains("tail_fact_count=0"), "all of it is in the snapshot: {}", server.log());
    assert_eq!(server.ask(&ask.body(body.as_bytes())).expect(201).body, first.body);
    server.stop();
}

#[test]
fn second_process_on_the_same_folder_is_refused() {
    let house = House::new();
    let server = house.serve(&[]);
    let refused = ran(house.command(&[]).output().unwrap());
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains("is in use by another process"), "{refused:?}");
    assert!(refused.stderr.contains(&server.child.id().to_string()), "it says which: {refused:?}");
    assert!(refused.stdout.is_empty());
    server.ask(&Ask::get("/v1/sales")).expect(200);
    server.stop();
    // The lock is the process's, not a file's.
    house.serve(&[]).kill();
    house.serve(&[]).stop();
}

#[test]
fn address_of_another_server_is_refused_and_the_key_is_shown_by_the_start_that_works() {
    let (house, other) = (House::new(), House::new());
    let server = house.serve(&[]);
    for key in ["listen", "admin_listen"] {
        let taken = if key == "listen" { server.address } else { server.admin_address };
        let mut words = other.words(&[]);
        let place = words.iter().position(|word| *word == format!("--{}", key.replace('_', "-"))).unwrap();
        words[place + 1] = taken.to_string();
        let refused = run(&words.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        assert!(refused.stderr.contains(&format!("cannot listen on {taken}")), "{refused:?}");
        assert!(refused.stdout.is_empty(), "{refused:?}");
    }
    server.ask(&Ask::get("/v1/sales")).expect(200);
    let second = other.serve(&[]);
    assert!(other.admin_key().starts_with("onrush_admin_"));
    second.stop();
    server.stop();
}

#[test]
fn wrong_values_and_unknown_keys_are_refused_all_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("onrush.toml");
    fs::write(&file, "io_threads = 9999\n[tokens]\nalgo = \"HS256\"\n").unwrap();
    let data = folder.path().join("data");
    let mut command = command(&["serve", "--config", file.to_str().unwrap(), "--set", "shards=none"]);
    command.args(["--data", data.to_str().unwrap()]).env("ONRUSH_LOG_LEVEL", "loud");
    let refused = ran(command.output().unwrap());
    assert_eq!(refused.status.code(), Some(1));
    for word in [
        "`io_threads` is \"9999\", and must be a whole number from 0 to 256",
        "there is no key `tokens.algo`; do you mean `tokens.alg`?",
        "environment ONRUSH_LOG_LEVEL: `log.level` is \"loud\", and must be one of error, warn, info, debug, trace",
        "command line: `shards` is \"none\", and must be a whole number from 1 to 1,024",
        file.to_str().unwrap(),
    ] {
        assert!(refused.stderr.contains(word), "{word} is not in {}", refused.stderr);
    }
    assert!(!data.exists(), "nothing is made before the configuration is right");
}

#[test]
fn config_print_shows_where_each_value_came_from() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("onrush.toml");
    fs::write(&file, "io_threads = 3\n[http]\nidle_timeout_ms = 1000\n").unwrap();
    let mut command =
        command(&["config", "print", "--config", file.to_str().unwrap(), "--set", "log.level=warn"]);
    let printed = ran(command.env("ONRUSH_HTTP_IDLE_TIMEOUT_MS", "2000").output().unwrap());
    assert!(printed.status.success(), "{printed:?}");
    let line = |key: &str| {
        let begin = format!("{key} = ");
        printed
            .stdout
            .lines()
            .find(|line| line.starts_with(&begin))
            .unwrap_or_else(|| panic!("{key}: {printed:?}"))
    };
    assert!(line("shards").contains("= 1 ") && line("shards").ends_with("# default"));
    assert!(line("io_threads").contains("= 3 ") && line("io_threads").contains(file.to_str().unwrap()));
    assert!(line("idle_timeout_ms").contains("= 2000 "), "the environment is stronger than the file");
    assert!(line("idle_timeout_ms").ends_with("# environment ONRUSH_HTTP_IDLE_TIMEOUT_MS"));
    assert!(line("level").contains("\"warn\"") && line("level").contains("command line"));
}

#[test]
fn admin_listener_tells_health_readiness_and_metrics() {
    let house = House::new();
    let server = house.serve(&[]);
    assert_eq!(server.ask_admin("/healthz").expect(200).body, "alive\n");
    assert_eq!(server.ask_admin("/readyz").expect(200).body, "ready\n");
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 10, 600)));
    shop.buy(&house.token("ada"), ("k", 1)).expect(201);
    let seq = shop.stock().1;
    let counted = until("the order in the metrics", || {
        let metrics = server.ask_admin("/metrics").expect(200);
        assert!(metrics.header("content-type").unwrap().starts_with("application/openmetrics-text"));
        metrics
            .body
            .contains(&format!("onrush_journal_facts_total{{shard=\"0\"}} {seq}"))
            .then_some(metrics.body)
    });
    assert!(counted.contains("route=\"/v1/sales/{sale}/orders\",status=\"201\"} 1"), "{counted}");
    assert!(counted.ends_with("# EOF\n"));
    server.ask(&Ask::get("/metrics")).expect(404);
    server.stop();
}

#[test]
fn key_of_the_organiser_is_shown_once_and_stored_nowhere() {
    let house = House::new();
    house.serve(&[]).stop();
    let key = house.admin_key();
    let server = house.serve(&[]);
    assert_eq!(house.admin_key(), key, "the second start shows none");
    let shop = Shop { server: &server, admin_key: key.clone(), sale: "gig" };
    shop.organise(&Ask::post("/v1/sales").json(&definition("gig", 1, 60))).expect(201);
    let stored = fs::read_to_string(house.data().join("secrets/admin-keys")).unwrap();
    assert!(!stored.contains(&key) && !server.log().contains(&key));
    server.stop();
}

#[test]
fn commands_say_what_is_wrong_with_how_they_are_called() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere").display().to_string();
    let ran = run(&["token", "--data", &nowhere, "--buyer", "ada"]);
    assert!(!ran.status.success() && ran.stderr.contains("is not a data folder"), "{ran:?}");
    assert_eq!(run(&["journal", "verify", &nowhere]).status.code(), Some(2));
    assert_eq!(run(&["sell"]).status.code(), Some(2));
    assert!(run_well(&["--help"]).contains("exactly what there is"));
}

#[test]
fn room_is_made_when_units_come_on_sale_and_again_at_a_start() {
    const UNITS: u32 = 100_000;
    const ROOM_BYTES: u64 = 512 * UNITS as u64;
    let house = House::new();
    let server = house.serve(&[]);
    let before = server.memory_bytes_max();
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", UNITS, 600)));
    until("the room", || (server.memory_bytes_max() > before + ROOM_BYTES / 2).then_some(()));
    drop(shop);
    server.stop();
    let server = house.serve(&[]);
    until("the room", || (server.memory_bytes_max() > before + ROOM_BYTES / 2).then_some(()));
    server.stop();
    let server = house.serve(&["memory.ready_size_bytes_max=0"]);
    assert!(server.memory_bytes_max() < before + ROOM_BYTES / 2, "none is wanted");
    server.stop();
}
