//! Who comes when, and what they are like: all of it from the seed, before anything is sent.

use std::time::Duration;

use super::args::DemoArgs;

/// The rush at the opening is so many times the usual rate on top of it, and dies down with [`RUSH_S`].
const RUSH_FACTOR: f64 = 2.0;
const RUSH_S: f64 = 2.0;
/// One in a hundred is there before the doors open, by up to so much.
const EARLY_PERCENT: u8 = 1;
pub(crate) const EARLY_MAX: Duration = Duration::from_millis(500);
const DOUBLE_CLICK_PERCENT: u8 = 10;
const CANCELS_PERCENT: u8 = 5;
const NEVER_PAYS_PERCENT: u8 = 5;

/// The crowd, by arrival.
#[derive(PartialEq, Debug)]
pub(crate) struct Plan {
    pub(crate) visitors: Vec<Visitor>,
}

/// One buyer.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Visitor {
    /// When, counted from [`EARLY_MAX`] before the opening.
    pub(crate) arrives_after: Duration,
    /// Decides about everything else that this buyer does.
    pub(crate) seed: u64,
    /// Clicks twice at once, with the same key.
    pub(crate) clicks_twice: bool,
    /// What they do with their first order. After that everybody pays.
    pub(crate) conduct: Conduct,
}

/// What a buyer does with the first order they get.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Conduct {
    Pays,
    Cancels,
    NeverPays,
}

impl Plan {
    pub(crate) fn draw(args: &DemoArgs) -> Plan {
        let mut random = fastrand::Rng::with_seed(args.seed);
        let arrivals = Arrivals { count: f64::from(args.buyers), rate: f64::from(args.rate) };
        let end_s = arrivals.instant_s(1.0, f64::from(args.buyers));
        let mut visitors: Vec<Visitor> = (0..args.buyers)
            .map(|_| Visitor {
                arrives_after: draw_arrival(&mut random, &arrivals, end_s),
                seed: random.u64(..),
                clicks_twice: random.u8(0..100) < DOUBLE_CLICK_PERCENT,
                conduct: draw_conduct(&mut random),
            })
            .collect();
        visitors.sort_by_key(|visitor| visitor.arrives_after);
        Plan { visitors }
    }

    /// When the last one arrives, counted as the arrivals are.
    pub(crate) fn duration(&self) -> Duration {
        self.visitors.last().map_or(Duration::ZERO, |last| last.arrives_after)
    }
}

fn draw_arrival(random: &mut fastrand::Rng, arrivals: &Arrivals, end_s: f64) -> Duration {
    if random.u8(0..100) < EARLY_PERCENT {
        return EARLY_MAX.mul_f64(random.f64());
    }
    EARLY_MAX + Duration::from_secs_f64(arrivals.instant_s(random.f64(), end_s))
}

fn draw_conduct(random: &mut fastrand::Rng) -> Conduct {
    match random.u8(0..100) {
        draw if draw < CANCELS_PERCENT => Conduct::Cancels,
        draw if draw < CANCELS_PERCENT + NEVER_PAYS_PERCENT => Conduct::NeverPays,
        _ => Conduct::Pays,
    }
}

/// A Poisson process whose rate is `rate × (1 + RUSH_FACTOR × e^(−t / RUSH_S))`, given how many arrive in all:
/// then every arrival is drawn by itself from the normed rate (D. Cox and P. Lewis, 1966).
struct Arrivals {
    count: f64,
    rate: f64,
}

impl Arrivals {
    /// How many are expected within the first `seconds`.
    fn expected(&self, seconds: f64) -> f64 {
        self.rate * (seconds + RUSH_FACTOR * RUSH_S * (1.0 - (-seconds / RUSH_S).exp()))
    }

    /// The instant before which `part` of all have come; looked for by halving between 0 and `end_s`.
    fn instant_s(&self, part: f64, end_s: f64) -> f64 {
        let (mut low, mut high) = (0.0, end_s);
        for _ in 0..40 {
            let middle = f64::midpoint(low, high);
            if self.expected(middle) < part * self.count { low = middle } else { high = middle }
        }
        f64::midpoint(low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(seed: u64) -> DemoArgs {
        DemoArgs { buyers: 20_000, rate: 2_000, seed, ..DemoArgs::default() }
    }

    fn percent(plan: &Plan, fits: impl Fn(&Visitor) -> bool) -> usize {
        plan.visitors.iter().filter(|visitor| fits(visitor)).count() * 100 / plan.visitors.len()
    }

    #[test]
    fn plan_follows_its_seed() {
        assert_eq!(Plan::draw(&args(1)), Plan::draw(&args(1)));
        assert_ne!(Plan::draw(&args(1)), Plan::draw(&args(2)));
    }

    #[test]
    fn crowd_rushes_in_at_the_opening_and_keeps_the_rate_after_it() {
        let plan = Plan::draw(&args(3));
        let within = |from_ms, to_ms| {
            let (from, to) =
                (EARLY_MAX + Duration::from_millis(from_ms), EARLY_MAX + Duration::from_millis(to_ms));
            let arrives = |visitor: &&Visitor| (from..to).contains(&visitor.arrives_after);
            plan.visitors.iter().filter(arrives).count()
        };
        let (first, fifth) = (within(0, 1_000), within(5_000, 6_000));
        assert!((4_600..5_500).contains(&first), "first second: {first}");
        assert!((2_000..2_500).contains(&fifth), "fifth second: {fifth}");
        assert!(
            (10..50).contains(&(plan.visitors.len() - within(0, 60_000)).div_ceil(10)),
            "some come early"
        );
        assert!((5.0..7.0).contains(&plan.duration().as_secs_f64()), "{:?}", plan.duration());
    }

    #[test]
    fn one_in_ten_clicks_twice_and_some_do_not_pay() {
        let plan = Plan::draw(&args(4));
        assert!(percent(&plan, |visitor| visitor.clicks_twice).abs_diff(10) <= 1);
        assert!(percent(&plan, |visitor| visitor.conduct == Conduct::Cancels).abs_diff(5) <= 1);
        assert!(percent(&plan, |visitor| visitor.conduct == Conduct::NeverPays).abs_diff(5) <= 1);
    }
}
