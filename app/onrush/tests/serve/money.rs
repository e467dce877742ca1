//! Paying, paying late, and giving back.

use domain::UnixMs;
use payments::Signer;
use serde_json::{Value, json};

use super::support::http::{Ask, Reply};
use super::support::sale::{Shop, Units, definition, order_of};
use super::support::server::{House, WITH_SIMULATOR};
use super::support::until;

// covers: I7
#[test]
fn order_is_paid_by_callback_and_refunded_by_hand() {
    let house = House::new();
    let server = house.serve(&WITH_SIMULATOR);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 2, 600)));
    let ada = house.token("ada");
    let order = order_of(&shop.buy(&ada, ("k", 2)).expect(201).json());
    let asked = shop.act(&ada, (&order, "pay")).expect(202).json();
    assert_eq!((&asked["state"], &asked["payment"]["provider"]), (&json!("held"), &json!("simulator")));
    let paid = shop.becomes(&ada, (&order, "paid"));
    assert_eq!(paid["payment"]["id"], asked["payment"]["id"]);
    assert_eq!(shop.stock().0, Units { stock: 2, paid: 2, ..Units::default() });
    shop.act(&ada, (&order, "pay")).expect(200);
    assert_eq!(shop.act(&ada, (&order, "cancel")).expect(409).code(), "order_state");

    let state = |body: Value| shop.refund(&order, &body).expect(200).json()["state"].clone();
    assert_eq!(state(json!({"step": "start"})), "refunding");
    assert_eq!(state(json!({"step": "failed"})), "paid", "it has its units still");
    assert_eq!(state(json!({"step": "start"})), "refunding");
    assert_eq!(state(json!({"step": "succeeded"})), "refunded");
    let again = shop.refund(&order, &json!({"step": "start"})).expect(409);
    assert_eq!(again.code(), "order_state");
    server.stop();
    let server = house.serve(&WITH_SIMULATOR);
    let shop = Shop { server: &server, admin_key: house.admin_key(), sale: "gig" };
    assert_eq!(shop.look(&ada, &order)["state"], "refunded");
    let (units, _) = shop.stock();
    assert_eq!(units, Units { stock: 2, free: 2, ..Units::default() }, "on sale again");
    server.stop();
}

#[test]
fn failed_payment_leaves_the_hold_and_may_be_tried_again() {
    let house = House::new();
    let settings = [&WITH_SIMULATOR[..], &["payments.simulator.fail_percent=100"]].concat();
    let server = house.serve(&settings);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 1, 600)));
    let ada = house.token("ada");
    let order = order_of(&shop.buy(&ada, ("k", 1)).expect(201).json());
    for attempt in 1..=2 {
        shop.act(&ada, (&order, "pay")).expect(202);
        let seen = until("the callback", || {
            Some(shop.look(&ada, &order)).filter(|seen| seen["payments_failed"] == attempt)
        });
        assert_eq!(seen["state"], "held");
    }
    server.stop();
}

// covers: I4, I7
#[test]
fn late_payment_gets_its_unit_if_it_is_free_and_its_money_back_if_not() {
    let house = House::new();
    let server = house.serve(&BY_HAND);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 2, 1)));
    let (ada, bob, cid) = (house.token("ada"), house.token("bob"), house.token("cid"));
    let lucky = order_of(&shop.buy(&ada, ("k", 1)).expect(201).json());
    let unlucky = order_of(&shop.buy(&bob, ("k", 1)).expect(201).json());
    shop.becomes(&ada, (&lucky, "expired"));
    shop.becomes(&bob, (&unlucky, "expired"));
    let paid = call_back(&house, &shop, (&lucky, "p-ada", 1_200)).expect(200);
    assert_eq!(paid.json()["state"], "paid", "its unit was still free");
    let again = call_back(&house, &shop, (&lucky, "p-ada", 1_200)).expect(200);
    assert_eq!(again.body, paid.body, "the same payment counts once");

    shop.organise(&Ask::new("PATCH", "/v1/sales/gig").json(&json!({"hold_ttl_seconds": 600}))).expect(200);
    let last = order_of(&shop.buy(&cid, ("k", 1)).expect(201).json());
    call_back(&house, &shop, (&unlucky, "p-bob", 1_200)).expect(200);
    let seen = shop.look(&bob, &unlucky);
    assert_eq!(
        (&seen["state"], &seen["refund_cause"]),
        (&json!("refunding"), &json!("paid_late_stock_taken"))
    );
    let done = shop.refund(&unlucky, &json!({"step": "succeeded"})).expect(200).json();
    assert_eq!(done["state"], "refunded");

    assert_eq!(call_back(&house, &shop, (&last, "p-1", 1)).expect(409).code(), "amount_mismatch");
    call_back(&house, &shop, (&last, "p-1", 1_200)).expect(200);
    call_back(&house, &shop, (&last, "p-2", 1_200)).expect(200);
    let surplus = &shop.look(&cid, &last)["surplus_payments"];
    assert_eq!(*surplus, json!([{"id": "p-2", "amount": 1_200, "returned": false}]), "paid twice");
    shop.refund(&last, &json!({"step": "succeeded", "payment": "p-2"})).expect(200);
    let seen = shop.look(&cid, &last);
    assert_eq!((&seen["state"], &seen["surplus_payments"][0]["returned"]), (&json!("paid"), &json!(true)));
    assert_eq!(shop.stock().0, Units { stock: 2, paid: 2, ..Units::default() });
    server.stop();
}

/// The simulator never calls back: the test does.
const BY_HAND: [&str; 3] = [WITH_SIMULATOR[0], WITH_SIMULATOR[1], "payments.simulator.never_percent=100"];

/// A provider's word that a payment came, signed with the folder's secret.
#[track_caller]
fn call_back(house: &House, shop: &Shop<'_>, (order, payment, amount): (&str, &str, u64)) -> Reply {
    let body = json!({
        "payment": payment, "order": order, "amount": amount, "currency": "EUR", "result": "succeeded",
    });
    let secret = std::fs::read_to_string(house.data().join("secrets/payments.key")).unwrap();
    let now = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap();
    let signer = Signer::new(secret.trim().as_bytes()).unwrap();
    let signature = signer.sign(body.to_string().as_bytes(), UnixMs(now));
    let ask = Ask::post("/v1/payments/simulator/callback");
    shop.server.ask(&ask.header("Onrush-Signature", &signature).json(&body))
}

#[test]
fn without_a_provider_paying_is_answered_and_nothing_is_lost() {
    let house = House::new();
    let server = house.serve(&[]);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 1, 600)));
    let ada = house.token("ada");
    let order = order_of(&shop.buy(&ada, ("k", 1)).expect(201).json());
    let refused = shop.act(&ada, (&order, "pay")).expect(503);
    assert_eq!(refused.code(), "payment_provider_missing");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(shop.look(&ada, &order)["state"], "held");
    server.stop();
}
