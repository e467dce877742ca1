//! `bench instructions`: instructions in user space and allocations per order and per hello, counted by callgrind.
//!
//! Two runs with different numbers of orders are compared, so that starting and stopping cancel out. Under
//! callgrind there are no instructions for SHA-256 and AVX-512: hashing counts more than it costs.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::{Args, value_parser};

use super::profile::{Totals, totals};
use crate::arm::Arm;
use crate::figure::{Figure, Figures};
use crate::http_client::Client;
use crate::program;
use crate::server::Server;
use crate::site::Site;
use crate::stand::onrush::House;
use crate::stand::own;

/// Orders under way at a time, so that batches are as large as under wrk.
const CONNECTION_COUNT: u32 = 64;
/// Orders of the longer run, when nobody says otherwise.
const ORDERS: u32 = 12_800;

/// Count instructions per order, and per hello.
#[derive(Args)]
pub(crate) struct InstructionsArgs {
    /// Orders of the longer run; the shorter one has half of them.
    #[arg(long, default_value_t = ORDERS, value_parser = value_parser!(u32).range(128..=1_000_000))]
    orders: u32,
    /// The program to measure; without it, the one of this profile is built and used.
    #[arg(long, value_name = "PATH")]
    bin: Option<PathBuf>,
    /// Keep what callgrind wrote about the longer run, for `callgrind_annotate`.
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
    let hello = counting.per_request(|counting, tokens| counting.hello(tokens))?;
    let order = counting.per_request(|counting, tokens| counting.orders(tokens))?;
    if let Some(keep) = &args.keep {
        std::fs::copy(&counting.profile, keep).with_context(|| format!("cannot write {}", keep.display()))?;
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
    let hello = counting.per_request(|counting, tokens| counting.hello(tokens))?;
    let order = counting.per_request(|counting, tokens| counting.orders(tokens))?;
    let figures = [
        ("instructions.hello", hello.0),
        ("instructions.order", order.0),
        ("instructions.allocations-hello", hello.1),
        ("instructions.allocations-order", order.1),
    ];
    Ok(figures.map(|(name, value)| (name.to_owned(), Figure::of([value]))).into())
}

/// Servers under callgrind.
struct Counting<'a> {
    site: &'a Site,
    tokens: String,
    profile: PathBuf,
}

impl<'a> Counting<'a> {
    fn new(site: &'a Site, orders: u32) -> anyhow::Result<Counting<'a>> {
        program::require(&["valgrind"])?;
        let [tokens] = site.tokens([("counted", orders)])?;
        let profile = site.folder().join("callgrind.out");
        Ok(Counting { site, tokens: std::fs::read_to_string(tokens)?, profile })
    }

    /// Instructions and allocations for each request of the second half: those of the first half, of the start
    /// and of the stop are in both runs.
    fn per_request(
        &self,
        count: impl Fn(&Counting<'_>, &[&str]) -> anyhow::Result<Totals>,
    ) -> anyhow::Result<(f64, f64)> {
        let tokens: Vec<&str> = self.tokens.lines().collect();
        let (half, rest) = tokens.split_at(tokens.len() / 2);
        let (few, many) = (count(self, half)?, count(self, &tokens)?);
        let each = |few: u64, many: u64| many.saturating_sub(few) as f64 / rest.len() as f64;
        Ok((each(few.instructions, many.instructions), each(few.allocations, many.allocations)))
    }

    /// A server that takes one order with each token.
    fn orders(&self, tokens: &[&str]) -> anyhow::Result<Totals> {
        let house = House::open(self.site, &mut self.site.wrapped(&self.wrapper(), "serve"), Arm::Order)?;
        send_all(house.server.address, tokens, Arm::Order.expected().status)?;
        let orders = house.close()?.orders;
        ensure!(
            orders == tokens.len() as u64,
            "{orders} orders are in the journal, {} were sent",
            tokens.len()
        );
        self.totals()
    }

    /// The hello for the same requests.
    fn hello(&self, tokens: &[&str]) -> anyhow::Result<Totals> {
        let [valgrind, rest @ ..] = self.wrapper();
        let mut command = std::process::Command::new(valgrind);
        command.args(rest).arg(own("hello")?.get_program()).arg("hello");
        let server = Server::start(&mut command)?;
        send_all(server.address, tokens, Arm::Hello.expected().status)?;
        server.stop()?;
        self.totals()
    }

    fn wrapper(&self) -> [String; 4] {
        let to_file = format!("--callgrind-out-file={}", self.profile.display());
        ["valgrind".into(), "--quiet".into(), "--tool=callgrind".into(), to_file]
    }

    fn totals(&self) -> anyhow::Result<Totals> {
        totals(&std::fs::read_to_string(Path::new(&self.profile))?).context("callgrind counted nothing")
    }
}

/// Sends one order for each token, so many at a time as there are connections.
fn send_all(address: SocketAddr, tokens: &[&str], status: u16) -> anyhow::Result<()> {
    let connect = |_| Client::connect(address);
    let mut clients = (0..CONNECTION_COUNT).map(connect).collect::<anyhow::Result<Vec<_>>>()?;
    let shape = Arm::Order.shape().context("an order is asked for")?;
    for (round, tokens) in tokens.chunks(clients.len()).enumerate() {
        for (index, (client, token)) in clients.iter_mut().zip(tokens).enumerate() {
            client.send(&shape.request(token, &format!("counted-{round}-{index}")))?;
        }
        for (client, _) in clients.iter_mut().zip(tokens) {
            let reply = client.receive()?;
            ensure!(reply.status == status, "the answer is {} {}", reply.status, reply.body);
        }
    }
    Ok(())
}
