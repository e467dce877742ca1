//! Two things that exclude each other, at the same time to the same order: one of them happens.
//!
//! Every round has an item of its own with one unit, so that the stock page tells the rounds apart.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, SystemTime};

use fastrand::Rng;
use serde_json::{Value, json};

use crate::instant::{Packet, race};
use crate::support::http::{Ask, Reply};
use crate::support::payment::{BY_HAND, Provider};
use crate::support::sale::{Shop, order_of};
use crate::support::server::{House, Server, verified};

const ROUND_COUNT: usize = 300;
const PRICE: u64 = 1_200;
const SALE: &str = "outcome";
/// Racers that meet an expiry come so much before or after it, at most.
const JITTER_US_MAX: i64 = 2_000;
/// Between the ends of two short holds: a round must be over before the next.
const GAP: Duration = Duration::from_millis(5);
/// Longer than it takes to place all orders.
const SHORT_TTL_SECONDS: u32 = 2;

/// A server with a sale of one unit of each item, all of them held by ada.
struct Scene {
    house: House,
    server: Server,
    ada: String,
    bob: String,
    /// The answer to each order.
    firsts: Vec<Value>,
}

// covers: I1, I6, I7
#[test]
fn cancel_against_pay_has_one_outcome() {
    let mut rng = crate::rng();
    let scene = Scene::new(3_600);
    let provider = Provider::new(&scene.house);
    let (mut cancels, mut pays) = (Vec::new(), Vec::new());
    for number in 0..ROUND_COUNT {
        let (mut cancel, mut pay) = (Packet::new(scene.act(number, "cancel")), scene.pay(&provider, number));
        // Whoever has something else to ask first comes later: else the same one would win most rounds.
        let later = if rng.bool() { &mut cancel } else { &mut pay };
        later.asks.insert(0, Ask::get(&format!("/v1/sales/{SALE}")));
        cancels.push(cancel);
        pays.push(pay);
    }
    let [cancels, pays] = race(&scene.server, [cancels, pays]);
    let levels = scene.levels();
    let mut won = BTreeMap::new();
    for number in 0..ROUND_COUNT {
        let (cancel, pay) = (cancels[number].last().unwrap(), pays[number].last().unwrap());
        assert_eq!(pay.status, 200, "money that came is never refused: {pay:?}");
        let order = scene.look(number);
        match cancel.status {
            200 => {
                assert_eq!(cancel.json()["state"], "cancelled");
                assert_eq!(
                    (&order["state"], &order["refund_cause"]),
                    (&json!("refunding"), &json!("paid_after_cancel"))
                );
                assert_eq!(levels[number], "free", "{order}");
            }
            _ => {
                assert_eq!(cancel.code(), "order_state");
                assert_eq!(order["state"], "paid");
                assert_eq!(levels[number], "paid", "{order}");
            }
        }
        *won.entry(cancel.status).or_insert(0) += 1;
    }
    println!("cancel against pay, by what the cancel was answered: {won:?}");
    scene.close();
}

// covers: I1, I4, I7
#[test]
fn expiry_against_pay_has_one_outcome() {
    let mut rng = crate::rng();
    let scene = Scene::new(SHORT_TTL_SECONDS);
    let provider = Provider::new(&scene.house);
    let (mut pays, mut rivals) = (Vec::new(), Vec::new());
    for number in 0..ROUND_COUNT {
        pays.push(Packet { at: scene.around_end(number, &mut rng), ..scene.pay(&provider, number) });
        rivals.push(Packet { at: scene.around_end(number, &mut rng), ..scene.rival(number) });
    }
    let [pays, rivals] = race(&scene.server, [pays, rivals]);
    let mut won = BTreeMap::new();
    for number in 0..ROUND_COUNT {
        let (pay, rival) = (&pays[number][0], &rivals[number][0]);
        assert_eq!(pay.status, 200, "money that came is never refused: {pay:?}");
        let order = scene.look(number);
        let has_rival_got_it = got_it(rival);
        match has_rival_got_it {
            true => assert_eq!(
                (&order["state"], &order["refund_cause"]),
                (&json!("refunding"), &json!("paid_late_stock_taken"))
            ),
            false => assert_eq!(order["state"], "paid", "{order}"),
        }
        *won.entry(has_rival_got_it).or_insert(0) += 1;
    }
    for (number, level) in scene.levels().into_iter().enumerate() {
        // The rival's hold of a second may have ended by now.
        let right =
            if got_it(&rivals[number][0]) { level == "held" || level == "free" } else { level == "paid" };
        assert!(right, "round {number}: {level}");
    }
    println!("expiry against pay, by whether a rival got the unit: {won:?}");
    scene.close();
}

// covers: I1, I4, I6
#[test]
fn expiry_against_extend_has_one_outcome() {
    let mut rng = crate::rng();
    let scene = Scene::new(SHORT_TTL_SECONDS);
    let (mut extends, mut rivals) = (Vec::new(), Vec::new());
    for number in 0..ROUND_COUNT {
        let extend = Packet::new(scene.act(number, "extend").key("e"));
        extends.push(Packet { at: scene.around_end(number, &mut rng), ..extend });
        rivals.push(Packet { at: scene.around_end(number, &mut rng), ..scene.rival(number) });
    }
    let [extends, rivals] = race(&scene.server, [extends, rivals]);
    let mut won = BTreeMap::new();
    for number in 0..ROUND_COUNT {
        let (extend, rival) = (&extends[number][0], &rivals[number][0]);
        let (order, first) = (scene.look(number), &scene.firsts[number]);
        match extend.status {
            200 => {
                assert!(!got_it(rival), "round {number}: the unit was held on, and sold: {rival:?}");
                assert!(first["expires_at"].as_str() < extend.json()["expires_at"].as_str());
                assert_eq!(order["expires_at"], extend.json()["expires_at"]);
            }
            _ => {
                assert_eq!(extend.code(), "order_state");
                assert_eq!(
                    (&order["state"], &order["expires_at"]),
                    (&json!("expired"), &first["expires_at"])
                );
            }
        }
        *won.entry((extend.status, rival.status)).or_insert(0) += 1;
    }
    println!("expiry against extend, by what extend and rival were answered: {won:?}");
    scene.close();
}

fn got_it(rival: &Reply) -> bool {
    match rival.status {
        201 => true,
        _ => {
            assert_eq!((rival.status, rival.code().as_str()), (409, "stock_exhausted"));
            false
        }
    }
}

fn basket(number: usize) -> Value {
    json!({"lines": [{"item": format!("i-{number}"), "quantity": 1}]})
}

impl Scene {
    fn new(hold_ttl_seconds: u32) -> Scene {
        let house = House::new();
        let server = house.serve(&BY_HAND);
        let item = |number| {
            let code = format!("i-{number}");
            json!({"item": code, "name": code, "unit_price": PRICE, "stock": 1})
        };
        let items: Vec<Value> = (0..ROUND_COUNT).map(item).collect();
        let body = json!({"sale": SALE, "name": "Outcome", "currency": "EUR", "hold_ttl_seconds": hold_ttl_seconds, "items": items});
        let shop = Shop::open(&house, &server, (SALE, &body));
        let (ada, bob) = (house.token("ada"), house.token("bob"));
        let mut connection = server.connect();
        let asks: Vec<Ask> = (0..ROUND_COUNT)
            .map(|number| shop.order(&ada, (&format!("k-{number}"), &basket(number))))
            .collect();
        let place = |ask: &Ask| {
            if hold_ttl_seconds == SHORT_TTL_SECONDS {
                thread::sleep(GAP);
            }
            connection.ask(ask).unwrap().expect(201).json()
        };
        let firsts = asks.iter().map(place).collect();
        Scene { house, server, ada, bob, firsts }
    }

    fn shop(&self) -> Shop<'_> {
        Shop { server: &self.server, admin_key: self.house.admin_key(), sale: SALE }
    }

    fn order(&self, number: usize) -> String {
        order_of(&self.firsts[number])
    }

    fn act(&self, number: usize, verb: &str) -> Ask {
        Ask::post(&format!("/v1/orders/{}/{verb}", self.order(number))).bearer(&self.ada)
    }

    fn pay(&self, provider: &Provider, number: usize) -> Packet {
        Packet::new(provider.paid((&self.order(number), &format!("p-{number}"), PRICE)))
    }

    /// Somebody else wants the same unit.
    fn rival(&self, number: usize) -> Packet {
        Packet::new(self.shop().order(&self.bob, (&format!("k-{number}"), &basket(number))))
    }

    fn around_end(&self, number: usize, rng: &mut Rng) -> Option<SystemTime> {
        let end: jiff::Timestamp = self.firsts[number]["expires_at"].as_str().unwrap().parse().unwrap();
        let us = end.as_microsecond() + rng.i64(-JITTER_US_MAX..=JITTER_US_MAX);
        Some(SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(us).unwrap()))
    }

    fn look(&self, number: usize) -> Value {
        self.shop().look(&self.ada, &self.order(number))
    }

    /// Where the one unit of each item is.
    fn levels(&self) -> Vec<&'static str> {
        // Adds each item up.
        self.shop().stock();
        let page = self.server.ask(&Ask::get(&format!("/v1/sales/{SALE}/stock"))).expect(200).json();
        let places = ["free", "held", "paid", "withdrawn"];
        let place = |item: &Value| places.into_iter().find(|place| item[place] == 1).unwrap();
        page["items"].as_array().unwrap().iter().map(place).collect()
    }

    fn close(self) {
        self.server.stop();
        assert!(verified(&self.house.data()).ends_with("clean\n"));
    }
}
