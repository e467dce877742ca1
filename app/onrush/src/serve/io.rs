//! The I/O threads: each has its own runtime and its own listening socket on the same address.

use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use anyhow::Context;
use edge::Edge;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use super::backend::{LocalBackend, set_outbox};
use super::bustle::Bustle;
use super::inbox::Inbox;
use super::outbox::Outbox;

/// Sockets on one address for so many threads; the kernel spreads connections over them (`SO_REUSEPORT`).
/// Port 0 is chosen once for all.
///
/// # Errors
/// When the address cannot be had.
pub(crate) fn bind(address: SocketAddr, count: usize) -> anyhow::Result<(SocketAddr, Vec<TcpListener>)> {
    ensure_free(address).with_context(|| format!("cannot listen on {address}"))?;
    let first = edge::listen(address).with_context(|| format!("cannot listen on {address}"))?;
    let address = first.local_addr()?;
    let others =
        (1..count).map(|_| edge::listen(address).with_context(|| format!("cannot listen on {address}")));
    let listeners = std::iter::once(Ok(first)).chain(others).collect::<anyhow::Result<_>>()?;
    Ok((address, listeners))
}

/// Fails when somebody listens there already. Sockets that share an address do not notice each other: a second
/// server with another data folder would get every second buyer of the first.
fn ensure_free(address: SocketAddr) -> std::io::Result<()> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())
}

/// A runtime for one thread.
///
/// # Errors
/// When the system gives no more file handles.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    Builder::new_current_thread().enable_all().build().context("cannot make a runtime")
}

/// What an I/O thread works with.
pub(crate) struct IoThread {
    pub(crate) number: usize,
    pub(crate) listener: TcpListener,
    pub(crate) edge: Arc<Edge<LocalBackend>>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) bustle: Arc<Bustle>,
    /// Of the writers that are told when nobody has more for them.
    pub(crate) inboxes: Arc<[Arc<Inbox>]>,
}

impl IoThread {
    /// Starts the thread, which serves until `stop` changes.
    ///
    /// # Errors
    /// When the system gives no thread or no file handles.
    pub(crate) fn start(self, mut stop: watch::Receiver<bool>) -> anyhow::Result<JoinHandle<()>> {
        let runtime = self.runtime()?;
        let IoThread { number, listener, edge, outbox, bustle, .. } = self;
        let serve = async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("the socket is non-blocking");
            tokio::spawn(tokio::task::unconstrained(outbox.dispatch()));
            let stopped = async move {
                // An error says that the sender is gone, which is a stop too.
                let _ = stop.wait_for(|stop| *stop).await;
            };
            edge::accept_loop(listener, edge, stopped).await;
        };
        let run = move || {
            set_outbox(number);
            bustle.wake();
            runtime.block_on(serve);
            bustle.sleep();
        };
        thread::Builder::new().name(format!("io-{number}")).spawn(run).context("cannot start an I/O thread")
    }

    /// A runtime that says when the thread sleeps.
    fn runtime(&self) -> anyhow::Result<Runtime> {
        let (asleep, awake) = (Arc::clone(&self.bustle), Arc::clone(&self.bustle));
        let inboxes = Arc::clone(&self.inboxes);
        let mut builder = Builder::new_current_thread();
        builder.on_thread_park(move || {
            if asleep.sleep() {
                inboxes.iter().for_each(|inbox| inbox.nobody_brings_more());
            }
        });
        builder.on_thread_unpark(move || awake.wake());
        builder.enable_all().build().context("cannot make a runtime")
    }
}

/// Starts a thread of its own for something small that listens too, until `stop` changes.
///
/// # Errors
/// When the system gives no thread or no file handles.
pub(crate) fn start_aside<F: Future<Output = ()>>(
    name: &str,
    listener: TcpListener,
    mut stop: watch::Receiver<bool>,
    serve: impl FnOnce(tokio::net::TcpListener, BoxedStop) -> F + Send + 'static,
) -> anyhow::Result<JoinHandle<()>> {
    let runtime = runtime()?;
    let run = move || {
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("the socket is non-blocking");
            let stopped: BoxedStop = Box::pin(async move {
                // An error says that the sender is gone, which is a stop too.
                let _ = stop.wait_for(|stop| *stop).await;
            });
            serve(listener, stopped).await;
        });
    };
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .with_context(|| format!("cannot start the thread {name}"))
}

/// Ready when it is time to stop.
pub(crate) type BoxedStop = Pin<Box<dyn Future<Output = ()> + Send>>;
