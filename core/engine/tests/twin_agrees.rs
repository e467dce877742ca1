//! The engine against its naive twin: over 10⁵ random commands in small worlds, and they agree fact by
//! fact, refusal by refusal, answer by answer and level by level, through snapshot and restore.
//!
//! `PROPTEST_RNG_SEED=7 PROPTEST_CASES=10000 cargo test --release -p engine --test twin_agrees` searches
//! elsewhere and longer. A failure prints the shortest list of commands that still fails. (Leaving out commands
//! shrinks far better here than proptest's shrinking of the numbers behind them, so that is turned off.)

#![allow(clippy::unwrap_used, reason = "all of this is a test, its helpers too")]

use std::cell::RefCell;

use domain::limits::TICK_FACT_COUNT_MAX;
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

mod twin;

use twin::{pair::Pair, reach::Reach, run, scenario};

const STEP_COUNT_MAX: usize = 400;
const CASE_COUNT: u32 = 800;

#[test]
fn engine_and_twin_agree_on_random_commands() {
    let from_environment = Config::default();
    let rng_seed = match from_environment.rng_seed {
        RngSeed::Random => RngSeed::Fixed(3),
        fixed => fixed,
    };
    let cases = from_environment.cases.max(CASE_COUNT);
    let config =
        Config { rng_seed, cases, failure_persistence: None, max_shrink_iters: 0, ..from_environment };
    let reach = RefCell::new(Reach::default());
    let entropy = vec(any::<u128>(), 1..=STEP_COUNT_MAX);
    let outcome = TestRunner::new(config).run(&entropy, |entropy| {
        let reached = run(&entropy).map_err(TestCaseError::fail)?;
        reach.borrow_mut().add(&reached);
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, _)) => panic!("{rng_seed:?}: {reason}"),
        Err(abort) => panic!("{abort}"),
    }
    let reach = reach.into_inner();
    println!("{reach:#?}");
    assert!(reach.commands >= 100_000, "only {} commands", reach.commands);
    reach.check_complete();
}

#[test]
fn tick_of_many_holds_goes_on_where_it_stopped() {
    let mut pair = Pair::new();
    let count = TICK_FACT_COUNT_MAX + 100;
    scenario::many_holds(&mut pair, count).unwrap();
    let first = pair.tick_at(scenario::AFTER_ALL_HOLDS).unwrap();
    let second = pair.tick_at(scenario::AFTER_ALL_HOLDS).unwrap();
    let third = pair.tick_at(scenario::AFTER_ALL_HOLDS).unwrap();
    assert_eq!((first, second, third), (TICK_FACT_COUNT_MAX, 100, 0));
    pair.check_everything().unwrap();
}
