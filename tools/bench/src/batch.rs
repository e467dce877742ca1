//! Orders in batches, as a trusted integrator sends them, beside single orders.
//!
//! The compact form of a request, each order of one unit of one item. An Onrush without that route is not measured.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use load::{Plan, Watch};

use crate::arm::{Arm, SALE, item};
use crate::figure::{Figure, Figures};
use crate::ledger;
use crate::load::Load;
use crate::sample::settle;
use crate::series::{Bench, check_answers};
use crate::server::Server;
use crate::site::run;
use crate::stand::onrush::{House, on_data};

/// The most that one batch may have.
const ORDERS: u32 = 8_190;
/// Buyer, key, and one line.
const ORDER_SIZE_BYTES: usize = 32;
/// One batch is read while another is decided.
const CONNECTIONS: usize = 2;
const SINGLE_CONNECTIONS: u32 = 256;
const KEY: &str = "onrush_integrator_";
const CONTENT_TYPE: &str = "application/vnd.onrush.batch";

/// One round on one server.
struct Round {
    single_per_s: f64,
    batch_per_s: f64,
}

/// `batch.rate`, orders a second in batches, and `batch.ratio`, by single orders a second on the same server.
///
/// # Errors
/// When something cannot be started, or an order is missing afterwards.
pub(crate) fn figures(bench: &Bench<'_>) -> anyhow::Result<Figures> {
    if run(bench.site.command("key").arg("--help")).is_err() {
        eprintln!("this onrush has no integrators: nothing is measured");
        return Ok(Figures::new());
    }
    let mut rounds = Vec::new();
    for _ in 0..bench.settings.pairs {
        bench.wait_for_quiet()?;
        rounds.push(round(bench)?);
    }
    let figure = |value: fn(&Round) -> f64| Figure::of(rounds.iter().map(value));
    Ok([
        ("batch.rate", figure(|round| round.batch_per_s)),
        ("batch.ratio", figure(|round| round.batch_per_s / round.single_per_s)),
        ("batch.single-per-s", figure(|round| round.single_per_s)),
    ]
    .map(|(name, figure)| (name.to_owned(), figure))
    .into())
}

fn round(bench: &Bench<'_>) -> anyhow::Result<Round> {
    let mut house = House::open(bench.site, &mut bench.site.command("serve"), Arm::Order)?;
    let mut create = bench.site.command("key");
    create.args(["create", "--role", "integrator", "--data"]).arg(house.data.path());
    let created = String::from_utf8(run(&mut create)?.stdout)?;
    let key = created.split_whitespace().find(|word| word.starts_with(KEY)).context("no key was shown")?;
    // The key counts from the next start on.
    house.server.kill()?;
    let mut serve = bench.site.command("serve");
    house.server = Server::start(on_data(&mut serve, &house.data))?;
    settle(&[house.server.pid()])?;
    let single = Load::new(Arm::Order.shape().context("an order is asked for")?, SINGLE_CONNECTIONS);
    let seen = single.run(house.server.address, bench.measured("single-"))?;
    let (batches, batch_per_s) = send(house.server.address, key, bench.measured("").duration)?;
    check_answers(Arm::Order, &[&seen])?;
    let orders = seen.completed + batches * u64::from(ORDERS);
    ledger::check(Arm::Order, house.close()?, orders..=orders)?;
    Ok(Round { single_per_s: seen.requests_per_second, batch_per_s })
}

/// Sends batches for so long: how many, and the orders in them a second.
fn send(address: SocketAddr, key: &str, duration: Duration) -> anyhow::Result<(u64, f64)> {
    let plan =
        Plan { connection_count: CONNECTIONS, warm_up: Duration::ZERO, duration, ..Plan::closed(address) };
    let report = load::run(&plan, &Watch::default(), |share| {
        let (mut numbers, mut batches) = (share.numbers(), Batches::new(key));
        move |out: &mut Vec<u8>| batches.write(numbers.next().unwrap_or_default(), out)
    })?;
    let all = &report.whole_run;
    let accepted = all.statuses.get(&200).copied().unwrap_or(0);
    ensure!(accepted == all.sent && accepted > 0, "not every batch was taken: {:?}", all.statuses);
    Ok((accepted, report.requests_per_second * f64::from(ORDERS)))
}

/// Requests that differ only in whose orders they are: the generator has the same cores as the server.
struct Batches {
    request: Vec<u8>,
    /// Where the first order begins.
    orders_from: usize,
}

impl Batches {
    fn new(key: &str) -> Batches {
        let code = item(0);
        let mut body = b"ONRB".to_vec();
        for half in [1_u16, 1] {
            body.extend_from_slice(&half.to_le_bytes());
        }
        body.extend_from_slice(&ORDERS.to_le_bytes());
        body.push(u8::try_from(code.len()).expect("the benchmark's codes are short"));
        body.extend_from_slice(code.as_bytes());
        let orders_from = body.len();
        for _ in 0..ORDERS {
            // A name of fifteen bytes stands behind its length, and then the key.
            body.extend_from_slice(b"\x0fbatch0000000000\0\0\0\0\0\0\0\0");
            for half in [1_u16, 0, 0, 1] {
                body.extend_from_slice(&half.to_le_bytes());
            }
        }
        let head = format!(
            "POST /v1/orders:batch?sale={SALE} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: {CONTENT_TYPE}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let orders_from = head.len() + orders_from;
        Batches { request: [head.into_bytes(), body].concat(), orders_from }
    }

    /// Writes the batch of that number, every order of another buyer.
    fn write(&mut self, number: u64, out: &mut Vec<u8>) {
        let orders = self.request[self.orders_from..].as_chunks_mut::<ORDER_SIZE_BYTES>().0;
        for (buyer, order) in (number * u64::from(ORDERS)..).zip(orders) {
            let mut rest = buyer;
            for digit in order[6..16].iter_mut().rev() {
                *digit = b'0' + u8::try_from(rest % 10).expect("a digit");
                rest /= 10;
            }
            order[16..24].copy_from_slice(&buyer.to_le_bytes());
        }
        out.extend_from_slice(&self.request);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batch_is_as_long_as_its_format_says() {
        let (mut batches, mut request) = (Batches::new("key"), Vec::new());
        batches.write(3, &mut request);
        let body =
            request.split_off(request.len() - 12 - 1 - item(0).len() - ORDER_SIZE_BYTES * ORDERS as usize);
        assert!(request.ends_with(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes()));
        let order = &body[12 + 1 + item(0).len()..][..ORDER_SIZE_BYTES];
        assert_eq!(order[..16], *b"\x0fbatch0000024570");
        assert_eq!(order[16..24], 24_570_u64.to_le_bytes());
        assert_eq!(order[24..], [1, 0, 0, 0, 0, 0, 1, 0]);
    }
}
