//! Receipts from outside: given over HTTP, checked and told by the commands.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use serde_json::json;

use super::support::http::Ask;
use super::support::onrush::{run, run_well, tokens};
use super::support::sale::{Shop, basket, definition, order_of};
use super::support::server::House;
use super::support::until;

/// Clients of the test with a kill, and orders that each would place.
const CLIENT_COUNT: usize = 4;
const ORDER_COUNT_MAX: u32 = 2_000;
/// Acknowledged orders before the kill, and receipts that are checked at most: each is a process.
const ORDER_COUNT_BEFORE_KILL: u64 = 150;
const CHECK_COUNT_MAX: usize = 200;

fn verify(receipt: &str, data: &Path) -> (Option<i32>, String) {
    let ran = run(&["verify", receipt, data.to_str().unwrap()]);
    (ran.status.code(), ran.stdout + &ran.stderr)
}

#[track_caller]
fn assert_in_journal(receipt: &str, data: &Path, words: &str) {
    let (code, text) = verify(receipt, data);
    assert_eq!(code, Some(0), "{receipt}: {text}");
    assert!(text.starts_with("IN THE JOURNAL") && text.contains(words), "{words} is not in {text}");
}

// covers: I5
#[test]
fn receipt_of_every_answer_verifies_while_the_server_runs_and_after_a_restart() {
    let house = House::new();
    let data = house.data();
    let server = house.serve(&[]);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 3, 600)));
    let (ada, eve) = (house.token("ada"), house.token("eve"));
    let first = shop.buy(&ada, ("k", 2)).expect(201);
    let order = order_of(&first.json());
    let again = shop.buy(&ada, ("k", 2)).expect(201);
    assert_eq!(first.body, again.body, "the same key, the same answer");
    let look = server.ask(&Ask::get(&format!("/v1/orders/{order}")).bearer(&ada)).expect(200);
    let extended =
        server.ask(&Ask::post(&format!("/v1/orders/{order}/extend")).bearer(&ada).key("e")).expect(200);
    let cancelled = shop.act(&ada, (&order, "cancel")).expect(200);
    let told = [
        (&first, "buyer ada asked for 2 × ga at 1200 in gig"),
        (&again, "buyer ada asked for 2 × ga"),
        (&look, "buyer ada asked for 2 × ga"),
        (&extended, "the buyer asked for more time"),
        (&cancelled, "the buyer cancelled order"),
    ];
    let told = told.map(|(reply, words)| (reply.header("onrush-receipt").unwrap().to_owned(), words));
    told.iter().for_each(|(receipt, words)| assert_in_journal(receipt, &data, words));
    // What changed nothing has none: refused by the writer, and by the edge alone.
    let refused = shop.buy(&eve, ("k", 4)).expect(409);
    shop.buy(&eve, ("all", 3)).expect(201);
    let sold_out = shop.buy(&eve, ("more", 1)).expect(409);
    for reply in [&refused, &sold_out] {
        assert_eq!(reply.header("onrush-receipt"), None, "{reply:?}");
    }
    server.stop();
    told.iter().for_each(|(receipt, words)| assert_in_journal(receipt, &data, words));
    let server = house.serve(&[]);
    told.iter().for_each(|(receipt, words)| assert_in_journal(receipt, &data, words));
    server.stop();
}

#[test]
fn one_changed_digit_is_refused_wherever_it_stands() {
    let house = House::new();
    let server = house.serve(&[]);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 30, 600)));
    let ada = house.token("ada");
    shop.buy(&ada, ("k0", 1)).expect(201);
    let receipt = shop.buy(&ada, ("k1", 1)).expect(201).header("onrush-receipt").unwrap().to_owned();
    shop.buy(&ada, ("k2", 1)).expect(201);
    let parts: Vec<&str> = receipt.split('-').collect();
    // Shard, order code, record, tip, chain.
    for changed_part in 1..parts.len() {
        let mut changed: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        let last = changed[changed_part].pop().unwrap();
        changed[changed_part].push(if last == '1' { '2' } else { '1' });
        let (code, text) = verify(&changed.join("-"), &house.data());
        assert_eq!(code, Some(1), "{changed:?}: {text}");
        assert!(text.starts_with("NOT IN THE JOURNAL"), "{text}");
    }
    assert_eq!(verify("r1-0-nothing", &house.data()).0, Some(2));
    assert_eq!(verify(&receipt, Path::new("/nowhere")).0, Some(2));
    assert_in_journal(&receipt, &house.data(), "buyer ada asked for 1 × ga");
    // Another installation's journal, however alike.
    let other = House::new();
    let second = other.serve(&[]);
    drop(Shop::open(&other, &second, ("gig", &definition("gig", 30, 600))));
    assert_eq!(verify(&receipt, &other.data()).0, Some(1));
    second.stop();
    server.stop();
}

// covers: I5
#[test]
fn receipt_of_every_acknowledged_order_verifies_after_a_kill() {
    let house = House::new();
    let data = house.data();
    let server = house.serve(&["journal.segment_size_bytes=1048576"]);
    drop(Shop::open(&house, &server, ("gig", &definition("gig", 1_000_000, 600))));
    let address = server.address;
    let acknowledged = AtomicU64::new(0);
    let all = tokens(&data, "buyer", u32::try_from(CLIENT_COUNT).unwrap());
    let buy = |token: String| {
        let mut receipts = Vec::new();
        let Ok(mut connection) = super::support::http::Connection::open(address) else { return receipts };
        for number in 0..ORDER_COUNT_MAX {
            let ask = Ask::post("/v1/sales/gig/orders").bearer(&token).key(&format!("k{number}"));
            let Ok(reply) = connection.ask(&ask.json(&basket(1))) else { break };
            receipts.push(reply.expect(201).header("onrush-receipt").unwrap().to_owned());
            acknowledged.fetch_add(1, Ordering::Relaxed);
        }
        receipts
    };
    let receipts: Vec<String> = thread::scope(|scope| {
        let buy = &buy;
        let clients: Vec<_> = all.into_iter().map(|token| scope.spawn(move || buy(token))).collect();
        until("enough orders", || {
            (acknowledged.load(Ordering::Relaxed) >= ORDER_COUNT_BEFORE_KILL).then_some(())
        });
        server.kill();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert!(receipts.len() as u64 >= ORDER_COUNT_BEFORE_KILL);
    // The last ones of each client are those that a kill could have lost; the newest tip commits to all before.
    let step = receipts.len().div_ceil(CHECK_COUNT_MAX);
    let mut checked: Vec<&String> = receipts.iter().step_by(step).collect();
    let tip = |receipt: &&String| receipt.split('-').nth(4).unwrap().parse::<u64>().unwrap();
    checked.extend(receipts.iter().max_by_key(tip));
    checked.iter().for_each(|receipt| assert_in_journal(receipt, &data, "asked for 1 × ga"));
    let server = house.serve(&[]);
    checked.iter().take(10).for_each(|receipt| assert_in_journal(receipt, &data, "asked for 1 × ga"));
    server.stop();
}

#[test]
fn explain_tells_the_story_beside_a_running_server() {
    let house = House::new();
    let data = house.data().display().to_string();
    let server = house.serve(&[]);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 5, 600)));
    let ada = house.token("ada");
    let order = order_of(&shop.buy(&ada, ("k", 2)).expect(201).json());
    shop.act(&ada, (&order, "cancel")).expect(200);
    shop.organise(&Ask::post("/v1/sales/gig/items/ga/stock").json(&json!({"change": 7}))).expect(200);
    for words in [["--order", &order], ["--buyer", "ada"]] {
        let told = run_well(&["explain", words[0], words[1], &data]);
        for part in [
            "buyer ada asked for 2 × ga",
            "free 5 → 3, held 0 → 2",
            "the buyer cancelled order",
            "was cancelled",
        ] {
            assert!(told.contains(part), "{part} is not in {told}");
        }
    }
    let told = run_well(&["explain", "--item", "gig/ga", &data]);
    assert!(told.contains("stock 5 → 12") && told.contains("had stock 12 = free 12"), "{told}");
    let nobody = run(&["explain", "--buyer", "eve", &data]);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(nobody.stderr.contains("proves only that nothing was sold"), "{nobody:?}");
    assert_eq!(run(&["explain", &data]).status.code(), Some(2), "about whom?");
    server.stop();
}

#[test]
fn damaged_journal_names_the_repair_and_starts_after_it() {
    let house = House::new();
    let data = house.data().display().to_string();
    let server = house.serve(&[]);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 50, 600)));
    let ada = house.token("ada");
    let orders: Vec<String> = (0..10)
        .map(|number| order_of(&shop.buy(&ada, (&format!("k{number}"), 1)).expect(201).json()))
        .collect();
    server.kill();
    let segment = house.data().join("shard-0000/journal-00000000000000000001.seg");
    let mut bytes = std::fs::read(&segment).unwrap();
    let blocks: Vec<usize> =
        (0..bytes.len()).step_by(4096).filter(|at| bytes[*at..].starts_with(b"ONRBLOCK")).collect();
    // The fourth block from the end: the orders in it and behind it are lost.
    let at = blocks[blocks.len() - 4];
    bytes[at + 140] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let refused = super::support::onrush::ran(house.command(&[]).output().unwrap());
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains(&format!("`onrush journal repair {data}`")), "{refused:?}");
    let shown = run(&["journal", "repair", &data]);
    assert_eq!(shown.status.code(), Some(1), "{shown:?}");
    assert!(shown.stdout.contains("3 orders that buyers were told of"), "{shown:?}");
    let repaired = run_well(&["journal", "repair", &data, "--confirm", &at.to_string()]);
    assert!(repaired.contains("kept: damaged-") && repaired.contains("starts again"), "{repaired}");
    let server = house.serve(&[]);
    for (number, order) in orders.iter().enumerate() {
        let status = if number < 6 { 200 } else { 404 };
        server.ask(&Ask::get(&format!("/v1/orders/{order}")).bearer(&ada)).expect(status);
    }
    server.stop();
}
