//! Random commands for the engine and its twin: what is tried next ([`generate`]), both sides of it
//! ([`pair`]), what has been reached ([`reach`]).

pub(crate) mod dice;
pub(crate) mod generate;
pub(crate) mod pair;
pub(crate) mod reach;
pub(crate) mod scenario;
pub(crate) mod terms;

use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::{Command, UnixMs};

use dice::Dice;
use generate::Generator;
use pair::Pair;
use reach::Reach;

/// Every so many commands the engine is restored from its snapshot, and every order compared.
const COMMANDS_BETWEEN_FULL_CHECKS: usize = 23;

/// What is done next.
#[derive(Clone)]
pub(crate) enum Step {
    Execute(UnixMs, Command),
    CheckAndRestore,
}

/// One command for each number, all of them decided by both. The error tells the shortest story that could
/// be found.
pub(crate) fn run(entropy: &[u128]) -> Result<Reach, String> {
    let mut pair = Pair::new();
    let mut steps = Vec::new();
    match caught(|| play(&mut pair, entropy, &mut steps)) {
        Ok(()) => Ok(pair.reach),
        Err(_) => Err(tell(shrink(steps))),
    }
}

fn play(pair: &mut Pair, entropy: &[u128], steps: &mut Vec<Step>) -> Result<(), String> {
    // Half of the runs tick before each command as the sequencer does; the others seldom, so that
    // commands meet holds and sales whose time is over unnoticed.
    let ticks_always = entropy[0] % 2 == 1;
    let mut generator = Generator::default();
    let mut take = |pair: &mut Pair, step: Step| {
        steps.push(step.clone());
        pair.take(&step)
    };
    for (index, number) in entropy.iter().enumerate() {
        let (now, command) = generator.next(&pair.twin, pair.now, Dice::new(*number));
        if ticks_always {
            take(pair, Step::Execute(now, Command::Tick))?;
        }
        take(pair, Step::Execute(now, command))?;
        if index % COMMANDS_BETWEEN_FULL_CHECKS == 0 {
            take(pair, Step::CheckAndRestore)?;
        }
    }
    take(pair, Step::CheckAndRestore)
}

/// Leaves out every step without which it still fails, until none is left.
fn shrink(mut steps: Vec<Step>) -> Vec<Step> {
    loop {
        let count = steps.len();
        for index in (0..count).rev() {
            let mut fewer = steps.clone();
            fewer.remove(index);
            if replay(&mut Pair::new(), &fewer).is_err() {
                steps = fewer;
            }
        }
        if steps.len() == count {
            return steps;
        }
    }
}

fn tell(steps: Vec<Step>) -> String {
    let mut pair = Pair::new();
    let error = replay(&mut pair, &steps).err().unwrap_or_else(|| "it fails no more".to_owned());
    format!("{error}\nafter:\n{}", pair.story.join("\n"))
}

fn replay(pair: &mut Pair, steps: &[Step]) -> Result<(), String> {
    caught(|| steps.iter().try_for_each(|step| pair.take(step)))
}

/// Turns a panic into an error like any other.
fn caught(f: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("panicked: {}", text.unwrap_or_default()))
    })
}
