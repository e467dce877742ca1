//! A running server: threads, and how they are joined.
//!
//! ```text
//! io-0 … io-N     accept, parse, answer        (edge)       ──request──► inbox ─┐
//!      ▲                                                                        ▼
//!      └── outbox ◄── outcomes, a batch at once ── writer-S   decide, commit, release (shard);
//!                                                     │       a lone outcome to sleepers, by itself
//!                                                     │ durable up to
//!                                                     ▼
//!                                                  follower-S  snapshots, listings, invariants (views)
//!                                                  scrub-S     old segments, once, behind a start (journal)
//! ```
//! Start with [`start`]. What a thread does stands in the file of its name.

mod assemble;
mod backend;
mod background;
mod bulk;
mod bustle;
pub mod clock;
mod command;
mod follower;
mod inbox;
mod io;
mod metrics;
mod outbox;
mod pace;
mod payment;
mod recovery;
mod room;
mod scrub;
mod seq_cell;
mod sync;
mod units;
mod writer;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use edge::auth::AdminKey;
use edge::{Readiness, Ready};
use tokio::sync::{mpsc, watch};

use crate::installation::Owned;
pub use assemble::start;
pub use command::{ServeArgs, serve};
use follower::Follow;
use inbox::Inbox;
use pace::Pace;

/// A server that runs on its own threads until [`Running::stop`].
pub struct Running {
    listen_addr: SocketAddr,
    admin_addr: SocketAddr,
    /// Held until the last thread has ended.
    owned: Owned,
    readiness: Readiness,
    /// Tells the I/O threads to stop.
    stop_io: watch::Sender<bool>,
    /// Tells what only serves them, the admin listener and the payment simulator, to stop.
    stop_rest: watch::Sender<bool>,
    io_threads: Vec<JoinHandle<()>>,
    rest_threads: Vec<JoinHandle<()>>,
    shards: Vec<ShardThreads>,
    failures: mpsc::UnboundedReceiver<Failure>,
}

/// The threads of one shard.
struct ShardThreads {
    inbox: Arc<Inbox>,
    pace: Arc<Pace>,
    follow: Arc<Follow>,
    writer: JoinHandle<()>,
    follower: JoinHandle<()>,
}

/// A thread that the server cannot do without has ended.
#[derive(Debug)]
pub struct Failure {
    /// Which.
    pub thread: String,
    /// Why.
    pub reason: String,
}

impl Running {
    /// Where buyers and organisers are served.
    pub fn listen_addr(&self) -> SocketAddr {
        self.listen_addr
    }

    /// Where metrics and health are served.
    pub fn admin_addr(&self) -> SocketAddr {
        self.admin_addr
    }

    /// The admin key, if this start made it; only its hash is kept.
    pub fn new_admin_key(&self) -> Option<&AdminKey> {
        self.owned.new_admin_key.as_ref()
    }

    /// Waits for a thread to fail. Whoever gets a failure should say so and end the process: nothing more will
    /// be confirmed.
    pub async fn failed(&mut self) -> Failure {
        match self.failures.recv().await {
            Some(failure) => failure,
            None => std::future::pending().await,
        }
    }

    /// Stops: accepts no more, finishes what was taken, takes a snapshot.
    ///
    /// # Errors
    /// When a thread failed on the way; all that was answered is durable all the same.
    pub fn stop(mut self) -> anyhow::Result<()> {
        self.readiness.set(Ready::No);
        self.stop_io.send_replace(true);
        join(self.io_threads);
        // Nobody asks any more: the writers answer what they have and end, then the followers catch up.
        self.shards.iter().for_each(|shard| shard.inbox.close());
        for shard in self.shards {
            join([shard.writer]);
            shard.follow.stop();
            join([shard.follower]);
        }
        self.stop_rest.send_replace(true);
        join(self.rest_threads);
        match self.failures.try_recv() {
            Ok(Failure { thread, reason }) => anyhow::bail!("{thread}: {reason}"),
            Err(_none) => Ok(()),
        }
    }
}

fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    for thread in threads {
        // A panic was reported through `failures`, or is the edge's, which isolates its own.
        let _ = thread.join();
    }
}
