//! The whole way of an order under shuttle, which chooses the order of steps: I/O threads, inbox, the server's own
//! writer, journal, outboxes.
//!
//! Compiled like `tests/handoff`, with a `sync` of shuttle's parts: 2 I/O threads × 3 orders and a bulk of 2, the writer, and the thread
//! that closes; 4,000 executions, random and PCT with 3 preemptions (S. Burckhardt et al., "A Randomized Scheduler with
//! Probabilistic Guarantees of Finding Bugs", 2010). Shuttle is sequentially consistent: weak orders are loom's matter.
//! The queue is the real one, and each of its operations is one step.
//!
//! A program of its own because shuttle's panic hook, once there, prints for each of the thousands of threads that loom
//! ends by a panic. Figures: `cargo test --release -p onrush --test rounds -- --nocapture`.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "the server's files are compiled whole, and a check needs a part of them"
)]
#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]
#![allow(clippy::print_stdout, reason = "a bound is worth something when it is said")]

mod round;
mod sync;
mod watched;

#[path = "../../src/serve/background.rs"]
mod background;
#[path = "../../src/serve/bulk.rs"]
mod bulk;
#[path = "../../src/serve/bustle.rs"]
mod bustle;
#[path = "../../src/serve/clock.rs"]
mod clock;
#[path = "../../src/serve/follower.rs"]
mod follower;
#[path = "../../src/serve/inbox.rs"]
mod inbox;
#[path = "../../src/serve/metrics.rs"]
mod metrics;
#[path = "../../src/serve/outbox.rs"]
mod outbox;
#[path = "../../src/serve/pace.rs"]
mod pace;
#[path = "../../src/serve/room.rs"]
mod room;
#[path = "../../src/serve/seq_cell.rs"]
mod seq_cell;
#[path = "../../src/serve/writer.rs"]
mod writer;

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};

use round::run_round;
use watched::Honesty;

const SEED: u64 = 20_261_121;
const EXECUTION_COUNT: usize = 2_000;
const PREEMPTION_COUNT: usize = 3;

/// Runs a round in as many orders of steps as the scheduler has. A failure prints the order, for `shuttle::replay`.
fn explore(title: &str, scheduler: impl Scheduler + 'static, inbox_len_max: usize, honesty: Honesty) {
    let mut config = Config::new();
    // A round decides and encodes: more than a coroutine's stack has by itself.
    config.stack_size = 1 << 20;
    // Shuttle knows no weak orders, and says so whenever it meets one; they are loom's matter.
    config.silence_warnings = true;
    let execution_count = Runner::new(scheduler, config).run(move || run_round(inbox_len_max, honesty));
    println!("shuttle: {title}, inbox of {inbox_len_max}: {execution_count} executions, seed {SEED}");
}

#[test]
fn every_order_taken_is_answered_once_and_after_it_is_durable() {
    let scheduler = || RandomScheduler::new_from_seed(SEED, EXECUTION_COUNT / 2);
    explore("random", scheduler(), 16, Honesty::Honest);
    explore("random", scheduler(), 1, Honesty::Honest);
}

#[test]
fn so_it_is_when_a_thread_is_held_back_for_long() {
    let scheduler = || PctScheduler::new_from_seed(SEED, PREEMPTION_COUNT, EXECUTION_COUNT / 2);
    explore("PCT, 3 preemptions", scheduler(), 16, Honesty::Honest);
    explore("PCT, 3 preemptions", scheduler(), 1, Honesty::Honest);
}

#[test]
#[should_panic(expected = "answered before it was durable")]
fn an_answer_ahead_of_the_journal_is_seen() {
    explore("random", RandomScheduler::new_from_seed(SEED, EXECUTION_COUNT), 16, Honesty::Early);
}
