//! Places orders in batches over several connections, and says how many a second.
//!
//! It imports nothing of Onrush: all that an integrator needs is `docs/api.md` and, for the binary form,
//! `docs/formats/batch.md`. [`lines`] and [`records`] write and read the two forms, [`connection`] sends them and
//! repeats what it does not know the outcome of, which is safe: each order has its key.
//!
//! ```text
//! onrush key create --role integrator > integrator.key       # counts from the server's next start on
//! ONRUSH_INTEGRATOR_KEY=$(cat integrator.key) batch-client --sale concert --item ga --orders 1000000
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people")]

mod connection;
mod lines;
mod records;

use std::net::SocketAddr;
use std::ops::Range;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};

use connection::{Connection, Route};

/// Most orders that one batch may have.
const BATCH_LEN_MAX: u64 = 8_190;

/// Places orders in batches over several connections, and says how many a second.
#[derive(Parser, Clone)]
struct Args {
    /// Where the server listens.
    #[arg(long, default_value = "127.0.0.1:8080")]
    address: SocketAddr,
    /// The integrator's key.
    #[arg(long, env = "ONRUSH_INTEGRATOR_KEY", hide_env_values = true)]
    key: String,
    /// The sale's code.
    #[arg(long)]
    sale: String,
    /// The code of the item; each order is for one of it.
    #[arg(long)]
    item: String,
    /// Orders in all, each for a buyer of its own.
    #[arg(long, default_value_t = 100_000)]
    orders: u64,
    /// Orders in one batch.
    #[arg(long, default_value_t = 8_190, value_parser = clap::value_parser!(u64).range(1..=BATCH_LEN_MAX))]
    batch: u64,
    /// Connections, each with one batch under way.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=64))]
    connections: u64,
    /// How batches are written.
    #[arg(long, value_enum, default_value = "lines")]
    form: Form,
    /// Buyers are named so, and numbered; the same name again brings the same orders.
    #[arg(long, default_value = "buyer")]
    buyers: String,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// JSON lines.
    Lines,
    /// The compact binary form.
    Records,
}

/// What became of orders.
#[derive(Clone, Copy, Default)]
struct Outcome {
    placed: u64,
    refused: u64,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("batch-client: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> anyhow::Result<()> {
    let begun = Instant::now();
    let share = args.orders.div_ceil(args.connections);
    let shares = (0..args.connections).map(|at| at * share..args.orders.min((at + 1) * share));
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let threads: Vec<_> = shares.map(|numbers| scope.spawn(|| place(args, numbers))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect::<anyhow::Result<_>>()
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let placed: u64 = outcomes.iter().map(|outcome| outcome.placed).sum();
    let refused: u64 = outcomes.iter().map(|outcome| outcome.refused).sum();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let per_s = (placed + refused) as f64 / seconds;
    println!("{placed} orders placed, {refused} refused, in {seconds:.3} s: {per_s:.0} orders/s");
    Ok(())
}

/// Places the orders of those numbers on a connection of its own.
fn place(args: &Args, numbers: Range<u64>) -> anyhow::Result<Outcome> {
    let media = match args.form {
        Form::Lines => "application/jsonl",
        Form::Records => "application/vnd.onrush.batch",
    };
    let route = Route { address: args.address, key: &args.key, sale: &args.sale, media };
    let mut connection = Connection::open(&route)?;
    let (mut outcome, mut body) = (Outcome::default(), Vec::new());
    let mut from = numbers.start;
    while from < numbers.end {
        let batch = from..numbers.end.min(from + args.batch);
        body.clear();
        match args.form {
            Form::Lines => lines::write(&mut body, (&args.buyers, &args.item), batch.clone()),
            Form::Records => records::write(&mut body, (&args.buyers, &args.item), batch.clone())?,
        }
        let answer = connection.place(&body)?;
        let of_batch = match args.form {
            Form::Lines => lines::read(answer),
            Form::Records => {
                records::read(answer).context("the answer is not as docs/formats/batch.md says")?
            }
        };
        let count = batch.end - batch.start;
        anyhow::ensure!(of_batch.placed + of_batch.refused == count, "not every order was answered");
        outcome.placed += of_batch.placed;
        outcome.refused += of_batch.refused;
        from = batch.end;
    }
    Ok(outcome)
}
