//! A seeded sample of every class of `cargo xtask torture`, which tries all of them.

use sim::torture::attack::{Extent, run};
use sim::torture::everything::{Ground, classes};

const SEED: u64 = 1;
const THREAD_COUNT: usize = 2;

// covers: I5
#[test]
fn sampled_cuts_are_survived_and_sampled_rot_is_named() {
    let ground = Ground::new(SEED).unwrap();
    for class in classes(&ground) {
        let report = run(&class, Extent::Sample(SEED), THREAD_COUNT, &|_| ());
        assert!(report.tally.images > 0, "{}: no images", report.name);
        assert!(report.tally.is_good(), "seed {SEED}: {report:#?}");
    }
}
