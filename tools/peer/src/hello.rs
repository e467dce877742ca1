//! A hello as one writes it with axum in a minute: JSON in, JSON out, a multi-threaded runtime.

use std::net::SocketAddr;

use axum::routing::post;
use axum::{Json, Router};
use clap::Args;
use serde::{Deserialize, Serialize};
use tokio::signal::unix::{SignalKind, signal};

/// Serve a plain axum hello.
#[derive(Args)]
pub(crate) struct HelloArgs {
    /// Where; port 0 takes a free one and prints it.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Threads of the runtime; by itself, one for each core.
    #[arg(long)]
    threads: Option<usize>,
}

#[derive(Deserialize)]
struct Wanted {
    lines: Vec<WantedLine>,
}

#[derive(Deserialize)]
struct WantedLine {
    item: String,
    quantity: u16,
}

/// About as long as the answer to an order.
#[derive(Serialize)]
struct Hello {
    hello: &'static str,
    state: &'static str,
    lines: Vec<HelloLine>,
    total: Total,
    expires_at: &'static str,
    order: &'static str,
    seq: u64,
}

#[derive(Serialize)]
struct HelloLine {
    item: String,
    quantity: u16,
    unit_price: u32,
}

#[derive(Serialize)]
struct Total {
    amount: u32,
    currency: &'static str,
}

const UNIT_PRICE: u32 = 12_000;

/// Serves until SIGTERM.
///
/// # Errors
/// When the address cannot be had.
pub(crate) fn run(args: &HelloArgs) -> anyhow::Result<()> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = args.threads {
        builder.worker_threads(threads);
    }
    builder.enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(args.listen).await?;
        println!("listening on http://{}", listener.local_addr()?);
        let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
            // Without it the stream works too, but slower.
            let _ = stream.set_nodelay(true);
        });
        let router = Router::new().fallback(post(answer));
        let mut end = signal(SignalKind::terminate())?;
        tokio::select! {
            served = axum::serve(listener, router) => served?,
            _ = end.recv() => {}
        }
        Ok(())
    })
}

async fn answer(Json(wanted): Json<Wanted>) -> Json<Hello> {
    let units: u32 = wanted.lines.iter().map(|line| u32::from(line.quantity)).sum();
    let line = |WantedLine { item, quantity }| HelloLine { item, quantity, unit_price: UNIT_PRICE };
    Json(Hello {
        hello: "world",
        state: "held",
        lines: wanted.lines.into_iter().map(line).collect(),
        total: Total { amount: units.saturating_mul(UNIT_PRICE), currency: "EUR" },
        expires_at: "2026-12-01T19:00:00.000Z",
        order: "0000000000000000",
        seq: 1,
    })
}
