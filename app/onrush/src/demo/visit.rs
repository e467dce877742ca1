//! What one buyer does, from the arrival until they have bought or given up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::json;

use super::crowd::Crowd;
use super::ledger::Key;
use super::plan::{Conduct, Visitor};
use super::wire::{OrderAnswer, Problem};
use crate::client::{Ask, Reply};

/// How long a buyer takes to read and click.
const THINK_MS: std::ops::Range<u64> = 50..300;
/// How long somebody who was refused stays away before the next try.
const AWAY_MS: std::ops::Range<u64> = 500..2_500;
/// How soon somebody who came too early tries again after the opening.
const OPENING_MS: std::ops::Range<u64> = 0..250;
/// How many units people want.
const QUANTITIES: [u16; 10] = [1, 1, 1, 1, 2, 2, 2, 2, 3, 4];
/// How often a payment is tried for one order.
const PAYMENT_COUNT_MAX: u32 = 3;
/// How often, and for how long, the payment page asks what became of a payment.
const PAYMENT_LOOK_PAUSE: Duration = Duration::from_millis(200);
const PAYMENT_LOOK_COUNT_MAX: u32 = 4;
/// A key without an answer is sent again so often.
const REPEAT_COUNT_MAX: u32 = 10;

/// The buyer's name of that number: short enough to be read in the journal.
pub(crate) fn buyer_name(number: u32) -> String {
    format!("buyer-{number:07}")
}

/// The idempotency key as it is sent: no two sales of one installation share one.
pub(crate) fn key_text(sale: &str, attempt: u32) -> String {
    format!("{sale}/{attempt}")
}

/// One buyer's visit: arrives at `at`, buys or gives up.
pub(crate) async fn visit(crowd: Arc<Crowd>, number: u32, visitor: Visitor, at: Instant) {
    crowd.ledger.lock().counts.arrived += 1;
    let token = crowd.issuer.issue(&buyer_name(number));
    let random = fastrand::Rng::with_seed(visitor.seed);
    let mut buyer = Buyer {
        random,
        token,
        key: Key { buyer: number, attempt: 0 },
        clicks_twice: visitor.clicks_twice,
        conduct: visitor.conduct,
        waits: false,
        repeats: 0,
        basket: None,
        crowd,
    };
    let mut intended = at;
    while let Next::ComeBack(at) = buyer.try_to_buy(intended).await {
        if !buyer.crowd.wait_until(at).await {
            return;
        }
        buyer.crowd.ledger.lock().counts.came_back += 1;
        intended = at;
    }
}

enum Next {
    Leave,
    ComeBack(Instant),
}

/// What became of a click.
enum Click {
    Held(OrderAnswer),
    Refused(String),
    Busy(Duration),
    /// No answer: the order may or may not be there, so the same key asks again.
    Unknown,
}

struct Buyer {
    crowd: Arc<Crowd>,
    random: fastrand::Rng,
    token: String,
    key: Key,
    clicks_twice: bool,
    conduct: Conduct,
    /// Has a place among those who wait for units that come back.
    waits: bool,
    repeats: u32,
    /// What the current key asks for: the same until it is answered.
    basket: Option<Bytes>,
}

impl Buyer {
    async fn try_to_buy(&mut self, intended: Instant) -> Next {
        let basket = match self.basket.clone() {
            Some(basket) => basket,
            None => self.choose(),
        };
        self.basket = Some(basket.clone());
        let click = self.click(&basket, intended).await;
        if matches!(click, Click::Held(_) | Click::Refused(_)) {
            self.basket = None;
            self.repeats = 0;
        }
        let next = match click {
            Click::Held(order) => self.use_order(&order).await,
            Click::Refused(code) => self.reconsider(&code),
            Click::Busy(pause) => Next::ComeBack(Instant::now() + pause),
            Click::Unknown => self.repeat(),
        };
        if self.basket.is_none() {
            self.key.attempt += 1;
        }
        next
    }

    /// Sends the order; the same one twice at once if this buyer is like that and it is the first.
    async fn click(&self, basket: &Bytes, intended: Instant) -> Click {
        if !(self.clicks_twice && self.key.attempt == 0 && self.repeats == 0) {
            return self.send_order(basket, intended).await;
        }
        self.crowd.ledger.lock().counts.keys_clicked_twice += 1;
        let clicks = tokio::join!(self.send_order(basket, intended), self.send_order(basket, intended));
        match clicks {
            (held @ Click::Held(_), _) | (_, held @ Click::Held(_)) => held,
            // One click without an answer may have brought the order: the key has to be asked again.
            (unsure @ (Click::Unknown | Click::Busy(_)), _) | (_, unsure) => unsure,
        }
    }

    async fn send_order(&self, basket: &Bytes, intended: Instant) -> Click {
        let sale = &self.crowd.offer.sale;
        let reply = self.post(&format!("/v1/sales/{sale}/orders"), "", basket.clone()).await;
        let mut ledger = self.crowd.ledger.lock();
        let Ok(reply) = reply else {
            ledger.counts.unanswered += 1;
            return Click::Unknown;
        };
        ledger.answered(intended);
        if reply.status.is_success() {
            return match reply.json::<OrderAnswer>() {
                Ok(order) => {
                    ledger.acknowledged(self.key, &order);
                    Click::Held(order)
                }
                Err(_) => {
                    ledger.fault("an acknowledgement that cannot be read");
                    Click::Refused("unreadable".to_owned())
                }
            };
        }
        if let Some(pause) = put_off(&reply) {
            ledger.counts.put_off += 1;
            return Click::Busy(pause);
        }
        let code = problem_code(&reply);
        ledger.refused(&code);
        if !is_expected(&code) {
            ledger.fault(&format!("an order was answered {} {code}", reply.status.as_u16()));
        }
        Click::Refused(code)
    }

    /// Somebody who was refused thinks about coming back.
    fn reconsider(&mut self, code: &str) -> Next {
        match code {
            "sale_not_open" => {
                let opening = self.crowd.offer.opening.max(Instant::now());
                Next::ComeBack(opening + self.pause(OPENING_MS))
            }
            "stock_exhausted" => {
                self.waits = self.waits || self.crowd.may_wait();
                if self.waits { self.come_back() } else { self.give_up() }
            }
            _ => self.give_up(),
        }
    }

    fn repeat(&mut self) -> Next {
        self.repeats += 1;
        if self.repeats > REPEAT_COUNT_MAX {
            return self.give_up();
        }
        Next::ComeBack(Instant::now() + self.pause(THINK_MS))
    }

    fn give_up(&self) -> Next {
        self.crowd.ledger.lock().counts.gave_up += 1;
        Next::Leave
    }

    fn come_back(&mut self) -> Next {
        Next::ComeBack(Instant::now() + self.pause(AWAY_MS))
    }

    /// Does with an order what this buyer is like. Who had one may always wait for the next.
    async fn use_order(&mut self, order: &OrderAnswer) -> Next {
        self.waits = true;
        match std::mem::replace(&mut self.conduct, Conduct::Pays) {
            Conduct::Pays => match self.pay(order).await {
                true => Next::Leave,
                false => self.come_back(),
            },
            Conduct::Cancels => {
                self.think().await;
                self.act(order, "cancel", 0).await;
                self.come_back()
            }
            Conduct::NeverPays => {
                Next::ComeBack(Instant::now() + self.crowd.offer.hold + self.pause(AWAY_MS))
            }
        }
    }

    /// Pays, and again if it failed, while the order may still be paid. True when it is paid.
    async fn pay(&mut self, order: &OrderAnswer) -> bool {
        let mut payments_failed = 0;
        for attempt in 0..PAYMENT_COUNT_MAX {
            self.think().await;
            self.act(order, "pay", attempt).await;
            for _ in 0..PAYMENT_LOOK_COUNT_MAX {
                self.crowd.clock.at(Instant::now() + PAYMENT_LOOK_PAUSE).await;
                let Some(now) = self.look(order).await else { continue };
                match now.state.as_str() {
                    "paid" => return true,
                    "held" if now.payments_failed > payments_failed => {
                        payments_failed = now.payments_failed;
                        break;
                    }
                    "held" => {}
                    _ => return false,
                }
            }
        }
        // The money may still come, after the hold: then the order is paid late, or the money goes back.
        false
    }

    /// The order as it is now; `None` when it could not be read.
    async fn look(&self, order: &OrderAnswer) -> Option<OrderAnswer> {
        let path = format!("/v1/orders/{}", order.order);
        let reply =
            self.crowd.client.ask(&Ask { bearer: Some(&self.token), ..Ask::get(&path) }).await.ok()?;
        let answer: OrderAnswer = reply.status.is_success().then(|| reply.json().ok()).flatten()?;
        self.crowd.ledger.lock().seen(&answer);
        Some(answer)
    }

    /// Does something with an order. Whether it worked shows when the order is looked at.
    async fn act(&self, order: &OrderAnswer, what: &str, attempt: u32) {
        let path = format!("/v1/orders/{}/{what}", order.order);
        let reply = self.post(&path, &format!("/{what}/{attempt}"), Bytes::from_static(b"{}")).await;
        let Ok(reply) = reply else { return };
        let mut ledger = self.crowd.ledger.lock();
        if reply.status.is_success() {
            if let Ok(answer) = reply.json::<OrderAnswer>() {
                ledger.seen(&answer);
            }
        } else if reply.status.is_server_error() && put_off(&reply).is_none() {
            ledger.fault(&format!("{what} was answered {}", reply.status.as_u16()));
        }
    }

    async fn post(&self, path: &str, key_suffix: &str, body: Bytes) -> anyhow::Result<Reply> {
        let key = key_text(&self.crowd.offer.sale, self.key.attempt) + key_suffix;
        let (bearer, key) = (Some(self.token.as_str()), Some(key.as_str()));
        self.crowd.client.ask(&Ask { method: Method::POST, path, bearer, key, body: Some(body) }).await
    }

    async fn think(&mut self) {
        let until = Instant::now() + self.pause(THINK_MS);
        self.crowd.clock.at(until).await;
    }

    fn pause(&mut self, range_ms: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.random.u64(range_ms))
    }

    /// A basket: what the buyer came for, or, after a refusal, what the page says there is.
    fn choose(&mut self) -> Bytes {
        let crowd = Arc::clone(&self.crowd);
        let items = &crowd.offer.items;
        let is_first = self.key.attempt == 0;
        let free = if is_first { Vec::new() } else { self.free() };
        let has_free = free.iter().any(|free| *free > 0);
        let weights = if has_free { free } else { items.iter().map(|item| item.stock).collect() };
        let index = self.draw(&weights);
        let left = if has_free { weights[index] } else { u32::MAX };
        let wanted = QUANTITIES[self.random.usize(0..QUANTITIES.len())].min(items[index].quantity_max);
        let quantity = u32::from(wanted).min(left);
        let mut lines = vec![json!({ "item": items[index].code, "quantity": quantity })];
        // One in ten takes something of another tier too.
        if is_first && items.len() > 1 && self.random.u8(0..10) == 0 {
            let other = &items[(index + 1) % items.len()];
            lines.push(json!({ "item": other.code, "quantity": 1 }));
        }
        Bytes::from(json!({ "lines": lines }).to_string())
    }

    /// Free units by item, as the page shows them.
    fn free(&self) -> Vec<u32> {
        let page = self.crowd.page.borrow();
        let free = |code: &str| page.items.iter().find(|levels| levels.item == code).map_or(0, |it| it.free);
        self.crowd.offer.items.iter().map(|item| free(&item.code)).collect()
    }

    /// An index, drawn by weight.
    fn draw(&mut self, weights: &[u32]) -> usize {
        let total: u64 = weights.iter().copied().map(u64::from).sum();
        let mut draw = self.random.u64(0..total.max(1));
        for (index, weight) in weights.iter().enumerate() {
            match draw.checked_sub(u64::from(*weight)) {
                Some(rest) => draw = rest,
                None => return index,
            }
        }
        0
    }
}

/// When to come back, if the server was too busy to look at the request.
fn put_off(reply: &Reply) -> Option<Duration> {
    let busy = matches!(reply.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    busy.then(|| reply.retry_after.unwrap_or(Duration::from_secs(1)))
}

fn problem_code(reply: &Reply) -> String {
    reply.json::<Problem>().map_or_else(|_| "no_code".to_owned(), |problem| problem.code)
}

/// Refusals that the plan brings about. Any other means that client and server misunderstand each other.
fn is_expected(code: &str) -> bool {
    matches!(code, "stock_exhausted" | "sale_not_open" | "buyer_limit_reached")
}
