//! Everything that can rot in a journal's directory: bits, pairs of bytes, pages, blocks, whole files.

use std::sync::Arc;

use journal::{Damage, OpenError, scan_before};
use shard::RecoverError;

use super::attack::Class;
use super::outcome::Outcome;
use super::ram::{Image, Ram};
use super::specimen::Specimen;

pub mod blocks;
pub mod files;
pub mod last;

/// A page: what a disk that mistakes its place mistakes.
pub const PAGE_SIZE_BYTES: usize = 4_096;

/// Where the damage must be said to be.
#[derive(Clone, Copy)]
pub enum Place<'a> {
    /// In this file, at this offset or before it: at the beginning of the block or segment that it is in.
    At(&'a str, usize),
    /// Anywhere: more than one place changed.
    Any,
}

/// Recovers from an image of a specimen, has what was not read scrubbed, and judges.
pub fn judge(specimen: &Specimen, image: Image, place: Place<'_>) -> Outcome {
    let (shard, recovered) = match specimen.recover(image.clone()) {
        Ok(recovered) => recovered,
        Err(error) => return judge_error(&error, place),
    };
    let scrubbed = recovered.journal.unread_before.map(|before| scan_before(&Ram::of(image), before));
    let is_told =
        recovered.journal.verdict != journal::Verdict::Clean || !recovered.snapshots_damaged.is_empty();
    match (specimen.is_whole(&shard, &recovered), scrubbed, is_told) {
        (_, Some(Err(error)), _) => Outcome::Silent(format!("memory does not fail: {error}")),
        (true, Some(Ok(Err(damage))), _) => judge_place(&damage, place),
        (true, _, true) => Outcome::Named,
        (true, _, false) => Outcome::Harmless,
        (false, _, true) => Outcome::Wrong(format!("other content: {:?}", recovered.journal)),
        (false, _, false) => Outcome::Silent(format!("other content: {:?}", recovered.journal)),
    }
}

fn judge_error(error: &RecoverError, place: Place<'_>) -> Outcome {
    match (error, place) {
        (RecoverError::Open(OpenError::Damage(damage)), place) => judge_place(damage, place),
        (RecoverError::Tail(_), Place::Any) => Outcome::Named,
        _ => Outcome::Silent(format!("no name for the damage: {error}")),
    }
}

fn judge_place(damage: &Damage, place: Place<'_>) -> Outcome {
    match place {
        Place::At(file, at) if damage.file != file || damage.offset > at as u64 => {
            Outcome::Silent(format!("{file} at {at}, but said: {damage}"))
        }
        Place::At(..) | Place::Any => Outcome::Named,
    }
}

/// A specimen's image with one file changed.
pub fn with(specimen: &Specimen, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Image {
    let mut image = specimen.image.clone();
    let file = image.get_mut(name).expect("the file is the specimen's");
    change(Arc::make_mut(file));
    image
}

/// The place of an image's number: which specimen, which file, which index within it.
pub struct Spread<'a> {
    parts: Vec<(u64, &'a Specimen, &'a str)>,
    total: u64,
}

impl<'a> Spread<'a> {
    /// Of `specimens`, the segments; each has as many images as `count` says of its bytes.
    pub fn segments(specimens: &'a [Specimen], count: impl Fn(&[u8]) -> usize) -> Spread<'a> {
        let mut spread = Spread { parts: Vec::new(), total: 0 };
        for specimen in specimens {
            for (name, bytes) in specimen.segments() {
                spread.parts.push((spread.total, specimen, name));
                spread.total += count(bytes) as u64;
            }
        }
        spread
    }

    /// How many images there are.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Where the image of that number is.
    pub fn place(&self, number: u64) -> (&'a Specimen, &'a str, usize) {
        let index = self.parts.partition_point(|(start, ..)| *start <= number) - 1;
        let (start, specimen, name) = self.parts[index];
        (specimen, name, usize::try_from(number - start).expect("a file fits in memory"))
    }
}

/// Bits and pairs of bytes.
pub fn classes(specimens: &[Specimen]) -> Vec<Class<'_>> {
    let bits = Spread::segments(specimens, |bytes| bytes.len() * 8);
    let pairs = Spread::segments(specimens, |bytes| bytes.len() - 1);
    vec![
        Class {
            name: "journal: a bit flipped".into(),
            count: bits.total(),
            sample_count: 20_000,
            check: Box::new(move |number| {
                let (specimen, name, bit) = bits.place(number);
                let image = with(specimen, name, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
                judge(specimen, image, Place::At(name, bit / 8)).must_be_named()
            }),
        },
        Class {
            name: "journal: two bytes zeroed".into(),
            count: pairs.total(),
            sample_count: 10_000,
            check: Box::new(move |number| {
                let (specimen, name, at) = pairs.place(number);
                if specimen.image[name][at..at + 2] == [0, 0] {
                    return Outcome::Same;
                }
                let image = with(specimen, name, |bytes| bytes[at..at + 2].fill(0));
                judge(specimen, image, Place::At(name, at + 1))
            }),
        },
    ]
}
