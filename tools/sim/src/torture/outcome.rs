//! What an image of a disk came to.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What an image of a disk came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// A crash image: everything acknowledged is there, nothing invented, and the journal goes on.
    Held,
    /// The damage was named: refused with file, offset and fault; or recovered with the true content and said so.
    Named,
    /// Nothing was said, and the content was compared and is the true one: the bytes carry no information.
    Harmless,
    /// The one thing that a single copy cannot know: its end is an earlier, whole state. `docs/formats/journal.md` says
    /// so, and a snapshot ahead of it makes it known.
    Limit,
    /// No image: the change changes nothing.
    Same,
    /// Something is lost or invented, whatever was said.
    Wrong(String),
    /// The content differs, or the damage is not where it was said to be, and nobody said a word.
    Silent(String),
    /// The code under attack panicked.
    Panicked(String),
}

impl Outcome {
    /// Where every bit counts: that a changed one does no harm is not enough.
    #[must_use]
    pub fn must_be_named(self) -> Outcome {
        match self {
            Outcome::Harmless => {
                Outcome::Silent("nobody noticed, though the content is the true one".to_owned())
            }
            other => other,
        }
    }

    /// Why it is a failure, if it is one.
    pub fn failure(&self) -> Option<&str> {
        match self {
            Outcome::Wrong(reason) | Outcome::Silent(reason) | Outcome::Panicked(reason) => Some(reason),
            _ => None,
        }
    }
}

/// How many images came to what.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tally {
    /// Images, without those that were no change.
    pub images: u64,
    /// [`Outcome::Held`].
    pub held: u64,
    /// [`Outcome::Named`].
    pub named: u64,
    /// [`Outcome::Harmless`].
    pub harmless: u64,
    /// [`Outcome::Limit`].
    pub limit: u64,
    /// [`Outcome::Wrong`].
    pub wrong: u64,
    /// [`Outcome::Silent`].
    pub silent: u64,
    /// [`Outcome::Panicked`].
    pub panics: u64,
}

impl Tally {
    /// Counts one.
    pub fn count(&mut self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Same => return,
            Outcome::Held => &mut self.held,
            Outcome::Named => &mut self.named,
            Outcome::Harmless => &mut self.harmless,
            Outcome::Limit => &mut self.limit,
            Outcome::Wrong(_) => &mut self.wrong,
            Outcome::Silent(_) => &mut self.silent,
            Outcome::Panicked(_) => &mut self.panics,
        };
        *counter += 1;
        self.images += 1;
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Tally) {
        self.images += other.images;
        self.held += other.held;
        self.named += other.named;
        self.harmless += other.harmless;
        self.limit += other.limit;
        self.wrong += other.wrong;
        self.silent += other.silent;
        self.panics += other.panics;
    }

    /// Whether nothing was lost, nothing silent, and nothing panicked.
    pub fn is_good(&self) -> bool {
        self.wrong + self.silent + self.panics == 0
    }
}

/// Runs a check; a panic is an outcome.
pub fn guarded(check: impl FnOnce() -> Outcome) -> Outcome {
    catch_unwind(AssertUnwindSafe(check)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Outcome::Panicked(text.unwrap_or("a panic without a text").to_owned())
    })
}
