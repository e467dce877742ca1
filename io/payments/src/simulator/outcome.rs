//! What becomes of a charge: drawn from the seed and the charge's own name, so that the same seed brings the
//! same fates in whatever order, and however often, the charges are asked for.

use std::time::Duration;

use domain::KeyDigest;

use super::SimulatorConfig;
use super::wire::{CallbackResult, ChargeBody};

/// The fate of one charge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Outcome {
    /// The payment's name: 15 bytes, so that a journal shows it as it is.
    pub(crate) payment: String,
    /// Whether the money comes; `None`: the buyer leaves the payment page, and nobody ever hears of it.
    pub(crate) result: Option<CallbackResult>,
    /// How long after the charge the provider calls back.
    pub(crate) delay: Duration,
    /// Whether it calls back a second time, as long again after the first.
    pub(crate) twice: bool,
}

impl Outcome {
    pub(crate) fn draw(config: &SimulatorConfig, charge: &ChargeBody) -> Outcome {
        let name = format!("{}/{}/{}", config.seed, charge.order, charge.idempotency_key);
        let KeyDigest(digest) = KeyDigest::from_text(&name);
        let mut random = fastrand::Rng::with_seed(digest);
        let mut hits = |percent: u8| random.u8(0..100) < percent;
        // Every draw is made for every charge: one setting does not move the luck of another.
        let (fails, late) = (hits(config.fail_percent), hits(config.late_percent));
        let (twice, never) = (hits(config.twice_percent), hits(config.never_percent));
        let result = if fails { CallbackResult::Failed } else { CallbackResult::Succeeded };
        let delay_ms = config.delay_ms + if late { config.late_ms } else { 0 };
        Outcome {
            payment: format!("sim-{:011x}", digest >> 20),
            result: (!never).then_some(result),
            delay: Duration::from_millis(delay_ms),
            twice,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(config: &SimulatorConfig) -> Vec<Outcome> {
        let charge = |number: u32| ChargeBody {
            order: format!("ORDER{number}"),
            amount: 1,
            currency: "EUR".to_owned(),
            callback_url: String::new(),
            idempotency_key: "k".to_owned(),
        };
        (0..10_000).map(|number| Outcome::draw(config, &charge(number))).collect()
    }

    fn count(outcomes: &[Outcome], fits: impl Fn(&Outcome) -> bool) -> usize {
        outcomes.iter().filter(|outcome| fits(outcome)).count()
    }

    #[test]
    fn fates_follow_the_percentages_and_the_seed() {
        let base = SimulatorConfig::default();
        let config = SimulatorConfig {
            seed: 7,
            fail_percent: 30,
            delay_ms: 10,
            late_percent: 20,
            late_ms: 5_000,
            twice_percent: 10,
            never_percent: 5,
            ..base
        };
        let drawn = outcomes(&config);
        let failed = count(&drawn, |outcome| outcome.result == Some(CallbackResult::Failed));
        let never = count(&drawn, |outcome| outcome.result.is_none());
        let late = count(&drawn, |outcome| outcome.delay == Duration::from_millis(5_010));
        let twice = count(&drawn, |outcome| outcome.twice);
        assert!((2_600..3_100).contains(&failed), "{failed}");
        assert!((400..600).contains(&never), "{never}");
        assert!((1_850..2_150).contains(&late), "{late}");
        assert!((900..1_100).contains(&twice), "{twice}");
        assert_eq!(outcomes(&config), drawn, "the same seed, the same fates");
        assert_ne!(outcomes(&SimulatorConfig { seed: 8, ..config }), drawn);
    }

    #[test]
    fn zero_and_hundred_percent_are_exact() {
        let config = SimulatorConfig { fail_percent: 100, twice_percent: 0, ..SimulatorConfig::default() };
        let drawn = outcomes(&config);
        assert_eq!(count(&drawn, |outcome| outcome.result == Some(CallbackResult::Failed)), drawn.len());
        assert_eq!(count(&drawn, |outcome| outcome.twice), 0);
    }
}
