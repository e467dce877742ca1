//! Who may not, and what cannot be meant: a clear answer, and no unit moves.

use serde_json::{Value, json};

use super::support::http::{Ask, Reply};
use super::support::onrush::run_well;
use super::support::sale::{Shop, Units, basket, definition, order_of};
use super::support::server::House;
use super::support::until;

#[test]
fn foreign_order_is_as_if_it_were_not_there() {
    let house = House::new();
    let server = house.serve(&[]);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 5, 600)));
    let (ada, eve) = (house.token("ada"), house.token("eve"));
    let order = order_of(&shop.buy(&ada, ("k", 1)).expect(201).json());
    let path = format!("/v1/orders/{order}");
    let foreign = server.ask(&Ask::get(&path).bearer(&eve)).expect(404);
    let absent = server.ask(&Ask::get("/v1/orders/0000000000000000").bearer(&eve)).expect(404);
    assert_eq!((foreign.code(), &foreign.body), ("order_not_found".to_owned(), &absent.body));
    for verb in ["pay", "cancel"] {
        assert_eq!(shop.act(&eve, (&order, verb)).expect(404).code(), "order_not_found");
    }
    shop.buy(&eve, ("k", 1)).expect(201);
    assert_eq!(shop.look(&ada, &order)["state"], "held");
    assert_eq!(
        server.ask(&Ask::post("/v1/sales").bearer(&ada).json(&json!({}))).expect(403).code(),
        "admin_key_required"
    );
    server.ask(&Ask::get(&path)).expect(401);
    server.stop();
}

#[test]
fn expired_forged_and_foreign_tokens_are_refused() {
    let house = House::new();
    let server = house.serve(&[]);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 5, 600)));
    let good = house.token("ada");
    let mut parts: Vec<&str> = good.split('.').collect();
    let forged_claims = format!("{}.{}.{}", parts[0], "eyJzdWIiOiJldmUiLCJleHAiOjk5OTk5OTk5OTl9", parts[2]);
    // {"alg":"none"}
    parts[0] = "eyJhbGciOiJub25lIn0";
    let unsigned = format!("{}.{}.", parts[0], parts[1]);
    let data = house.data().display().to_string();
    let secret = "tokens.secret=another secret that is long enough to be one";
    let other_shop = run_well(&["token", "--data", &data, "--buyer", "ada", "--set", secret]);
    for (token, what) in [
        (forged_claims.as_str(), "other claims"),
        (&unsigned, "no signature"),
        (other_shop.trim(), "another secret"),
        ("nonsense", "nonsense"),
    ] {
        let refused = shop.buy(token, ("k", 1));
        assert_eq!((refused.status, refused.code().as_str()), (401, "token_invalid"), "{what}");
        assert!(refused.header("www-authenticate").is_some_and(|value| value.starts_with("Bearer")));
    }
    let short = run_well(&["token", "--data", &data, "--buyer", "ada", "--ttl-s", "1"]);
    let over =
        until("a token's end", || Some(shop.buy(short.trim(), ("k", 9))).filter(|reply| reply.status == 401));
    assert_eq!(over.code(), "token_expired");
    assert_eq!(shop.stock().0, Units { stock: 5, free: 5, ..Units::default() });
    server.stop();
}

#[test]
fn bodies_that_cannot_be_meant_are_refused_with_what_is_wrong() {
    let house = House::new();
    let server = house.serve(&["http.body_size_bytes_max=2048"]);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 5, 600)));
    let token = house.token("ada");
    let order = |body: &[u8]| {
        let ask = Ask::post("/v1/sales/gig/orders").bearer(&token).key("k");
        server.ask(&ask.header("Content-Type", "application/json").body(body))
    };
    let pointers = |reply: &Reply| -> Vec<Value> {
        reply.json()["errors"].as_array().unwrap().iter().map(|fault| fault["pointer"].clone()).collect()
    };
    assert_eq!(order(&[b' '; 4096]).expect(413).code(), "body_too_large");
    let plain =
        Ask::post("/v1/sales/gig/orders").bearer(&token).key("k").header("Content-Type", "text/plain");
    let plain = server.ask(&plain.body(basket(1).to_string().as_bytes())).expect(415);
    assert_eq!(plain.code(), "content_type_unsupported");
    for broken in [&b"{"[..], b"", b"\xff\xfe", b"[[[[[[[[", b"{\"lines\":[]}}"] {
        assert_eq!(order(broken).expect(400).code(), "json_malformed", "{broken:?}");
    }
    let unknown = order(br#"{"lines":[{"item":"ga","quantity":1,"price":0}],"coupon":"x"}"#).expect(422);
    assert_eq!(unknown.code(), "fields_invalid");
    let mut found = pointers(&unknown);
    found.sort_by_key(Value::to_string);
    assert_eq!(found, ["/coupon", "/lines/0/price"], "all of them at once");
    for quantity in ["0", "-1", "1.5", "\"1\"", "null", "99999999999999999999"] {
        let body = format!(r#"{{"lines":[{{"item":"ga","quantity":{quantity}}}]}}"#);
        assert_eq!(pointers(&order(body.as_bytes()).expect(422)), ["/lines/0/quantity"], "{quantity}");
    }
    assert_eq!(order(basket(6).to_string().as_bytes()).expect(409).code(), "stock_exhausted");
    assert_eq!(order(br#"{"lines":[{"item":"vip","quantity":1}]}"#).expect(404).code(), "item_not_found");
    let keyless = Ask::post("/v1/sales/gig/orders").bearer(&token).json(&basket(1));
    assert_eq!(server.ask(&keyless).expect(400).code(), "idempotency_key_missing");
    server.ask(&Ask::post("/v1/sales/none/orders").bearer(&token).key("k").json(&basket(1))).expect(404);
    assert_eq!(shop.stock().0, Units { stock: 5, free: 5, ..Units::default() });
    order(basket(5).to_string().as_bytes()).expect(201);
    server.stop();
}

#[test]
fn callback_without_the_right_signature_is_not_believed() {
    let house = House::new();
    let server = house.serve(&super::support::server::WITH_SIMULATOR);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 1, 600)));
    let token = house.token("ada");
    let order = order_of(&shop.buy(&token, ("k", 1)).expect(201).json());
    let body =
        json!({"payment": "p", "order": order, "amount": 1_200, "currency": "EUR", "result": "succeeded"});
    let ask = Ask::post("/v1/payments/simulator/callback");
    server.ask(&ask.clone().json(&body)).expect(401);
    let now = jiff::Timestamp::now().as_second();
    let signed = format!("t={now},v1={}", "0".repeat(64));
    server.ask(&ask.header("Onrush-Signature", &signed).json(&body)).expect(401);
    server.ask(&Ask::post("/v1/payments/nobody/callback").json(&body)).expect(404);
    assert_eq!(shop.look(&token, &order)["state"], "held");
    server.stop();
}
