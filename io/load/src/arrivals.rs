//! When requests are meant to be sent, in an open loop.

use crate::plan::{Pace, Spacing};
use crate::requests::Share;

const NS_PER_S: u64 = 1_000_000_000;

/// The instants at which one thread's requests are due, in nanoseconds since the run began.
pub(crate) struct Arrivals {
    next_ns: u64,
    gaps: Gaps,
}

enum Gaps {
    /// Arrival `number` of all threads together is due at `number` / rate: no rounding adds up.
    Constant { number: u64, step: u64, rate: u64 },
    /// Exponential gaps with that mean. Several independent Poisson processes make one of their summed rate.
    Poisson { random: fastrand::Rng, mean_ns: f64 },
}

impl Arrivals {
    /// One thread's part of the pace; none in a closed loop.
    pub(crate) fn new(pace: Pace, share: Share) -> Option<Arrivals> {
        let Pace::Open { rate_per_second, spacing, seed } = pace else { return None };
        let (index, count) = (share.index as u64, share.count as u64);
        let gaps = match spacing {
            Spacing::Constant => Gaps::Constant { number: index, step: count, rate: rate_per_second.into() },
            Spacing::Poisson => Gaps::Poisson {
                // Seeds of neighbouring runs must not meet: the index goes into the upper half.
                random: fastrand::Rng::with_seed(seed ^ (index << 32)),
                mean_ns: 1e9 * share.count as f64 / f64::from(rate_per_second),
            },
        };
        let mut arrivals = Arrivals { next_ns: 0, gaps };
        arrivals.next_ns = match &mut arrivals.gaps {
            Gaps::Constant { number, rate, .. } => due_ns(*number, *rate),
            Gaps::Poisson { random, mean_ns } => gap_ns(random, *mean_ns),
        };
        Some(arrivals)
    }

    /// The next one.
    pub(crate) fn next_ns(&self) -> u64 {
        self.next_ns
    }

    /// The next one has come.
    pub(crate) fn advance(&mut self) {
        match &mut self.gaps {
            Gaps::Constant { number, step, rate } => {
                *number += *step;
                self.next_ns = due_ns(*number, *rate);
            }
            Gaps::Poisson { random, mean_ns } => self.next_ns += gap_ns(random, *mean_ns),
        }
    }
}

fn due_ns(number: u64, rate: u64) -> u64 {
    // In two parts, since the product of all would not fit.
    number / rate * NS_PER_S + number % rate * NS_PER_S / rate
}

/// An exponential gap by inversion of its distribution.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a gap is positive and below 37 means"
)]
fn gap_ns(random: &mut fastrand::Rng, mean_ns: f64) -> u64 {
    // `1 − f64()` lies in (0, 1], so that its logarithm is finite.
    (-(1.0 - random.f64()).ln() * mean_ns) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within_a_second(spacing: Spacing, share: Share, seed: u64) -> Vec<u64> {
        let pace = Pace::Open { rate_per_second: 3_000, spacing, seed };
        let mut arrivals = Arrivals::new(pace, share).unwrap();
        let mut due = Vec::new();
        while arrivals.next_ns() < NS_PER_S {
            due.push(arrivals.next_ns());
            arrivals.advance();
        }
        due
    }

    #[test]
    fn constant_arrivals_of_all_threads_are_evenly_spaced() {
        let mut due: Vec<u64> = (0..2)
            .flat_map(|index| within_a_second(Spacing::Constant, Share { index, count: 2 }, 1))
            .collect();
        due.sort_unstable();
        assert_eq!(due.len(), 3_000);
        let gaps: Vec<u64> = due.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.iter().all(|gap| (333_333..=333_334).contains(gap)), "{gaps:?}");
    }

    #[test]
    fn poisson_arrivals_follow_their_seed_and_have_the_rate() {
        let due = within_a_second(Spacing::Poisson, Share::WHOLE, 7);
        assert_eq!(due, within_a_second(Spacing::Poisson, Share::WHOLE, 7));
        assert_ne!(due, within_a_second(Spacing::Poisson, Share::WHOLE, 8));
        assert!((2_800..3_200).contains(&due.len()), "{}", due.len());
        // Of exponential gaps, 1 − 1/e are shorter than the mean.
        let short = due.windows(2).filter(|pair| pair[1] - pair[0] < 333_333).count();
        assert!((0.60..0.66).contains(&(short as f64 / due.len() as f64)), "{short} of {}", due.len());
    }

    #[test]
    fn threads_do_not_arrive_in_step() {
        let first = within_a_second(Spacing::Poisson, Share { index: 0, count: 2 }, 1);
        let second = within_a_second(Spacing::Poisson, Share { index: 1, count: 2 }, 1);
        assert_ne!(first[..10], second[..10]);
        assert!((2_800..3_200).contains(&(first.len() + second.len())));
    }

    #[test]
    fn closed_loop_has_no_arrivals() {
        assert!(Arrivals::new(Pace::Closed, Share::WHOLE).is_none());
    }
}
