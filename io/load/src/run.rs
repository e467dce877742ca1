//! A run from its first connection to its report.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::clock::Clock;
use crate::opening;
use crate::plan::{Plan, PlanError};
use crate::reply::ReplyError;
use crate::report::Report;
use crate::requests::{Requests, Share};
use crate::tally::Tally;
use crate::worker::Worker;

/// A run that could not be carried out. A run that was, however badly the server did, is a [`Report`].
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The plan is not one.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A connection could not be made before the run began.
    #[error("cannot connect to {target}")]
    Connect {
        /// To whom.
        target: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The server answers in a way that this generator does not read.
    #[error(transparent)]
    Unsupported(ReplyError),
    /// The kernel refused what a thread needs.
    #[error("the system refused an event queue or a timer")]
    System(#[from] io::Error),
}

/// What can be seen of a run while it lasts.
#[derive(Default, Debug)]
pub struct Watch {
    answered: AtomicU64,
    failed: AtomicU64,
}

impl Watch {
    /// Answers so far, those of the warm-up included.
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Requests so far that will have no answer.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, answered: usize, failed: usize) {
        self.answered.fetch_add(answered as u64, Ordering::Relaxed);
        self.failed.fetch_add(failed as u64, Ordering::Relaxed);
    }
}

/// Carries out a plan; returns when the last request has come to its end. Each thread sends what the source for its
/// share brings.
///
/// # Errors
/// When the plan is none, the server cannot be reached, or it answers in a way that cannot be measured.
///
/// # Panics
/// When a source panics.
pub fn run<R: Requests + Send>(
    plan: &Plan,
    watch: &Watch,
    source: impl FnMut(Share) -> R,
) -> Result<Report, LoadError> {
    Clients::connect(plan, watch, source)?.run()
}

/// Clients that are connected, and stay so from run to run. Whoever compares two servers lets the clients of either run
/// by turns, and no turn pays for connections.
pub struct Clients<'a, R> {
    plan: &'a Plan,
    workers: Vec<Worker<'a, R>>,
}

impl<'a, R: Requests + Send> Clients<'a, R> {
    /// Connects as many as the plan says. Each thread sends what the source for its share brings, in one run after the
    /// other; the plan's greatest number of requests is that of all runs together.
    ///
    /// # Errors
    /// When the plan is none, or the server cannot be reached.
    pub fn connect(
        plan: &'a Plan,
        watch: &'a Watch,
        mut source: impl FnMut(Share) -> R,
    ) -> Result<Clients<'a, R>, LoadError> {
        plan.check()?;
        let opened = opening::open(plan)?;
        let count = plan.thread_count;
        let workers = opened.into_iter().enumerate().map(|(index, streams)| {
            let share = Share { index, count };
            Worker::new(plan, watch, (share, source(share)), streams)
        });
        let workers = workers.collect::<io::Result<Vec<_>>>()?;
        Ok(Clients { plan, workers })
    }

    /// Carries out the plan, once more if it was already; returns when the last request has come to its end.
    ///
    /// # Errors
    /// When the server answers in a way that cannot be measured.
    ///
    /// # Panics
    /// When a source panics.
    pub fn run(&mut self) -> Result<Report, LoadError> {
        let clock = Clock::start();
        let tallies: Result<Vec<Tally>, LoadError> = thread::scope(|scope| {
            let spawned = self.workers.iter_mut().map(|worker| {
                let thread = thread::Builder::new().name("load".to_owned());
                thread.spawn_scoped(scope, move || worker.run(clock))
            });
            // Collected first, so that all threads run before one is waited for.
            let spawned = spawned.collect::<io::Result<Vec<_>>>()?;
            spawned.into_iter().map(|thread| thread.join().expect("no source panics")).collect()
        });
        Ok(Report::new(self.plan, tallies?))
    }
}
