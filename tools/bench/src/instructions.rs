//! `bench instructions`: instructions in user space per order and per hello, counted by callgrind. The figure hardly depends on
//! the machine and not at all on who else uses it.
//!
//! Two runs with different numbers of orders are compared, so that starting and stopping cancel out. Under
//! callgrind there are no instructions for SHA-256 and AVX-512: hashing counts more than it costs.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, ensure};
use clap::{Args, value_parser};

use crate::arm::Arm;
use crate::house::Site;
use crate::http_client::Client;
use crate::program;
use crate::server::Server;

/// Orders under way at a time, so that batches are as large as under wrk.
const CONNECTION_COUNT: u32 = 64;
const HELLO_STATUS: u16 = 200;

/// Count instructions per order, and per hello.
#[derive(Args)]
pub(crate) struct InstructionsArgs {
    /// Orders of the longer run; the shorter one has half of them.
    #[arg(long, default_value_t = 12_800, value_parser = value_parser!(u32).range(128..=1_000_000))]
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
    ensure!(
        program::is_installed("valgrind"),
        "valgrind is not installed; on Debian: apt-get install valgrind"
    );
    let site = Site::new(program::onrush(args.bin.as_deref())?, &std::env::temp_dir())?;
    let [tokens] = site.tokens([("counted", args.orders)])?;
    let tokens = std::fs::read_to_string(tokens)?;
    let tokens: Vec<&str> = tokens.lines().collect();
    let profile = site.folder().join("callgrind.out");
    let counting = Counting { site: &site, profile: &profile };
    let (few, many) = tokens.split_at(tokens.len() / 2);
    let per_request = |count: &dyn Fn(&[&str]) -> anyhow::Result<u64>| -> anyhow::Result<f64> {
        let fewer = count(few)?;
        Ok(count(&tokens)?.saturating_sub(fewer) as f64 / many.len() as f64)
    };
    let hello = per_request(&|tokens| counting.hello(tokens))?;
    let order = per_request(&|tokens| counting.orders(tokens))?;
    if let Some(keep) = &args.keep {
        std::fs::copy(&profile, keep).with_context(|| format!("cannot write {}", keep.display()))?;
    }
    println!("instructions in user space, over {} requests:", many.len());
    println!("hello {hello:8.0} per request\norder {order:8.0} per request");
    Ok(ExitCode::SUCCESS)
}

/// Servers under callgrind.
struct Counting<'a> {
    site: &'a Site,
    profile: &'a Path,
}

impl Counting<'_> {
    /// Instructions of a server that takes one order with each token.
    fn orders(&self, tokens: &[&str]) -> anyhow::Result<u64> {
        let house = self.site.open(&mut self.site.wrapped(&self.wrapper(), "serve"), Arm::Order)?;
        send_all(house.server.address, tokens, Arm::Order.status())?;
        let orders = house.close()?.orders;
        ensure!(
            orders == tokens.len() as u64,
            "{orders} orders are in the journal, {} were sent",
            tokens.len()
        );
        self.total()
    }

    /// Instructions of the hello for the same requests.
    fn hello(&self, tokens: &[&str]) -> anyhow::Result<u64> {
        let own = std::env::current_exe().context("cannot tell where this program is")?;
        let [valgrind, rest @ ..] = self.wrapper();
        let server = Server::start(Command::new(valgrind).args(rest).arg(own).arg("hello"))?;
        send_all(server.address, tokens, HELLO_STATUS)?;
        server.stop()?;
        self.total()
    }

    fn wrapper(&self) -> [String; 4] {
        let to_file = format!("--callgrind-out-file={}", self.profile.display());
        ["valgrind".into(), "--quiet".into(), "--tool=callgrind".into(), to_file]
    }

    fn total(&self) -> anyhow::Result<u64> {
        total(&std::fs::read_to_string(self.profile)?).context("callgrind counted nothing")
    }
}

/// Sends one order for each token, so many at a time as there are connections.
fn send_all(address: SocketAddr, tokens: &[&str], status: u16) -> anyhow::Result<()> {
    let connect = |_| Client::connect(address);
    let mut clients = (0..CONNECTION_COUNT).map(connect).collect::<anyhow::Result<Vec<_>>>()?;
    let shape = Arm::Order.shape();
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

/// The sum that stands in `summary: N` or `totals: N`.
fn total(profile: &str) -> Option<u64> {
    let line = profile.lines().find_map(|line| line.strip_prefix("summary: "));
    let line = line.or_else(|| profile.lines().find_map(|line| line.strip_prefix("totals: ")))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn total_is_read_from_either_line() {
        assert_eq!(total("version: 1\nsummary: 123\n"), Some(123));
        assert_eq!(total("x\ntotals: 45 6\n"), Some(45));
        assert_eq!(total("x\n"), None);
    }
}
