//! One buyer's orders, identical and different, on many connections and pipelined: exactly the limit succeeds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::instant::{Packet, race};
use crate::support::http::Reply;
use crate::support::onrush;
use crate::support::sale::{Shop, basket, definition};
use crate::support::server::{House, verified};

const ROUND_COUNT: u32 = 1_000;
const LANE_COUNT: usize = 4;
const KEY_COUNT: usize = 5;
/// So often each key is sent, over all lanes.
const REPEAT_COUNT: usize = 3;
const LIMIT: usize = 3;

// covers: I2, I3
#[test]
fn exactly_the_limit_succeeds_of_orders_that_arrive_in_the_same_instant() {
    let mut rng = crate::rng();
    let house = House::new();
    let server = house.serve(&[]);
    let mut body = definition("limit", 100_000, 3_600);
    body["limits"] = json!({"per_buyer": LIMIT});
    let shop = Shop::open(&house, &server, ("limit", &body));
    let mut lanes: [Vec<Packet>; LANE_COUNT] = Default::default();
    let mut keys: [Vec<Vec<usize>>; LANE_COUNT] = Default::default();
    for token in onrush::tokens(&house.data(), "buyer", ROUND_COUNT) {
        let mut sent: Vec<usize> = (0..KEY_COUNT * REPEAT_COUNT).map(|number| number % KEY_COUNT).collect();
        rng.shuffle(&mut sent);
        for (lane, sent) in sent.chunks(sent.len().div_ceil(LANE_COUNT)).enumerate() {
            let ask = |key: &usize| shop.order(&token, (&format!("k-{key}"), &basket(1)));
            lanes[lane].push(Packet { at: None, asks: sent.iter().map(ask).collect() });
            keys[lane].push(sent.to_vec());
        }
    }
    let replies = race(&server, lanes);
    for round in 0..ROUND_COUNT as usize {
        let told = (0..LANE_COUNT)
            .flat_map(|lane| keys[lane][round].iter().copied().zip(replies[lane][round].iter()));
        check_round(round, told);
    }
    let (orders, units) = shop.books();
    let sold = ROUND_COUNT as usize * LIMIT;
    assert_eq!((orders.len(), units.held), (sold, sold as u64));
    server.stop();
    assert!(verified(&house.data()).ends_with("clean\n"));
}

/// Each key has one answer, to the byte; as many keys as the limit have an order, each its own.
fn check_round<'a>(round: usize, told: impl Iterator<Item = (usize, &'a Reply)>) {
    let mut answers: BTreeMap<usize, BTreeSet<(u16, &str)>> = BTreeMap::new();
    for (key, reply) in told {
        answers.entry(key).or_default().insert((reply.status, &reply.body));
        if reply.status != 201 {
            assert_eq!((reply.status, reply.code().as_str()), (409, "buyer_limit_reached"), "round {round}");
        }
    }
    assert_eq!(answers.len(), KEY_COUNT, "every key was sent");
    assert!(answers.values().all(|same| same.len() == 1), "round {round}: {answers:?}");
    let orders: BTreeSet<&str> =
        answers.values().flatten().filter(|(status, _)| *status == 201).map(|(_, body)| *body).collect();
    let successes = answers.values().flatten().filter(|(status, _)| *status == 201).count();
    assert_eq!((successes, orders.len()), (LIMIT, LIMIT), "round {round}: {answers:?}");
}
