//! One seed, from beginning to end.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::dice::Dice;
use crate::reached::Reached;
use crate::shape::{Knob, Shape};
use crate::world::World;

/// How a run is done. The default is as the seed says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Steps of the rush; `None`: as the seed says.
    pub step_count: Option<u64>,
    /// How many people there are; `None`: as the seed says.
    pub buyer_count: Option<u64>,
    /// Trouble that is switched off.
    pub without: Vec<Knob>,
    /// Whether the story is printed as it goes.
    pub prints: bool,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// How many steps it took.
    pub step_count: u64,
    /// How much time passed in it.
    pub simulated_ms: u64,
    /// How many faults were injected.
    pub fault_count: u64,
    /// The same for every run of this seed, by the same program.
    pub hash: u64,
    /// What it reached.
    pub reached: Reached,
    /// What went wrong.
    pub failure: Option<Failure>,
}

/// What went wrong.
#[derive(Debug)]
pub struct Failure {
    /// In which step.
    pub step: u64,
    /// What.
    pub reason: String,
    /// What happened before, line by line.
    pub story: Vec<String>,
}

/// Runs a seed.
pub fn run(seed: u64, options: &Options) -> Outcome {
    let mut world = World::new(seed, shape(seed, options), options.prints);
    let played = catch_unwind(AssertUnwindSafe(|| world.play()));
    let verdict = played.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("panicked: {}", text.unwrap_or("without a word")))
    });
    let (step, hash) = (world.story.step(), world.story.hash());
    let failure = verdict.err().map(|reason| Failure { step, reason, story: world.story.end() });
    Outcome {
        seed,
        step_count: step,
        simulated_ms: world.elapsed_ms(),
        fault_count: world.fault_count(),
        hash,
        reached: world.reached().clone(),
        failure,
    }
}

fn shape(seed: u64, options: &Options) -> Shape {
    let mut shape = Shape::new(&mut Dice::new(seed));
    shape.step_count = options.step_count.unwrap_or(shape.step_count);
    shape.buyer_count = options.buyer_count.unwrap_or(shape.buyer_count);
    options.without.iter().fold(shape, |shape, knob| shape.without(*knob))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_tells_the_same_story() {
        let options = Options::default();
        for seed in [1, 2, 3] {
            let (first, second) = (run(seed, &options), run(seed, &options));
            assert!(first.failure.is_none(), "{:?}", first.failure);
            assert_eq!((first.hash, first.step_count), (second.hash, second.step_count), "seed {seed}");
        }
        assert_ne!(run(1, &options).hash, run(2, &options).hash);
    }

    #[test]
    fn seeds_that_found_something_once_pass() {
        for (seed, without) in FOUND {
            let options = Options { without: without.to_vec(), ..Options::default() };
            let outcome = run(*seed, &options);
            assert!(outcome.failure.is_none(), "seed {seed}: {:?}", outcome.failure);
        }
    }

    /// Seeds that failed once, without which trouble, and what each found. A seed means another world whenever the
    /// simulator learns something new; then the bug is put back for a moment, and a seed that finds it is looked for
    /// anew.
    const FOUND: &[(u64, &[Knob])] = &[
        // Several old segments were removed before one sync of the directory; the power brought an older one back
        // but not the next, and recovery refused the gap. Fixed by a sync after each removal. Found by seeds 83, 232
        // and 313 of the worlds that had one sale in one shard.
        (201, &[Knob::BitFlip, Knob::MessageLate]),
        // No bug of the system: a refusal that came late made a buyer give up though a later attempt was stored.
        (548, &[]),
    ];
}
