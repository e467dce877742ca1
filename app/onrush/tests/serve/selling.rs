//! A sale from its opening to its last unit.

use std::thread::sleep;
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::support::http::Ask;
use super::support::sale::{Shop, Units, basket, definition, order_of};
use super::support::server::House;
use super::support::until;

#[test]
fn sale_opens_by_itself_at_its_hour() {
    let house = House::new();
    let server = house.serve(&[]);
    let opens_at = SystemTime::now() + Duration::from_secs(2);
    let mut body = definition("noon", 10, 600);
    body["opens_at"] = json!(jiff::Timestamp::try_from(opens_at).unwrap().to_string());
    let shop = Shop::announce(&house, &server, ("noon", &body));
    let token = house.token("ada");
    let early = shop.buy(&token, ("k", 1));
    // A machine that stood still for two seconds may have missed the time before.
    if SystemTime::now() < opens_at {
        let early = early.expect(409);
        assert_eq!(early.code(), "sale_not_open");
        assert!(early.json()["opens_at"].as_str().unwrap().ends_with('Z'), "{early:?}");
    }
    let order = until("the opening", || Some(shop.buy(&token, ("k", 1))).filter(|reply| reply.status == 201));
    assert!(SystemTime::now() >= opens_at, "{order:?}");
    until("the page to say so", || {
        let page = server.ask(&Ask::get("/v1/sales/noon")).expect(200).json();
        (page["status"] == "open").then_some(())
    });
    server.stop();
}

#[test]
fn hold_ends_and_its_unit_is_sold_again() {
    let house = House::new();
    let server = house.serve(&[]);
    let shop = Shop::open(&house, &server, ("one", &definition("one", 1, 1)));
    let (ada, bob) = (house.token("ada"), house.token("bob"));
    let first = shop.buy(&ada, ("k", 1)).expect(201);
    let second =
        until("the hold's end", || Some(shop.buy(&bob, ("k", 1))).filter(|reply| reply.status == 201));
    let order = order_of(&first.json());
    assert_ne!(order, order_of(&second.json()));
    assert_eq!(shop.look(&ada, &order)["state"], "expired");
    // The first answer again, though the order has gone on since.
    assert_eq!(shop.buy(&ada, ("k", 1)).expect(201).body, first.body);
    let pay = shop.act(&ada, (&order, "pay")).expect(409);
    assert_eq!((pay.json()["from"].clone(), pay.code()), (json!("expired"), "order_state".to_owned()));
    server.stop();
}

#[test]
fn hold_is_extended_once() {
    let house = House::new();
    let server = house.serve(&[]);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 1, 600)));
    let ada = house.token("ada");
    let first = shop.buy(&ada, ("k", 1)).expect(201).json();
    let path = format!("/v1/orders/{}/extend", order_of(&first));
    let extend = |key: &str| server.ask(&Ask::post(&path).bearer(&ada).key(key));
    // Two requests may fit into the millisecond in which holds end.
    sleep(Duration::from_millis(2));
    let extended = extend("e").expect(200).json();
    assert!(extended["expires_at"].as_str().unwrap() > first["expires_at"].as_str().unwrap(), "{extended}");
    assert_eq!(extend("e").expect(200).json()["expires_at"], extended["expires_at"], "the same key");
    assert_eq!(extend("f").expect(409).code(), "hold_already_extended");
    server.stop();
}

// covers: I1, I3
#[test]
fn sold_out_is_said_while_a_known_key_still_gets_its_order() {
    let house = House::new();
    let server = house.serve(&[]);
    let shop = Shop::open(&house, &server, ("two", &definition("two", 2, 600)));
    let (ada, bob) = (house.token("ada"), house.token("bob"));
    let first = shop.buy(&ada, ("k", 2)).expect(201);
    let refused = shop.buy(&bob, ("k", 1)).expect(409);
    assert_eq!((refused.code(), refused.json()["left"].clone()), ("stock_exhausted".to_owned(), json!(0)));
    assert_eq!(shop.buy(&ada, ("k", 2)).expect(201).body, first.body);
    assert_eq!(shop.buy(&ada, ("k", 1)).expect(409).code(), "idempotency_key_reused");
    assert_eq!(shop.buy(&ada, ("other", 1)).expect(409).code(), "stock_exhausted");
    let full = Units { stock: 2, held: 2, ..Units::default() };
    assert_eq!(shop.stock().0, full);
    // A refusal binds no key: the same one gets its unit once there is one.
    shop.act(&ada, (&order_of(&first.json()), "cancel")).expect(200);
    shop.buy(&bob, ("k", 1)).expect(201);
    server.stop();
}

#[test]
fn sale_is_paused_resumed_stocked_up_and_closed() {
    let house = House::new();
    let server = house.serve(&[]);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 1, 600)));
    let ada = house.token("ada");
    let step = |verb: &str| shop.organise(&Ask::post(&format!("/v1/sales/gig/{verb}"))).expect(200);
    let stock = |change: i32| {
        let ask = Ask::post("/v1/sales/gig/items/ga/stock").key(&format!("s{change}"));
        shop.organise(&ask.json(&json!({"change": change})))
    };
    step("pause");
    assert_eq!(shop.buy(&ada, ("k", 1)).expect(409).code(), "sale_paused");
    step("resume");
    shop.buy(&ada, ("k", 1)).expect(201);
    stock(5).expect(200);
    stock(-2).expect(200);
    assert_eq!(shop.stock().0, Units { stock: 6, free: 3, held: 1, paid: 0, withdrawn: 2 });
    let cached = server.ask(&Ask::get("/v1/sales/gig"));
    let etag = cached.header("etag").expect("pages have one").to_owned();
    server.ask(&Ask::get("/v1/sales/gig").header("If-None-Match", &etag)).expect(304);
    step("close");
    server.ask(&Ask::get("/v1/sales/gig").header("If-None-Match", &etag)).expect(200);
    assert_eq!(shop.buy(&ada, ("l", 1)).expect(409).code(), "sale_closed");
    assert_eq!(shop.organise(&Ask::post("/v1/sales/gig/open")).expect(409).code(), "sale_state");
    server.ask(&shop.order(&ada, ("k", &basket(1)))).expect(201);
    server.stop();
}
