//! Makes a failure short: the same seed with fewer steps, fewer people and less trouble, as long as it still fails
//! (delta debugging, A. Zeller, R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002).

use crate::run::{Options, Outcome, run};
use crate::shape::Knob;

/// Runs that are spent on one failure, at most.
const TRY_COUNT_MAX: u64 = 120;

/// The shortest failing run that was found.
#[derive(Debug)]
pub struct Shrunk {
    /// How it is run.
    pub options: Options,
    /// What it comes to; it fails.
    pub outcome: Outcome,
    /// Runs that were spent.
    pub try_count: u64,
}

/// Makes the failure of `seed` short. `None` when it does not fail.
pub fn shrink(seed: u64, options: &Options) -> Option<Shrunk> {
    shrink_with(&|options| run(seed, options), options)
}

fn shrink_with(run: &dyn Fn(&Options) -> Outcome, options: &Options) -> Option<Shrunk> {
    let options = Options { prints: false, ..options.clone() };
    let outcome = run(&options);
    outcome.failure.as_ref()?;
    let mut shrunk = Shrunk { options, outcome, try_count: 1 };
    loop {
        let before = shrunk.options.clone();
        shrunk.cut_steps(run);
        shrunk.switch_off(run);
        shrunk.send_people_home(run);
        if shrunk.options == before || shrunk.try_count >= TRY_COUNT_MAX {
            return Some(shrunk);
        }
    }
}

impl Shrunk {
    /// Keeps these options if the run still fails with them.
    fn keeps(&mut self, run: &dyn Fn(&Options) -> Outcome, options: Options) -> bool {
        if self.try_count >= TRY_COUNT_MAX {
            return false;
        }
        self.try_count += 1;
        let outcome = run(&options);
        let fails = outcome.failure.is_some();
        if fails {
            (self.options, self.outcome) = (options, outcome);
        }
        fails
    }

    /// Fewer steps: first those after the failure, then halves, quarters, eighths of what is left.
    fn cut_steps(&mut self, run: &dyn Fn(&Options) -> Outcome) {
        let failed_in = self.outcome.failure.as_ref().map_or(0, |failure| failure.step);
        let step_count = failed_in.min(self.options.step_count.unwrap_or(failed_in));
        if self.options.step_count != Some(step_count) {
            self.keeps(run, Options { step_count: Some(step_count), ..self.options.clone() });
        }
        let mut piece = self.options.step_count.unwrap_or(step_count) / 2;
        while piece > 0 {
            let left = self.options.step_count.unwrap_or(step_count).saturating_sub(piece);
            if !self.keeps(run, Options { step_count: Some(left), ..self.options.clone() }) {
                piece /= 2;
            }
            piece = piece.min(self.options.step_count.unwrap_or(step_count));
            if self.try_count >= TRY_COUNT_MAX {
                return;
            }
        }
    }

    /// Less trouble, kind by kind.
    fn switch_off(&mut self, run: &dyn Fn(&Options) -> Outcome) {
        for knob in Knob::ALL {
            if !self.options.without.contains(&knob) {
                let mut options = self.options.clone();
                options.without.push(knob);
                self.keeps(run, options);
            }
        }
    }

    /// Fewer people.
    fn send_people_home(&mut self, run: &dyn Fn(&Options) -> Outcome) {
        for buyer_count in [1, 2, 4, 8] {
            let is_fewer = self.options.buyer_count.is_none_or(|count| buyer_count < count);
            if is_fewer && self.keeps(run, Options { buyer_count: Some(buyer_count), ..self.options.clone() })
            {
                return;
            }
        }
    }

    /// What to type to see it again.
    pub fn command_line(&self) -> String {
        let Options { step_count, buyer_count, without, .. } = &self.options;
        let mut line = format!("cargo run --release -p sim -- --seed {} --trace", self.outcome.seed);
        if let Some(count) = step_count {
            line += &format!(" --steps {count}");
        }
        if let Some(count) = buyer_count {
            line += &format!(" --buyers {count}");
        }
        if !without.is_empty() {
            let names: Vec<String> = without.iter().map(|knob| knob.name()).collect();
            line += &format!(" --without {}", names.join(","));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reached::Reached;
    use crate::run::Failure;

    /// A world that fails in step 37, if there are power cuts and three people at least.
    fn fake(options: &Options) -> Outcome {
        let step_count = options.step_count.unwrap_or(400);
        let fails = step_count >= 37
            && options.buyer_count.unwrap_or(60) >= 3
            && !options.without.contains(&Knob::PowerCut);
        let failure = Failure { step: 37, reason: String::new(), story: Vec::new() };
        Outcome {
            seed: 9,
            step_count,
            simulated_ms: 0,
            fault_count: 0,
            hash: 0,
            reached: Reached::default(),
            failure: fails.then_some(failure),
        }
    }

    #[test]
    fn failure_keeps_only_what_it_needs() {
        let shrunk = shrink_with(&fake, &Options::default()).unwrap();
        assert_eq!(shrunk.options.step_count, Some(37));
        assert_eq!(shrunk.options.buyer_count, Some(4));
        assert_eq!(shrunk.options.without.len(), Knob::ALL.len() - 1);
        assert!(!shrunk.options.without.contains(&Knob::PowerCut));
        assert!(shrunk.try_count <= TRY_COUNT_MAX);
        let line = shrunk.command_line();
        assert!(line.contains("--seed 9 --trace --steps 37 --buyers 4 --without fuse,kill,"), "{line}");
    }

    #[test]
    fn run_that_passes_cannot_be_made_short() {
        let options = Options { without: vec![Knob::PowerCut], ..Options::default() };
        assert!(shrink_with(&fake, &options).is_none());
    }
}
