//! Linearizability: 64 HTTP clients ask the real binary about the same few items, while it is killed and started again;
//! whatever they were told is what they would have been told one after another, in an order that agrees with what
//! they saw happen before what.
//!
//! One round is a sale of its own with [`crowd::ITEMS`], 64 clients, and two times SIGKILL; one item's operations in one
//! round are a history, from the item's first unit on. Buyers share connections, orders and keys: four clients act for
//! each, and repeat, cancel and pay what another one ordered. Every answer counts: what was sold out and how much was
//! left, the limit, the levels on the stock page, what a change of stock came to, the state and the payments of an
//! order. `model.rs` says which answers are right, `history.rs` how it is judged, and `planted.rs` shows that lies
//! are found.
//!
//! What this does not see: holds that end, for they are longer than a round; baskets of several items, for the histories
//! of items are judged apart; lists, which say themselves at which position they stand.
//!
//! The seed decides who asks what and when the server dies, but not how threads take turns: the same seed is the same
//! storm, not the same history. A failure prints the history. `ONRUSH_LINEAR_ROUNDS` sets how many rounds there
//! are, `ONRUSH_LINEAR_SEED` the first seed:
//!
//! ```text
//! ONRUSH_LINEAR_ROUNDS=1000 cargo test --release -p onrush --test linear -- --nocapture histories
//! ```

mod client;
mod crowd;
mod guide;
mod history;
mod model;
mod planted;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use fastrand::Rng;

use crowd::{Arena, CLIENT_COUNT, ITEMS};
use history::{History, Verdict};

const SEED: u64 = 20_261_121;
const ROUND_COUNT: u64 = 5;

/// Answers without which a run has not tried much.
const EXPECTED: [&str; 9] =
    ["Placed", "SoldOut", "LimitReached", "KeyReused", "State", "RefusedIn", "Order", "Levels", "Done"];

// covers: I1, I2, I3, I4, I5, I6
#[test]
fn histories_of_64_clients_are_linearizable_over_kills() {
    let seed = setting("ONRUSH_LINEAR_SEED", SEED);
    let mut rng = Rng::with_seed(seed);
    let mut arena = Arena::new();
    let mut tally = Tally::default();
    for round in 0..setting("ONRUSH_LINEAR_ROUNDS", ROUND_COUNT) {
        for (item, history) in ITEMS.iter().zip(arena.round(round, &mut rng)) {
            let verdict = history.judge();
            assert!(
                verdict.is_good(),
                "seed {seed}, round {round}, item {item}: {verdict:?}\n{}",
                history.shortest_unexplained()
            );
            tally.add(&history, verdict);
        }
    }
    println!("seed {seed}: {CLIENT_COUNT} clients, {} kills, {tally}", arena.kill_count);
    arena.stop();
    for expected in EXPECTED {
        assert!(tally.answers.contains_key(expected), "nobody was told {expected}: {tally}");
    }
}

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().map_or(usual, |value| value.parse().expect("a number"))
}

/// What was judged.
#[derive(Default)]
struct Tally {
    history_count: u64,
    as_told_count: u64,
    operation_count: u64,
    operation_count_max: u64,
    step_count: u64,
    step_count_max: u64,
    answers: BTreeMap<String, u64>,
}

impl Tally {
    fn add(&mut self, history: &History, verdict: Verdict) {
        let operation_count = u64::try_from(history.operations.len()).expect("some hundreds");
        self.history_count += 1;
        self.operation_count += operation_count;
        self.operation_count_max = self.operation_count_max.max(operation_count);
        match verdict {
            Verdict::Linearizable { step_count } => {
                self.step_count += step_count;
                self.step_count_max = self.step_count_max.max(step_count);
            }
            _ => self.as_told_count += 1,
        }
        for recorded in &history.operations {
            let told = recorded.operation.answer.map_or("nothing".to_owned(), |answer| format!("{answer:?}"));
            let kind = told.split([' ', '(']).next().unwrap_or_default().to_owned();
            *self.answers.entry(kind).or_default() += 1;
        }
    }
}

impl Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { history_count, as_told_count, operation_count, operation_count_max, .. } = self;
        let Tally { step_count, step_count_max, answers, .. } = self;
        write!(
            f,
            "{operation_count} operations in {history_count} histories of up to {operation_count_max}: "
        )?;
        write!(f, "{} by search in {step_count} steps, ", history_count - as_told_count)?;
        write!(f, "{step_count_max} at most, {as_told_count} as told; answers: {answers:?}")
    }
}
