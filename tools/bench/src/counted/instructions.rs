//! `bench instructions`: instructions in user space and allocations per order and per hello, counted by callgrind.
//!
//! Counted is the second half of the requests, from when the server has come to rest behind the first one until it has
//! again: neither its start nor its stop, whose last snapshot is no part of an order. Under callgrind there are no
//! instructions for SHA-256 and AVX-512: hashing counts more than it costs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::{Args, value_parser};

use super::profile::totals;
use crate::arm::Arm;
use crate::figure::{Figure, Figures};
use crate::http_client::Client;
use crate::program;
use crate::rush::CONNECTIONS;
use crate::sample::settle;
use crate::server::Server;
use crate::site::Site;
use crate::stand::onrush::House;
use crate::stand::own;

/// Orders, when nobody says otherwise.
const ORDERS: u32 = 12_800;
/// Talks to a program that runs under callgrind.
const CONTROL: &str = "callgrind_control";

/// Count instructions per order, and per hello.
#[derive(Args)]
pub(crate) struct InstructionsArgs {
    /// Orders; the second half of them is counted.
    #[arg(long, default_value_t = ORDERS, value_parser = value_parser!(u32).range(512..=1_000_000))]
    orders: u32,
    /// The program to measure; without it, the one of this profile is built and used.
    #[arg(long, value_name = "PATH")]
    bin: Option<PathBuf>,
    /// Keep what callgrind wrote about the orders, for `callgrind_annotate`.
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When something cannot be started, or an answer is not 201.
pub(crate) fn run(args: &InstructionsArgs) -> anyhow::Result<ExitCode> {
    let site = Site::new(program::measured(args.bin.as_deref(), None)?, &std::env::temp_dir())?;
    let counting = Counting::new(&site, args.orders)?;
    let hello = counting.hello()?;
    let order = counting.orders()?;
    if let Some(keep) = &args.keep {
        std::fs::copy(counting.counted(), keep)
            .with_context(|| format!("cannot write {}", keep.display()))?;
    }
    println!("per request, over {} requests:", args.orders / 2);
    for (name, (instructions, allocations)) in [("hello", hello), ("order", order)] {
        println!("{name} {instructions:8.0} instructions in user space, {allocations:.2} allocations");
    }
    Ok(ExitCode::SUCCESS)
}

/// `instructions.order`, `allocations.order`, and the same of the hello.
///
/// # Errors
/// When something cannot be started, or an answer is not 201.
pub(crate) fn figures(site: &Site, orders: u32) -> anyhow::Result<Figures> {
    let counting = Counting::new(site, orders)?;
    let hello = counting.hello()?;
    let order = counting.orders()?;
    let figures = [
        ("instructions.hello", hello.0),
        ("instructions.order", order.0),
        ("instructions.allocations-hello", hello.1),
        ("instructions.allocations-order", order.1),
    ];
    Ok(figures.map(|(name, value)| (name.to_owned(), Figure::of([value]))).into())
}

/// Instructions and allocations.
type PerRequest = (f64, f64);

/// Servers under callgrind.
struct Counting<'a> {
    site: &'a Site,
    tokens: String,
    profile: PathBuf,
}

impl<'a> Counting<'a> {
    fn new(site: &'a Site, orders: u32) -> anyhow::Result<Counting<'a>> {
        program::require(&["valgrind", CONTROL])?;
        let [tokens] = site.tokens([("counted", orders)])?;
        let profile = site.folder().join("callgrind.out");
        Ok(Counting { site, tokens: std::fs::read_to_string(tokens)?, profile })
    }

    /// A server that takes one order with each token.
    fn orders(&self) -> anyhow::Result<PerRequest> {
        let house = House::open(self.site, &mut self.site.wrapped(&self.wrapper(), "serve"), Arm::Order)?;
        let counted = self.count(&house.server, Arm::Order)?;
        let (orders, sent) = (house.close()?.orders, self.tokens.lines().count() as u64);
        ensure!(orders == sent, "{orders} orders are in the journal, {sent} were sent");
        Ok(counted)
    }

    /// The hello for the same requests.
    fn hello(&self) -> anyhow::Result<PerRequest> {
        let [valgrind, rest @ ..] = self.wrapper();
        let mut command = std::process::Command::new(valgrind);
        command.args(rest).arg(own("hello")?.get_program()).arg("hello");
        let server = Server::start(&mut command)?;
        let counted = self.count(&server, Arm::Hello)?;
        server.stop()?;
        Ok(counted)
    }

    /// Instructions and allocations for each request of the second half.
    fn count(&self, server: &Server, arm: Arm) -> anyhow::Result<PerRequest> {
        let tokens: Vec<&str> = self.tokens.lines().collect();
        let (half, rest) = tokens.split_at(tokens.len() / 2);
        let mut crowd = Crowd::connect(server.address, arm)?;
        crowd.send_all(half)?;
        control("--zero", server.pid())?;
        crowd.send_all(rest)?;
        control("--dump", server.pid())?;
        let totals =
            totals(&std::fs::read_to_string(self.counted())?).context("callgrind counted nothing")?;
        let each = |count: u64| count as f64 / rest.len() as f64;
        Ok((each(totals.instructions), each(totals.allocations)))
    }

    /// Where callgrind writes what it has counted when it is first asked to.
    fn counted(&self) -> PathBuf {
        self.profile.with_extension("out.1")
    }

    fn wrapper(&self) -> [String; 4] {
        let to_file = format!("--callgrind-out-file={}", self.profile.display());
        ["valgrind".into(), "--quiet".into(), "--tool=callgrind".into(), to_file]
    }
}

/// Once the server has come to rest, has callgrind do that.
fn control(what: &str, pid: u32) -> anyhow::Result<()> {
    settle(&[pid])?;
    let output = std::process::Command::new(CONTROL).arg(what).arg(pid.to_string()).output()?;
    let (printed, failed) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success() && printed.contains("OK."), "{CONTROL} {what}: {printed} {failed}");
    Ok(())
}

/// Clients of one server.
struct Crowd {
    clients: Vec<Client>,
    arm: Arm,
    round: usize,
}

impl Crowd {
    fn connect(address: SocketAddr, arm: Arm) -> anyhow::Result<Crowd> {
        let connect = |_| Client::connect(address);
        let clients = (0..CONNECTIONS).map(connect).collect::<anyhow::Result<_>>()?;
        Ok(Crowd { clients, arm, round: 0 })
    }

    /// Sends one order for each token, so many at a time as there are connections.
    fn send_all(&mut self, tokens: &[&str]) -> anyhow::Result<()> {
        let shape = Arm::Order.shape().context("an order is asked for")?;
        let status = self.arm.expected().status;
        for tokens in tokens.chunks(self.clients.len()) {
            self.round += 1;
            for (index, (client, token)) in self.clients.iter_mut().zip(tokens).enumerate() {
                client.send(&shape.request(token, &format!("counted-{}-{index}", self.round)))?;
            }
            for (client, _) in self.clients.iter_mut().zip(tokens) {
                let reply = client.receive()?;
                ensure!(reply.status == status, "the answer is {} {}", reply.status, reply.body);
            }
        }
        Ok(())
    }
}
