//! The whole pipeline, wired in one place.

use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, ensure};
use domain::{OrderCodec, UnixMs};
use edge::auth::{Auth, BuyerTokens, RoleKeys};
use edge::{Edge, EdgeParts, Metrics, Readiness, Ready};
use prometheus_client::registry::Registry;
use tokio::sync::{mpsc, watch};
use views::Catalog;

use super::backend::{LocalBackend, Parts};
use super::bustle::Bustle;
use super::inbox::Inbox;
use super::io::IoThread;
use super::metrics::Families;
use super::outbox::Outbox;
use super::recovery::{Common, start_shard};
use super::room::Room;
use super::units::{CatalogHandle, Units};
use super::{Running, ShardThreads, clock, io, payment};
use crate::config::{Config, Http};
use crate::installation::Installation;
use crate::token::token_rules;

/// 2²⁷ bits are 16 MiB, enough for eight million keys of which one in a hundred is taken for known.
const KEY_FILTER_BITS_LOG2: u32 = 27;

/// Starts a server and returns when it is ready.
///
/// # Errors
/// When the data folder cannot be used, a shard cannot be recovered, or an address cannot be had.
pub fn start(config: &Config) -> anyhow::Result<Running> {
    ensure!(clock::now() >= UnixMs::EPOCH, "the system's clock is before 2026; set it first");
    let mut owned = Installation::own(&config.data, config.shards)?;
    let installation = &owned.installation.clone();
    let mut registry = Registry::with_prefix("onrush");
    let (metrics, families) = (Metrics::new(&mut registry), Families::new(&mut registry));
    let shard_count = NonZeroU16::new(config.shards).context("an installation has at least one shard")?;
    let catalog = Catalog::new(shard_count, KEY_FILTER_BITS_LOG2);
    registry.register_collector(Box::new(Units(CatalogHandle(catalog.clone()))));
    let readiness = Readiness::default();
    let (stop_rest, rest_stopped) = watch::channel(false);
    let shown = (Arc::new(registry), readiness.clone());
    let (admin_addr, admin_thread) = start_admin(config, shown, rest_stopped.clone())?;
    let mut rest_threads = vec![admin_thread];

    let io_count = io_count(config);
    let outboxes: Arc<[Arc<Outbox>]> = (0..io_count).map(|_| Outbox::new()).collect();
    let (failures_sender, failures) = mpsc::unbounded_channel();
    let bustle = Arc::new(Bustle::default());
    let common = Common {
        config,
        installation,
        catalog: &catalog,
        outboxes: &outboxes,
        families: &families,
        failures: &failures_sender,
        bustle: &bustle,
        room: &Room::start(catalog.clone(), config.memory.ready_size_bytes_max)?,
    };
    let shards =
        installation.shards().map(|shard| start_shard(shard, &common)).collect::<anyhow::Result<Vec<_>>>()?;

    let (listen_addr, listeners) = io::bind(config.listen, io_count)?;
    let payments = match config.payments.simulator.enabled {
        true => {
            let (desk, thread) = payment::start_simulator(config, installation, (listen_addr, rest_stopped))?;
            rest_threads.push(thread);
            Some(desk)
        }
        false => None,
    };
    let inboxes: Arc<[Arc<Inbox>]> = shards.iter().map(|shard| Arc::clone(&shard.inbox)).collect();
    let backend = backend(&shards, Arc::clone(&inboxes), catalog, installation.order_codec()?);
    owned.ensure_admin_key()?;
    let (auth, codec) = (auth(config, installation)?, installation.order_codec()?);
    let parts = EdgeParts { config: edge_config(config, io_count), auth, codec, payments, metrics };
    let edge = Arc::new(Edge::new(backend, parts));
    let (stop_io, io_stopped) = watch::channel(false);
    let start_io = |(number, listener): (usize, TcpListener)| {
        let (edge, outbox) = (Arc::clone(&edge), Arc::clone(&outboxes[number]));
        let (bustle, inboxes) = (Arc::clone(&bustle), Arc::clone(&inboxes));
        IoThread { number, listener, edge, outbox, bustle, inboxes }.start(io_stopped.clone())
    };
    let io_threads = listeners.into_iter().enumerate().map(start_io).collect::<anyhow::Result<_>>()?;
    owned.started();
    readiness.set(Ready::Yes);
    tracing::info!(%listen_addr, %admin_addr, io_threads = io_count, "ready");
    Ok(Running {
        listen_addr,
        admin_addr,
        owned,
        readiness,
        stop_io,
        stop_rest,
        io_threads,
        rest_threads,
        shards,
        failures,
    })
}

/// The shards as the edge sees them.
fn backend(
    shards: &[ShardThreads],
    inboxes: Arc<[Arc<Inbox>]>,
    catalog: Catalog,
    codec: OrderCodec,
) -> LocalBackend {
    LocalBackend::new(Parts {
        catalog,
        codec,
        inboxes,
        paces: shards.iter().map(|shard| Arc::clone(&shard.pace)).collect(),
        follows: shards.iter().map(|shard| Arc::clone(&shard.follow)).collect(),
    })
}

/// Who is believed.
fn auth(config: &Config, installation: &Installation) -> anyhow::Result<Auth> {
    let buyers = BuyerTokens::new(&token_rules(config, installation)?)?;
    let keys = RoleKeys { admins: installation.admin_keys()?, integrators: installation.integrator_keys()? };
    Ok(Auth::new(buyers, keys))
}

/// By itself, a core for each I/O thread and for each writer: on two cores, two I/O threads and a writer spend a
/// tenth of their time on taking turns.
fn io_count(config: &Config) -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    match config.io_threads {
        0 => cores.saturating_sub(config.shards.into()).max(1),
        count => count,
    }
}

fn edge_config(config: &Config, io_count: usize) -> edge::Config {
    let Http { connections_max, .. } = config.http;
    let ms = Duration::from_millis;
    edge::Config {
        body_size_bytes_max: config.http.body_size_bytes_max,
        definition_size_bytes_max: config.http.sale_body_size_bytes_max,
        bulk_size_bytes_max: config.http.bulk_body_size_bytes_max,
        bulk_count_max: config.http.bulks_at_once_max,
        head_size_bytes_max: config.http.header_size_bytes_max,
        header_count_max: config.http.header_count_max,
        first_byte_deadline: ms(config.http.first_byte_timeout_ms),
        idle_deadline: ms(config.http.idle_timeout_ms),
        head_deadline: ms(config.http.header_timeout_ms),
        body_deadline: ms(config.http.body_timeout_ms),
        answer_deadline: ms(config.http.answer_timeout_ms),
        write_deadline: ms(config.http.write_timeout_ms),
        stop_deadline: ms(config.stop_timeout_ms),
        connection_count_max: connections_max.div_ceil(io_count),
        inbox_wait_max: ms(config.inbox_wait_ms_max),
        ..edge::Config::default()
    }
}

fn start_admin(
    config: &Config,
    (registry, readiness): (Arc<Registry>, Readiness),
    stop: watch::Receiver<bool>,
) -> anyhow::Result<(SocketAddr, JoinHandle<()>)> {
    let (address, mut listeners) = io::bind(config.admin_listen, 1)?;
    let listener = listeners.pop().expect("one was asked for");
    let thread = io::start_aside("admin", listener, stop, async move |listener, stopped| {
        edge::admin_loop(listener, edge::admin_router(registry, readiness), stopped).await;
    })?;
    Ok((address, thread))
}
