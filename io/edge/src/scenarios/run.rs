//! Runs a scenario: one connection per step, the real service, raw bytes on both sides.

use std::sync::Arc;
use std::time::Instant;

use domain::{Amount, Currency, OrderCodec, PaymentId, PaymentResult, Refusal, UnixMs};
use gate::{Pressure, Round};
use payments::{CallbackError, Charge, ChargeRequest, ChargeStatus, Event, ProviderError};
use prometheus_client::registry::Registry;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::fake::{Fake, START, Trouble};
use crate::auth::{
    AdminKey, Auth, BuyerTokens, IntegratorKey, IssueKey, RoleKeys, TokenAlgorithm, TokenClaims, TokenRules,
};
use crate::backend::Unavailable;
use crate::config::Config;
use crate::conn::serve::serve;
use crate::conn::watch::{Connections, Place};
use crate::edge::{Edge, EdgeParts};
use crate::metrics::Metrics;
use crate::openapi::schema;
use crate::payments::{Charging, PaymentDesk, Payments};
use crate::receipt::Receipt;
use crate::service::Server;

const SECRET: &[u8; 32] = b"a secret only of these scenarios";
const ADMIN_KEY: &str = "onrush_admin_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const INTEGRATOR_KEY: &str = "onrush_integrator_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The whole edge over a fake backend.
pub(super) struct World {
    pub(super) fake: Fake,
    pub(super) edge: Arc<Edge<Fake>>,
    pub(super) server: Server<Fake>,
    pub(super) connections: Arc<Connections>,
}

impl World {
    pub(super) fn new(config: Config) -> World {
        World::with_desk(config, Some(desk()))
    }

    fn with_desk(config: Config, payments: Option<PaymentDesk>) -> World {
        let fake = Fake::new();
        let algorithm = TokenAlgorithm::Hs256 { secret: SECRET.to_vec() };
        let rules = TokenRules { algorithm, audience: None, issuer: None };
        let keys = RoleKeys {
            admins: vec![AdminKey::parse(ADMIN_KEY).unwrap().hash()],
            integrators: vec![IntegratorKey::parse(INTEGRATOR_KEY).unwrap().hash()],
        };
        let connections = Connections::new(config.clone());
        let edge = Arc::new(Edge::new(
            fake.clone(),
            EdgeParts {
                config,
                auth: Auth::new(BuyerTokens::new(&rules).unwrap(), keys),
                codec: OrderCodec::new([7; 16]),
                payments,
                metrics: Metrics::new(&mut Registry::default()),
            },
        ));
        World { fake, server: Server::new(edge.clone()), edge, connections }
    }

    /// A connection: the client's end, and the server's side as it lives.
    pub(super) fn connect(&self, buffer_size_bytes: usize) -> (DuplexStream, tokio::task::JoinHandle<()>) {
        let (client, stream) = duplex(buffer_size_bytes);
        let place: Place = self.connections.add(Instant::now());
        let server = self.server.clone();
        let serving = tokio::spawn(async move {
            serve(stream, &server, &place.watch).await;
            drop(place);
        });
        (client, serving)
    }

    /// Sends bytes, and reads until the server closes.
    pub(super) async fn exchange(&self, request: &[u8]) -> String {
        let (mut client, serving) = self.connect(1 << 20);
        client.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        serving.await.unwrap();
        String::from_utf8(answer).unwrap()
    }
}

pub(super) fn token(buyer: &str, valid_until: UnixMs, secret: &[u8]) -> String {
    let claims = TokenClaims { sub: buyer.into(), exp: valid_until.0 / 1_000, aud: None, iss: None };
    IssueKey::hs256(secret).unwrap().issue(&claims).unwrap()
}

/// Believes a callback whose signature is "right"; its body is `order amount result`.
struct Desk;

impl Payments for Desk {
    fn name(&self) -> &'static str {
        "desk"
    }

    fn charge(&self, request: ChargeRequest) -> Charging<'_> {
        Box::pin(async move {
            match request.amount.0 {
                0 => Err(ProviderError::Busy),
                1 => Err(ProviderError::Refused { status: 402, detail: "no".into() }),
                _ => Ok(Charge { payment: format!("p-{}", request.amount.0), status: ChargeStatus::Pending }),
            }
        })
    }

    fn verify(&self, signature: Option<&[u8]>, body: &[u8], _now: UnixMs) -> Result<Event, CallbackError> {
        match signature {
            None => return Err(CallbackError::SignatureMissing),
            Some(b"right") => {}
            Some(_) => return Err(CallbackError::SignatureMismatch),
        }
        let text = std::str::from_utf8(body).unwrap();
        let words: Vec<&str> = text.split_whitespace().collect();
        Ok(Event {
            payment: PaymentId::from_text("p-1"),
            order_code: words[0].to_owned(),
            amount: Amount(words[1].parse().unwrap()),
            currency: Currency::new("EUR").unwrap(),
            result: if words[2] == "ok" { PaymentResult::Succeeded } else { PaymentResult::Failed },
        })
    }
}

fn desk() -> PaymentDesk {
    PaymentDesk { provider: Arc::new(Desk), callback_url: "http://onrush/v1/payments/desk/callback".into() }
}

/// Runs all steps; gives the answers as they came, without their dates, and what the backend was asked.
pub(super) async fn run(scenario: &str) -> String {
    let config = Config { body_size_bytes_max: 2_000, bulk_size_bytes_max: 2_000, ..Config::default() };
    let mut world = World::new(config);
    let mut log = String::new();
    for step in scenario.split("### ").skip(1) {
        let step = Step::parse(step);
        for event in &step.events {
            happen(&mut world, event);
        }
        let answer = world.exchange(step.request(&world).as_bytes()).await;
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
        let shown: Vec<&str> = head.lines().filter(|line| !line.starts_with("date:")).collect();
        log += &format!("### {}\n{}\n", step.name, shown.join("\n"));
        if !body.is_empty() {
            log += &format!("{body}\n");
        }
        for asked in world.fake.state.lock().asked.drain(..) {
            log += &format!("asked: {asked}\n");
        }
        log += "\n";
        step.check(head, body);
    }
    log
}

/// What a step says happens before its request.
fn happen(world: &mut World, event: &str) {
    let mut state = world.fake.state.lock();
    match event.split_whitespace().collect::<Vec<_>>()[..] {
        ["clock", seconds] => state.now = UnixMs(START.0 + seconds.parse::<u64>().unwrap() * 1_000),
        ["inbox", len] => state.pressure.inbox_len = len.parse().unwrap(),
        ["stall", milliseconds] => {
            let age_us = milliseconds.parse::<u64>().unwrap() * 1_000;
            state.pressure.round = Some(Round { age_us, last_us: 250 });
        }
        ["rest"] => state.pressure = Pressure::default(),
        ["panic"] => state.trouble = Some(Trouble::Panic),
        ["stopping"] => state.trouble = Some(Trouble::Unavailable(Unavailable::Stopping)),
        ["failed"] => state.trouble = Some(Trouble::Unavailable(Unavailable::Failed)),
        ["extended"] => state.trouble = Some(Trouble::Refused(Refusal::HoldAlreadyExtended)),
        ["limit"] => {
            let refusal = Refusal::BuyerLimitReached { item: None, per_day: false, limit: 4, taken: 4 };
            state.trouble = Some(Trouble::Refused(refusal));
        }
        ["no", "payments"] => {
            drop(state);
            *world = World::with_desk(Config::default(), None);
        }
        _ => panic!("unknown event: {event}"),
    }
}

struct Step<'a> {
    name: &'a str,
    events: Vec<&'a str>,
    head: Vec<&'a str>,
    body: String,
    status: u16,
    expected: Option<&'a str>,
}

impl<'a> Step<'a> {
    fn parse(text: &'a str) -> Step<'a> {
        let (text, expected) = text.split_once("\n=> ").expect("a step says what it brings");
        let mut lines = text.lines();
        let name = lines.next().unwrap();
        let mut step =
            Step { name, events: vec![], head: vec![], body: String::new(), status: 0, expected: None };
        for line in lines.by_ref() {
            match line.strip_prefix("! ") {
                Some(event) => step.events.push(event),
                None if line.is_empty() => break,
                None => step.head.push(line),
            }
        }
        step.body = lines.collect::<Vec<_>>().join("\n");
        let mut expected = expected.split_whitespace();
        step.status = expected.next().unwrap().parse().unwrap();
        step.expected = expected.next();
        step
    }

    /// The request's bytes, with `{order1}` and so on replaced by the codes of the orders that there are.
    fn request(&self, world: &World) -> String {
        let with_codes = |mut text: String| {
            for (number, order) in world.fake.state.lock().orders.keys().enumerate() {
                let code = world.edge.codec.encode(*order);
                let place = format!("{{order{}}}", number + 1);
                text = text.replace(&place, std::str::from_utf8(&code).unwrap());
            }
            text
        };
        let body = with_codes(self.body.clone());
        let first = with_codes(self.head[0].to_owned());
        let mut request = format!("{first} HTTP/1.1\r\nhost: onrush\r\nconnection: close\r\n");
        for line in &self.head[1..] {
            match line.strip_prefix("auth: ") {
                Some(who) => request += &format!("authorization: {}\r\n", authorization(who)),
                None => request += &format!("{line}\r\n"),
            }
        }
        if !body.is_empty() {
            request += &format!("content-length: {}\r\n", body.len());
            if !self.head.iter().any(|line| line.starts_with("content-type")) {
                request += "content-type: application/json\r\n";
            }
        }
        request + "\r\n" + &body
    }

    /// Checks the status, and the code of a problem or the shape of an answer.
    fn check(&self, head: &str, body: &str) {
        let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
        assert_eq!(status, self.status, "{}: {head}\n{body}", self.name);
        let Some(expected) = self.expected else { return };
        self.check_receipt(head, body);
        if status < 400 {
            return fits(expected, body);
        }
        let problem: schema::Problem = serde_json::from_str(body).unwrap();
        assert_eq!((problem.code.as_str(), problem.status), (expected, status), "{}", self.name);
        assert!(head.contains("content-type: application/problem+json"), "{}: {head}", self.name);
        let waits = [429, 503].contains(&status);
        assert_eq!(head.contains("retry-after: "), waits, "{}: {head}", self.name);
    }

    /// Every answer about one order has a receipt of what its body says, and no other answer has one.
    fn check_receipt(&self, head: &str, body: &str) {
        let receipt = head.lines().find_map(|line| line.strip_prefix("onrush-receipt: "));
        let is_about_order = matches!(self.expected, Some("Order" | "OrderPaying" | "CallbackReceipt"));
        assert_eq!(receipt.is_some(), is_about_order, "{}: {head}", self.name);
        let Some(receipt) = receipt else { return };
        let receipt: Receipt = receipt.parse().unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["order"].as_str().map(str::as_bytes), Some(&receipt.order[..]), "{}", self.name);
        assert_eq!(body["seq"].as_u64(), Some(receipt.seq.0), "{}", self.name);
        assert!(receipt.tip.seq >= receipt.seq, "{}: {receipt}", self.name);
    }
}

fn authorization(who: &str) -> String {
    let later = UnixMs(START.0 + 86_400_000);
    let token = match who.split_once(':') {
        Some(("raw", text)) => return text.to_owned(),
        Some(("expired", buyer)) => token(buyer, START, SECRET),
        Some(("forged", buyer)) => token(buyer, later, b"another secret that is long enough"),
        Some((other, _)) => panic!("unknown authorization: {other}"),
        None if who == "organiser" => ADMIN_KEY.to_owned(),
        None if who == "integrator" => INTEGRATOR_KEY.to_owned(),
        None => token(who, later, SECRET),
    };
    format!("Bearer {token}")
}

/// Reads an answer back into the type that describes it.
fn fits(shape: &str, body: &str) {
    match shape {
        "Sale" => reads::<schema::Sale>(body),
        "SaleList" => reads::<schema::SaleList>(body),
        "Stock" => reads::<schema::Stock>(body),
        "StockReceipt" => reads::<schema::StockReceipt>(body),
        "Order" | "OrderPaying" => reads::<schema::Order>(body),
        "OrderList" => reads::<schema::OrderList>(body),
        "BulkAnswer" => body.lines().for_each(reads::<schema::BulkAnswer>),
        "CallbackReceipt" => reads::<schema::CallbackReceipt>(body),
        "Nothing" => assert_eq!(body, ""),
        other => panic!("unknown shape: {other}"),
    }
}

fn reads<T: DeserializeOwned>(body: &str) {
    serde_json::from_str::<T>(body).unwrap_or_else(|error| panic!("{error}: {body}"));
}
