//! One of the clients: asks at random, asks again until it is answered, and writes down what it was told about which
//! item, and when.

use std::io;
use std::sync::atomic::Ordering;

use fastrand::Rng;
use payments::Signer;
use serde_json::{Value, json};

use crate::crowd::{Crowd, ITEMS, Known, Tried, UNIT_PRICE};
use crate::history::{NOWHERE, Recorded};
use crate::model::{Answer, Call, Levels, Money, Number, Operation, OrderState};
use crate::support::http::{Ask, Connection, Reply};
use crate::support::sale::order_of;

/// Payments that may come for one order.
const PAYMENT_COUNT: u8 = 3;

/// A client of one buyer; several act for the same.
pub(crate) struct Client<'a> {
    crowd: &'a Crowd<'a>,
    buyer: usize,
    rng: Rng,
    /// The server's life that it speaks to, and the connection.
    line: Option<(u64, Connection)>,
    /// By item.
    recorded: Vec<(usize, Recorded)>,
}

impl<'a> Client<'a> {
    pub(crate) fn new(crowd: &'a Crowd<'a>, buyer: usize, rng: Rng) -> Client<'a> {
        Client { crowd, buyer, rng, line: None, recorded: Vec::new() }
    }

    /// Asks so many times.
    pub(crate) fn run(mut self, ask_count: usize) -> Vec<(usize, Recorded)> {
        for _ in 0..ask_count {
            match self.rng.u8(0..20) {
                0..=7 => self.place_anew(),
                8..=9 => self.place_again(),
                10..=12 => self.with_order(Client::cancel),
                13..=15 => self.with_order(Client::pay),
                16..=17 => self.with_order(Client::look),
                18 => self.look_at_levels(),
                _ => self.change_stock(),
            }
            self.crowd.answered.fetch_add(1, Ordering::Relaxed);
        }
        self.recorded
    }

    fn place_anew(&mut self) {
        let key = self.crowd.next_key.fetch_add(1, Ordering::Relaxed);
        let tried = Tried { item: self.some_item(), key, quantity: self.rng.u32(1..=2) };
        self.crowd.tried[self.buyer].lock().push(tried);
        self.place(tried);
    }

    /// A key that this buyer used just now, perhaps on another connection that still waits; seldom for something else.
    fn place_again(&mut self) {
        let tried = {
            let all = self.crowd.tried[self.buyer].lock();
            let newest = &all[all.len().saturating_sub(4)..];
            if newest.is_empty() { None } else { Some(newest[self.rng.usize(..newest.len())]) }
        };
        if let Some(tried) = tried {
            let quantity = if self.rng.u8(0..5) == 0 { 3 - tried.quantity } else { tried.quantity };
            self.place(Tried { quantity, ..tried });
        }
    }

    fn place(&mut self, tried: Tried) {
        let Tried { item, key, quantity } = tried;
        let call = Call::Place { buyer: number(self.buyer), key, quantity };
        let body = json!({"lines": [{"item": ITEMS[item], "quantity": quantity}]});
        let path = format!("/v1/sales/{}/orders", self.crowd.sale);
        let ask = Ask::post(&path).bearer(self.token()).key(&self.key_of(&key.to_string())).json(&body);
        let crowd = self.crowd;
        let buyer = self.buyer;
        self.keep_asking(
            (item, call),
            || ask.clone(),
            |reply| match reply.status {
                201 => {
                    let order = reply.json();
                    assert_eq!(
                        (&order["state"], &order["lines"][0]["quantity"]),
                        (&json!("held"), &json!(quantity))
                    );
                    let known = crowd.number_of(&order_of(&order));
                    crowd.learn(buyer, Known { item, order: known, code: order_of(&order).into(), quantity });
                    Answer::Placed(known)
                }
                _ => refused(reply),
            },
        );
    }

    /// Something about an order of this buyer that somebody was told of.
    fn with_order(&mut self, act: impl FnOnce(&mut Client<'a>, Known)) {
        let known = {
            let all = self.crowd.known[self.buyer].lock();
            if all.is_empty() { None } else { Some(all[self.rng.usize(..all.len())].clone()) }
        };
        if let Some(known) = known {
            act(self, known);
        }
    }

    fn cancel(&mut self, known: Known) {
        let ask = Ask::post(&format!("/v1/orders/{}/cancel", known.code)).bearer(self.token());
        let call = Call::Cancel { order: known.order };
        self.ask_anew((known.item, call), &ask, |reply| match reply.status {
            200 => Answer::State(state(&reply.json()["state"])),
            _ => refused(reply),
        });
    }

    fn pay(&mut self, known: Known) {
        let payment = self.rng.u8(..PAYMENT_COUNT);
        let body = json!({
            "payment": payment_name(known.order, payment), "order": &*known.code,
            "amount": UNIT_PRICE * u64::from(known.quantity), "currency": "EUR", "result": "succeeded",
        });
        let call = Call::Pay { order: known.order, payment };
        let signer: &Signer = &self.crowd.signer;
        let ask = || {
            // Signed anew for every attempt: a signature is good for some minutes only.
            let now = u64::try_from(jiff::Timestamp::now().as_millisecond()).expect("after 1970");
            let signature = signer.sign(body.to_string().as_bytes(), domain::UnixMs(now));
            Ask::post("/v1/payments/simulator/callback").header("Onrush-Signature", &signature).json(&body)
        };
        self.keep_asking((known.item, call), ask, |reply| match reply.status {
            200 => Answer::State(state(&reply.json()["state"])),
            _ => refused(reply),
        });
    }

    fn look(&mut self, known: Known) {
        let ask = Ask::get(&format!("/v1/orders/{}", known.code)).bearer(self.token());
        let call = Call::Look { order: known.order };
        self.ask_anew((known.item, call), &ask, |reply| match reply.status {
            200 => Answer::Order(money(known.order, &reply.json())),
            _ => refused(reply),
        });
    }

    fn look_at_levels(&mut self) {
        let ask = Ask::get(&format!("/v1/sales/{}/stock", self.crowd.sale));
        let item = self.some_item();
        self.ask_anew((item, Call::LookAtLevels), &ask, |reply| {
            assert_eq!(reply.status, 200, "{reply:?}");
            Answer::Levels(levels(&reply.json()["items"][item]))
        });
    }

    /// The organiser's keys are few, so that some of them come twice.
    fn change_stock(&mut self) {
        let (item, key) = (self.some_item(), self.rng.u32(..24));
        let change = if key % 3 == 0 { -1 } else { 1 };
        let path = format!("/v1/sales/{}/items/{}/stock", self.crowd.sale, ITEMS[item]);
        let key_of_item = self.key_of(&format!("{}-{key}", ITEMS[item]));
        let ask = Ask::post(&path).bearer(&self.crowd.admin_key).key(&key_of_item);
        let ask = ask.json(&json!({"change": change}));
        self.keep_asking(
            (item, Call::ChangeStock { key, change }),
            || ask.clone(),
            |reply| match reply.status {
                200 => Answer::Levels(levels(&reply.json())),
                _ => refused(reply),
            },
        );
    }

    /// Asks what counts once however often it is asked: one operation, from the first attempt to the answer.
    fn keep_asking(
        &mut self,
        (item, call): (usize, Call),
        ask: impl Fn() -> Ask,
        read: impl FnOnce(&Reply) -> Answer,
    ) {
        let called_at = self.crowd.now();
        let mut attempt_count = 1;
        let reply = loop {
            if let Ok(reply) = self.attempt(&ask()) {
                break reply;
            }
            attempt_count += 1;
        };
        self.write_down((item, call), called_at, (&reply, read));
        if attempt_count > 1 && matches!(call, Call::Pay { .. }) {
            // The position is that of the order's last change, not of what the first attempt came to.
            self.recorded.last_mut().expect("just written").1.position = NOWHERE;
        }
    }

    /// Asks what has no key: every attempt is an operation of its own. One that was not answered happened or not, and
    /// counts as going on for good.
    fn ask_anew(&mut self, (item, call): (usize, Call), ask: &Ask, read: impl FnOnce(&Reply) -> Answer) {
        let mut unanswered = Vec::new();
        loop {
            let called_at = self.crowd.now();
            if let Ok(reply) = self.attempt(ask) {
                self.write_down((item, call), called_at, (&reply, read));
                break;
            }
            unanswered.push(called_at);
        }
        // A question that was not answered tells nothing and changes nothing.
        if matches!(call, Call::Cancel { .. }) {
            let operation = Operation { call, answer: None };
            let forever =
                |called_at| Recorded { operation, called_at, answered_at: u64::MAX, position: NOWHERE };
            self.recorded.extend(unanswered.into_iter().map(|called_at| (item, forever(called_at))));
        }
    }

    fn write_down(
        &mut self,
        (item, call): (usize, Call),
        called_at: u64,
        (reply, read): (&Reply, impl FnOnce(&Reply) -> Answer),
    ) {
        let answered_at = self.crowd.now();
        let position = reply.json()["seq"].as_u64().unwrap_or(NOWHERE);
        let operation = Operation { call, answer: Some(read(reply)) };
        self.recorded.push((item, Recorded { operation, called_at, answered_at, position }));
    }

    /// One attempt. An error means that the server was killed.
    fn attempt(&mut self, ask: &Ask) -> io::Result<Reply> {
        self.connect();
        let (life, connection) = self.line.as_mut().expect("just connected");
        let reply = connection.ask(ask);
        if reply.is_err() {
            self.crowd.door.is_gone(*life);
        }
        reply
    }

    /// Connects to the server that lives; a line to one that was killed is given up.
    fn connect(&mut self) {
        loop {
            let (life, address) = self.crowd.door.enter();
            if self.line.as_ref().is_some_and(|(known, _)| *known == life) {
                return;
            }
            match Connection::open(address) {
                Ok(connection) => self.line = Some((life, connection)),
                Err(_) => self.crowd.door.is_gone(life),
            }
        }
    }

    /// A key is good for one request in all sales, so rounds must not share any.
    fn key_of(&self, name: &str) -> String {
        format!("{}-{name}", self.crowd.sale)
    }

    fn token(&self) -> &'a str {
        &self.crowd.tokens[self.buyer]
    }

    /// A quarter of all goes to the first item.
    fn some_item(&mut self) -> usize {
        if self.rng.u8(0..4) == 0 { 0 } else { self.rng.usize(1..ITEMS.len()) }
    }
}

fn refused(reply: &Reply) -> Answer {
    let problem = reply.json();
    let field = |name: &str| u32::try_from(problem[name].as_u64().expect("a number")).expect("it fits");
    match reply.code().as_str() {
        "stock_exhausted" => Answer::SoldOut { left: field("left") },
        "buyer_limit_reached" => Answer::LimitReached { taken: field("taken") },
        "idempotency_key_reused" => Answer::KeyReused,
        "order_state" => Answer::RefusedIn(state(&problem["from"])),
        "order_not_found" => Answer::NotFound,
        _ => panic!("{reply:?}"),
    }
}

fn state(name: &Value) -> OrderState {
    match name.as_str() {
        Some("held") => OrderState::Held,
        Some("paid") => OrderState::Paid,
        Some("cancelled") => OrderState::Cancelled,
        Some("refunding") => OrderState::Refunding,
        _ => panic!("no order of this test is {name}"),
    }
}

fn money(order: Number, seen: &Value) -> Money {
    let which =
        |id: &Value| (0..PAYMENT_COUNT).find(|payment| *id == payment_name(order, *payment)).expect("ours");
    let payment = seen["payment"]["id"].is_string().then(|| which(&seen["payment"]["id"]));
    let surplus = seen["surplus_payments"].as_array().into_iter().flatten();
    let surplus = surplus.map(|surplus| 1 << which(&surplus["id"])).fold(0, |all, one: u8| {
        assert_eq!(all & one, 0, "one payment is counted twice: {seen}");
        all | one
    });
    Money { state: state(&seen["state"]), payment, surplus }
}

fn payment_name(order: Number, payment: u8) -> String {
    format!("p{payment}-{order}")
}

fn levels(seen: &Value) -> Levels {
    let of = |name: &str| u32::try_from(seen[name].as_u64().expect("a number")).expect("it fits");
    Levels {
        stock: of("stock"),
        free: of("free"),
        held: of("held"),
        paid: of("paid"),
        withdrawn: of("withdrawn"),
    }
}

fn number(buyer: usize) -> Number {
    Number::try_from(buyer).expect("a few")
}
