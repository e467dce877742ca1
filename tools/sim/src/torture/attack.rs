//! Runs classes of images on all cores, all of them or a seeded sample, and counts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::outcome::{Outcome, Tally, guarded};
use crate::dice::Dice;

/// Images that a thread takes at once.
const PIECE_COUNT: u64 = 256;
/// Failures of a class that are told; all are counted.
const FAILURE_TOLD_COUNT_MAX: usize = 5;

/// Images of one kind, by number.
pub struct Class<'a> {
    /// What is done to the disk.
    pub name: String,
    /// How many images there are.
    pub count: u64,
    /// How many of them a sample takes.
    pub sample_count: u64,
    /// Makes the image of that number, recovers from it, and judges.
    pub check: Box<dyn Fn(u64) -> Outcome + Sync + 'a>,
}

/// Which images of a class are tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// All of them.
    Full,
    /// As many as the class says, chosen by this seed.
    Sample(u64),
    /// This one.
    One(u64),
}

/// What a class came to.
#[derive(Debug)]
pub struct Report {
    /// The class.
    pub name: String,
    /// The counts.
    pub tally: Tally,
    /// The first failures: number of the image, and reason.
    pub failures: Vec<(u64, String)>,
}

/// Tries the images of a class on `thread_count` threads; `progress` hears how many more were tried.
pub fn run(
    class: &Class<'_>,
    extent: Extent,
    thread_count: usize,
    progress: &(dyn Fn(u64) + Sync),
) -> Report {
    let total = tried_count(class, extent);
    let next = AtomicU64::new(0);
    let report =
        Mutex::new(Report { name: class.name.clone(), tally: Tally::default(), failures: Vec::new() });
    let work = || {
        loop {
            let from = next.fetch_add(PIECE_COUNT, Ordering::Relaxed);
            if from >= total {
                break;
            }
            let to = (from + PIECE_COUNT).min(total);
            let (tally, failures) = piece(class, extent, from..to);
            let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
            report.tally.add(&tally);
            report.failures.extend(failures);
            progress(to - from);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread_count {
            scope.spawn(work);
        }
    });
    let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.failures.sort();
    report.failures.truncate(FAILURE_TOLD_COUNT_MAX);
    report
}

/// How many images of a class are tried.
pub fn tried_count(class: &Class<'_>, extent: Extent) -> u64 {
    match extent {
        Extent::Full => class.count,
        Extent::Sample(_) => class.sample_count.min(class.count),
        Extent::One(_) => 1,
    }
}

fn piece(class: &Class<'_>, extent: Extent, range: std::ops::Range<u64>) -> (Tally, Vec<(u64, String)>) {
    let (mut tally, mut failures) = (Tally::default(), Vec::new());
    for index in range {
        let number = match extent {
            Extent::Full => index,
            Extent::One(number) => number,
            Extent::Sample(_) if class.count <= class.sample_count => index,
            Extent::Sample(seed) => Dice::new(seed ^ index << 20).below(class.count),
        };
        let outcome = guarded(|| (class.check)(number));
        tally.count(&outcome);
        if let Some(reason) = outcome.failure()
            && failures.len() < FAILURE_TOLD_COUNT_MAX
        {
            failures.push((number, reason.to_owned()));
        }
    }
    (tally, failures)
}
