//! Onrush's own HTTP front before another store: one I/O thread, as Onrush has on a machine with two cores.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use domain::OrderCodec;
use edge::auth::{Auth, BuyerTokens, RoleKeys, TokenAlgorithm, TokenRules};
use edge::{Edge, EdgeParts, Metrics, accept_loop};
use prometheus_client::registry::Registry;
use tokio::signal::unix::{SignalKind, signal};

use crate::backend::StoreBackend;
use crate::store::{Opening, Store};
use crate::{mariadb, postgres, redis};

/// Serve orders of one sale from a store that is running already and empty.
#[derive(Args)]
pub(crate) struct FrontArgs {
    /// Where; port 0 takes a free one and prints it.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Who decides.
    #[arg(value_enum)]
    store: Kind,
    /// Where the store listens: the path of its Unix socket; for PostgreSQL, the folder of it.
    #[arg(long, default_value = "")]
    address: String,
    /// Connections to the store.
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// The file with the secret of the buyers' tokens.
    #[arg(long, value_name = "FILE")]
    secret_file: PathBuf,
    /// Items of the sale.
    #[arg(long, default_value_t = 1)]
    items: u16,
    /// Units of each.
    #[arg(long, default_value_t = 1_000_000_000)]
    stock: u32,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// Redis, in a Lua script.
    Redis,
    /// PostgreSQL, in a function that is one transaction.
    Postgres,
    /// MariaDB, in a procedure that is one transaction.
    Mariadb,
    /// Nobody: the inbox is always full.
    Full,
}

/// Serves until SIGTERM, then prints the store's ledger.
///
/// # Errors
/// When the store or the address cannot be had.
pub(crate) fn run(args: &FrontArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let FrontArgs { connections, items, stock, .. } = *args;
        let opening = Opening { address: args.address.clone(), connections, items, stock };
        let store = open(args.store, opening).await.context("the store cannot be used")?;
        let backend = StoreBackend::new(store, items, stock);
        let edge = Arc::new(Edge::new(backend.clone(), parts(args)?));
        let listener = tokio::net::TcpListener::from_std(edge::listen(args.listen)?)?;
        println!("listening on http://{}", listener.local_addr()?);
        let mut end = signal(SignalKind::terminate())?;
        accept_loop(listener, edge, async move {
            end.recv().await;
        })
        .await;
        let ledger = backend.store().ledger().await.context("what was sold cannot be counted")?;
        println!("ledger {}", serde_json::to_string(&ledger)?);
        Ok(())
    })
}

async fn open(kind: Kind, opening: Opening) -> anyhow::Result<Store> {
    Ok(match kind {
        Kind::Redis => Store::Redis(redis::open(opening).await?),
        Kind::Postgres => Store::Postgres(postgres::open(opening).await?),
        Kind::Mariadb => Store::MariaDb(mariadb::open(opening).await?),
        Kind::Full => Store::Full,
    })
}

fn parts(args: &FrontArgs) -> anyhow::Result<EdgeParts> {
    let secret = std::fs::read(&args.secret_file);
    let secret = secret.with_context(|| format!("cannot read {}", args.secret_file.display()))?;
    let algorithm = TokenAlgorithm::Hs256 { secret: secret.trim_ascii_end().to_vec() };
    let rules = TokenRules { algorithm, audience: None, issuer: None };
    Ok(EdgeParts {
        config: edge::Config::default(),
        auth: Auth::new(BuyerTokens::new(&rules)?, RoleKeys { admins: Vec::new(), integrators: Vec::new() }),
        codec: OrderCodec::new([7; 16]),
        payments: None,
        metrics: Metrics::new(&mut Registry::with_prefix("peer")),
    })
}
