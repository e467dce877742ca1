//! Whole files: missing, cut short, too long, or in an older state.

use std::sync::Arc;

use domain::Seq;

use super::{Place, Spread, judge, with};
use crate::torture::attack::Class;
use crate::torture::outcome::Outcome;
use crate::torture::ram::Image;
use crate::torture::specimen::{Specimen, is_segment};

const SECTOR_SIZE_BYTES: usize = 512;
/// What may stand behind a file's end: so many bytes, of this value.
const GARBAGE: [(usize, u8); 8] =
    [(1, 0), (1, 7), (511, 0), (512, 0xFF), (4_096, 0), (4_096, 7), (8_192, 0), (65_536, 1)];

/// Files of a specimen that changed as a whole.
pub fn classes<'a>(specimens: &'a [Specimen], of: &str) -> Vec<Class<'a>> {
    let cuts = Spread::segments(specimens, |bytes| bytes.len() / SECTOR_SIZE_BYTES);
    let garbage = Spread::segments(specimens, |_| GARBAGE.len());
    let missing = Spread::segments(specimens, |_| 1);
    let older = older_copies(specimens);
    vec![
        Class {
            name: format!("{of}: cut short at a sector"),
            count: cuts.total(),
            sample_count: 1_000,
            check: Box::new(move |number| {
                let (specimen, name, sector) = cuts.place(number);
                let image = with(specimen, name, |bytes| bytes.truncate(sector * SECTOR_SIZE_BYTES));
                judge(specimen, image, Place::At(name, 0))
            }),
        },
        Class {
            name: format!("{of}: garbage behind the end"),
            count: garbage.total(),
            sample_count: 500,
            check: Box::new(move |number| {
                let (specimen, name, kind) = garbage.place(number);
                let (size, byte) = GARBAGE[kind];
                let image = with(specimen, name, |bytes| bytes.resize(bytes.len() + size, byte));
                judge(specimen, image, Place::At(name, 0))
            }),
        },
        Class {
            name: format!("{of}: a segment missing"),
            count: missing.total(),
            sample_count: 500,
            check: Box::new(move |number| {
                let (specimen, name, _) = missing.place(number);
                let mut image = specimen.image.clone();
                image.remove(name);
                judge_end(specimen, image, name)
            }),
        },
        Class {
            name: format!("{of}: a segment in an older state"),
            count: older.len() as u64,
            sample_count: 500,
            check: Box::new(move |number| {
                let (specimen, name, bytes) = &older[usize::try_from(number).expect("few")];
                let mut image = specimen.image.clone();
                image.insert(name.clone(), Arc::clone(bytes));
                judge_end(specimen, image, name)
            }),
        },
    ]
}

/// As [`judge`]; but of a journal's last segment, which no other one speaks for, an earlier whole state is what a single
/// copy cannot tell from the truth. Unless a snapshot is ahead of it: then it must be named.
fn judge_end(specimen: &Specimen, image: Image, name: &str) -> Outcome {
    let is_last = specimen.segments().last().is_some_and(|(last, _)| *last == name);
    let outcome = judge(specimen, image.clone(), Place::Any);
    if !is_last || !matches!(outcome, Outcome::Silent(_)) || specimen.recipe.has_snapshots {
        return outcome;
    }
    match specimen.recover(image) {
        Ok((shard, _)) if specimen.good_count(&shard, Seq(1)).is_some() => Outcome::Limit,
        _ => outcome,
    }
}

/// Every state that a segment had, after every round, other than its last.
fn older_copies(specimens: &[Specimen]) -> Vec<(&Specimen, String, Arc<Vec<u8>>)> {
    let mut copies: Vec<(&Specimen, String, Arc<Vec<u8>>)> = Vec::new();
    for specimen in specimens {
        for image in &specimen.history {
            for (name, bytes) in image.iter().filter(|(name, _)| is_segment(name)) {
                let is_new = copies.last().is_none_or(|(_, _, last)| last != bytes);
                if is_new && specimen.image.get(name) != Some(bytes) {
                    copies.push((specimen, name.clone(), Arc::clone(bytes)));
                }
            }
        }
    }
    copies
}
