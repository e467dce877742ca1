//! Accepting connections: one loop per I/O thread, each with its own listening socket.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use super::serve::serve;
use super::watch::{Connections, Word};
use crate::backend::Backend;
use crate::edge::Edge;
use crate::service::Server;

/// How long not to accept when the process has no file or no memory left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// From one part of a sweep to the next, at least.
const SWEEP_STEP_MIN: Duration = Duration::from_millis(1);

/// Accepts and serves connections on this thread's runtime until `shutdown` is ready; then accepts no more,
/// lets the requests that are being answered finish, and ends after the configured time at the latest.
pub async fn accept_loop<B: Backend>(
    listener: TcpListener,
    edge: Arc<Edge<B>>,
    shutdown: impl Future<Output = ()>,
) {
    let server = Server::new(edge.clone());
    let connections = Connections::new(edge.config.clone());
    let mut next_sweep = pin!(sleep(edge.config.sweep_interval));
    let mut part = 0;
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            () = &mut next_sweep => {
                let count = connections.part_count();
                part = (part + 1) % count;
                edge.metrics.connections_cut.inc_by(connections.sweep_part(part, count, Instant::now()));
                let step = edge.config.sweep_interval / u32::try_from(count).unwrap_or(1);
                next_sweep.as_mut().reset((Instant::now() + step.max(SWEEP_STEP_MIN)).into());
            }
            () = connections.ended(), if connections.is_full() => {}
            accepted = listener.accept(), if !connections.is_full() => match accepted {
                Ok((stream, _address)) => start(stream, &server, &connections),
                Err(error) => accept_failed(&edge, &error).await,
            },
        }
    }
    drop(listener);
    stop(&edge, &connections).await;
}

fn start<B: Backend>(stream: TcpStream, server: &Server<B>, connections: &Arc<Connections>) {
    // Answers are one write each; without this the kernel would hold some of them back for 40 ms.
    if stream.set_nodelay(true).is_err() {
        return; // The client is gone already.
    }
    let place = connections.add(Instant::now());
    let server = server.clone();
    let edge = server.edge().clone();
    edge.metrics.connections_accepted.inc();
    edge.metrics.connections.inc();
    tokio::spawn(async move {
        serve(stream, &server, &place.watch).await;
        edge.metrics.connections.dec();
        drop(place);
    });
}

async fn accept_failed<B: Backend>(edge: &Edge<B>, error: &io::Error) {
    edge.metrics.accept_errors.inc();
    let clients_fault = [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset];
    if !clients_fault.contains(&error.kind()) {
        tracing::warn!(%error, "cannot accept connections; trying again");
        sleep(ACCEPT_PAUSE).await;
    }
}

async fn stop<B: Backend>(edge: &Edge<B>, connections: &Connections) {
    connections.tell_all(Word::Finish);
    let all_ended = async {
        while connections.count() > 0 {
            connections.ended().await;
        }
    };
    if timeout(edge.config.stop_deadline, all_ended).await.is_err() {
        tracing::warn!(
            connections = connections.count(),
            "ending connections that did not end by themselves"
        );
        connections.tell_all(Word::End);
        tokio::task::yield_now().await;
    }
}
