//! What is attacked, and all the classes of attacks on it.

use std::fmt::Write as _;

use super::attack::Class;
use super::specimen::{Recipe, Specimen};
use super::{cuts, rot, snapshots};

/// At least so much of journals, and so much of snapshots, has every bit flipped.
const SIZE_BYTES_MIN: usize = 1 << 20;

/// Directories of every kind.
pub struct Ground {
    seed: u64,
    /// Journals of small segments, 1 MiB in all; the first one ends with a batch of several blocks.
    journals: Vec<Specimen>,
    /// Other lives of the same journals.
    others: Vec<Specimen>,
    /// Journals with two snapshots, whose newest ones have 1 MiB in all.
    snapshots: Vec<Specimen>,
    /// One with a snapshot of several chunks.
    large: Vec<Specimen>,
}

impl Ground {
    /// Grows all of it.
    ///
    /// # Errors
    /// None but a bug's.
    pub fn new(seed: u64) -> anyhow::Result<Ground> {
        let journals = grow(seed, SIZE_BYTES_MIN, false)?;
        let others: anyhow::Result<Vec<Specimen>> =
            journals.iter().map(|specimen| Recipe { life: 2, ..specimen.recipe }.grow()).collect();
        let snapshots = grow(seed ^ 1 << 32, SIZE_BYTES_MIN, true)?;
        let large =
            Recipe { round_count: 14, order_count_max: 5_000, has_snapshots: true, ..recipe(seed, 0) };
        Ok(Ground { seed, journals, others: others?, snapshots, large: vec![large.grow()?] })
    }

    /// How large it is.
    pub fn describe(&self) -> String {
        let mut text = format!("seed {}", self.seed);
        let segments = |specimens: &[Specimen]| -> (usize, usize) {
            let sizes = specimens.iter().flat_map(Specimen::segments).map(|(_, bytes)| bytes.len());
            sizes.fold((0, 0), |(count, size_bytes), more| (count + 1, size_bytes + more))
        };
        let (count, size_bytes) = segments(&self.journals);
        let records: usize = self.journals.iter().map(|specimen| specimen.records.len()).sum();
        let journal_count = self.journals.len();
        let _ = write!(
            text,
            ": {journal_count} journals of {count} segments, {size_bytes} bytes, {records} facts"
        );
        let _ = write!(
            text,
            "; {} snapshots of {} bytes",
            self.snapshots.len(),
            newest_size_bytes(&self.snapshots)
        );
        let _ = write!(text, "; a large one of {} bytes", newest_size_bytes(&self.large));
        text
    }
}

/// All classes of attacks.
pub fn classes(ground: &Ground) -> Vec<Class<'_>> {
    let Ground { seed, journals, others, snapshots, large } = ground;
    let mut classes = cuts::classes(*seed);
    classes.extend(rot::classes(journals));
    classes.extend(rot::last::classes());
    classes.extend(rot::blocks::classes(journals, others));
    classes.extend(rot::files::classes(journals, "journal"));
    classes.extend(rot::files::classes(snapshots, "journal with snapshots"));
    classes.extend(snapshots::classes(snapshots, large));
    classes
}

/// Specimens until there is enough of them.
fn grow(seed: u64, size_bytes_min: usize, has_snapshots: bool) -> anyhow::Result<Vec<Specimen>> {
    let (mut specimens, mut size_bytes) = (Vec::new(), 0);
    while size_bytes < size_bytes_min {
        let number = specimens.len() as u64;
        let specimen = match (has_snapshots, number) {
            (false, 0) => Recipe { round_count: 3, last_order_count: 380, ..recipe(seed, 0) },
            (false, _) => recipe(seed, number),
            (true, _) => {
                Recipe { round_count: 5, order_count_max: 20, has_snapshots, ..recipe(seed, number) }
            }
        };
        let specimen = specimen.grow()?;
        size_bytes += if has_snapshots {
            newest_size_bytes(std::slice::from_ref(&specimen))
        } else {
            specimen.segments().iter().map(|(_, bytes)| bytes.len()).sum()
        };
        specimens.push(specimen);
    }
    Ok(specimens)
}

fn recipe(seed: u64, number: u64) -> Recipe {
    Recipe {
        seed: seed ^ number << 8,
        life: 1,
        segment_page_count: 3 + number % 3,
        round_count: 4 + number % 3,
        order_count_max: 60,
        line_count_max: 16,
        last_order_count: 0,
        has_snapshots: false,
    }
}

fn newest_size_bytes(specimens: &[Specimen]) -> usize {
    specimens.iter().filter_map(|specimen| specimen.snapshots().last().map(|(_, bytes)| bytes.len())).sum()
}
