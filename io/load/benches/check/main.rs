//! Is the generator right, and how much can it do? Run it on a quiet machine with two cores; it needs `wrk` and
//! `taskset`. The server gets the first core, the generator and wrk the second:
//!
//! ```text
//! taskset -c 1 cargo bench --profile dist -p load
//! ```
//!
//! - *speed*: requests/s in a closed loop over 64 connections against ready-made answers, beside wrk, A B B A.
//! - *delay*: the mean latency against a server that answers after exactly so long, beside that and beside wrk. Waking
//!   up costs some 0.1 ms, which is real, so that short delays agree with wrk only.
//! - *stall*: an open loop against a server that stands still for a second. With `S` the stall and `T` the run, a part
//!   `(S − x) / T` of all requests waits longer than `x`; so the percentiles are known.
#![allow(clippy::print_stdout, reason = "a benchmark prints")]

mod server;
mod wrk;

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use load::{Pace, Plan, Report, Spacing, Template, Watch, run};

use server::Conduct;

const SERVER_CORE: &str = "0";
const CONNECTION_COUNT: usize = 64;
const TOLERANCE: f64 = 0.01;
const STALL_RATE: u32 = 400;
const STALL: Duration = Duration::from_secs(1);
const STALL_RUN: Duration = Duration::from_secs(5);

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            speed()?;
            delays()?;
            stall()
        }
        ["speed"] => speed(),
        ["delay"] => delays(),
        ["stall"] => stall(),
        ["serve", delay_us, stall_at, stall_ms] => {
            let stall = (stall_at.parse()?, Duration::from_millis(stall_ms.parse()?));
            let delay = Duration::from_micros(delay_us.parse()?);
            server::serve(Conduct { delay, stall: Some(stall).filter(|(number, _)| *number > 0) })
        }
        _ => bail!("say nothing, or one of: speed, delay, stall"),
    }
}

fn speed() -> anyhow::Result<()> {
    let server = Running::start(Conduct::default())?;
    println!("speed: closed loop, {CONNECTION_COUNT} connections, the server on core {SERVER_CORE}");
    let plan = Plan { duration: Duration::from_secs(3), ..Plan::closed(server.address) };
    for is_ours in [true, false, false, true] {
        if is_ours {
            let report = get(&plan)?;
            println!("  load {}", figures(&report));
        } else {
            println!("  wrk  {}", wrk::run(server.address, CONNECTION_COUNT, plan.duration)?.text);
        }
    }
    Ok(())
}

fn delays() -> anyhow::Result<()> {
    for delay_ms in [2, 20, 50, 100] {
        let delay = Duration::from_millis(delay_ms);
        let server = Running::start(Conduct { delay, ..Conduct::default() })?;
        println!("delay: {delay_ms} ms");
        let closed = Plan { duration: Duration::from_secs(2), ..Plan::closed(server.address) };
        let pace = Pace::Open { rate_per_second: 500, spacing: Spacing::Poisson, seed: 1 };
        let open = Plan { pace, ..closed.clone() };
        let (closed_report, open_report) = (get(&closed)?, get(&open)?);
        let wrk = wrk::run(server.address, CONNECTION_COUNT, closed.duration)?;
        println!("  load, closed: {}", figures(&closed_report));
        println!("  load, open: {}", figures(&open_report));
        println!("  wrk: {}", wrk.text);
        let known_ms = delay.as_secs_f64() * 1e3;
        compare("closed, mean, ms; the delay", closed_report.latency_us.mean / 1e3, known_ms);
        compare("open, mean, ms; the delay", open_report.latency_us.mean / 1e3, known_ms);
        compare("closed, mean, ms; wrk's", closed_report.latency_us.mean / 1e3, wrk.mean_ms);
    }
    Ok(())
}

fn stall() -> anyhow::Result<()> {
    println!("stall: {STALL_RATE} requests/s for {STALL_RUN:?}, the server stands still for {STALL:?}");
    let stall = Some((u64::from(STALL_RATE) * 2, STALL));
    let server = Running::start(Conduct { stall, ..Conduct::default() })?;
    let pace = Pace::Open { rate_per_second: STALL_RATE, spacing: Spacing::Constant, seed: 1 };
    let plan = Plan { pace, warm_up: Duration::ZERO, duration: STALL_RUN, ..Plan::closed(server.address) };
    let report = get(&plan)?;
    println!("  load, open: {}", figures(&report));
    let expected = |part: f64| STALL.as_secs_f64() - (1.0 - part) * STALL_RUN.as_secs_f64();
    compare("p90, ms", report.latency_us.p90 / 1e3, expected(0.90) * 1e3);
    compare("p99, ms", report.latency_us.p99 / 1e3, expected(0.99) * 1e3);
    compare("max, ms", report.latency_us.max / 1e3, STALL.as_secs_f64() * 1e3);
    let mean = STALL.as_secs_f64() / 2.0 * STALL.as_secs_f64() / STALL_RUN.as_secs_f64();
    compare("mean, ms", report.latency_us.mean / 1e3, mean * 1e3);
    Ok(())
}

fn get(plan: &Plan) -> anyhow::Result<Report> {
    let template = Template::new("GET", "/", "127.0.0.1")?;
    Ok(run(plan, &Watch::default(), |share| template.requests(share))?)
}

fn figures(report: &Report) -> String {
    let latency = report.latency_us;
    let lag = report
        .generator
        .lag_us
        .map(|lag| format!(", late p50 {:.0} p99 {:.0} max {:.0} µs", lag.p50, lag.p99, lag.max));
    format!(
        "{:.0} requests/s, p50 {:.3} ms, p99 {:.3} ms, generator {:.0} % of a core{}, {:?}, {} failed",
        report.requests_per_second,
        latency.p50 / 1e3,
        latency.p99 / 1e3,
        report.generator.cpu_share * 100.0,
        lag.unwrap_or_default(),
        report.validity,
        report.errors.sum(),
    )
}

fn compare(what: &str, found: f64, known: f64) {
    let off = found / known - 1.0;
    let verdict = if off.abs() <= TOLERANCE { "ok" } else { "OFF" };
    println!("    {what}: {found:.3}, known {known:.3}: {:+.2} % {verdict}", off * 100.0);
}

/// A server on a core of its own; ended when dropped.
struct Running {
    child: Child,
    address: SocketAddr,
}

impl Running {
    fn start(conduct: Conduct) -> anyhow::Result<Running> {
        let (stall_at, stall) = conduct.stall.unwrap_or_default();
        let numbers =
            [conduct.delay.as_micros(), stall_at.into(), stall.as_millis()].map(|number| number.to_string());
        let mut command = Command::new("taskset");
        command.args(["-c", SERVER_CORE]).arg(std::env::current_exe()?).arg("serve").args(numbers);
        let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start taskset")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("the output is piped")).read_line(&mut line)?;
        let address = line.trim().parse().context("the server did not start")?;
        Ok(Running { child, address })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // If it has ended already, that is what was wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
