//! Requests that arrive in the same instant, at the real binary: whoever is first, the outcome is one, and the
//! answers, the order and the stock agree on which.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails where it stands, and tells its seed"
)]

mod instant;
mod limit;
mod outcome;
#[path = "../support/mod.rs"]
mod support;

use fastrand::Rng;

/// Decides who sends what, and when; another one is set with `RACES_SEED`.
const SEED: u64 = 20_261_122;

fn rng() -> Rng {
    let seed = std::env::var("RACES_SEED").ok().map_or(SEED, |seed| seed.parse().expect("a number"));
    println!("seed {seed}");
    Rng::with_seed(seed)
}
