//! Everything that can rot in a snapshot. Another one, or the journal, must take its place, and somebody must be told.

use std::sync::Arc;

use views::SnapshotStore;

use super::attack::Class;
use super::outcome::Outcome;
use super::ram::{Image, Ram};
use super::rot::{Place, judge, with};
use super::specimen::{SHARD, Specimen, is_snapshot};

const SECTOR_SIZE_BYTES: usize = 512;
const HASH_SEED: u64 = 7;
/// One in so many bits of a large snapshot: reading what is before the flipped one takes a millisecond.
const LARGE_STEP: u64 = 509;

/// A newest snapshot, and how many images of a kind there are before it.
struct Part<'a> {
    from: u64,
    specimen: &'a Specimen,
    name: &'a str,
}

/// Small ones, of which every bit is flipped, and a large one of several chunks.
pub fn classes<'a>(small: &'a [Specimen], large: &'a [Specimen]) -> Vec<Class<'a>> {
    let (bits, bit_count) = spread(small, |size| size * 8);
    let (large_bits, large_count) = spread(large, |size| size * 8);
    let (pairs, pair_count) = spread(small, |size| size - 1);
    let (cuts, cut_count) = spread(large, |size| size / SECTOR_SIZE_BYTES as u64 + 4);
    let (whole, whole_count) = spread(small, |size| size / 7);
    vec![
        Class {
            name: "snapshot: a bit flipped".into(),
            count: bit_count,
            sample_count: 20_000,
            check: Box::new(move |number| {
                let (specimen, name, bit) = place(&bits, number);
                load(specimen, with(specimen, name, |bytes| bytes[bit / 8] ^= 1 << (bit % 8)))
            }),
        },
        Class {
            name: "snapshot of several chunks: a bit flipped".into(),
            count: large_count / LARGE_STEP,
            sample_count: 500,
            check: Box::new(move |number| {
                let (specimen, name, bit) = place(&large_bits, number * LARGE_STEP);
                load(specimen, with(specimen, name, |bytes| bytes[bit / 8] ^= 1 << (bit % 8)))
            }),
        },
        Class {
            name: "snapshot: two bytes zeroed".into(),
            count: pair_count,
            sample_count: 10_000,
            check: Box::new(move |number| {
                let (specimen, name, at) = place(&pairs, number);
                if specimen.image[name][at..at + 2] == [0, 0] {
                    return Outcome::Same;
                }
                load(specimen, with(specimen, name, |bytes| bytes[at..at + 2].fill(0)))
            }),
        },
        Class {
            name: "snapshot: cut short, or too long".into(),
            count: cut_count,
            sample_count: 100,
            check: Box::new(move |number| {
                let (specimen, name, sector) = place(&cuts, number);
                let sectors = specimen.image[name].len() / SECTOR_SIZE_BYTES;
                load(
                    specimen,
                    with(specimen, name, |bytes| match sector.checked_sub(sectors + 1) {
                        None => bytes.truncate((sector * SECTOR_SIZE_BYTES).min(bytes.len() - 1)),
                        Some(kind) => bytes
                            .resize(bytes.len() + [1, 512, 5_000][kind.min(2)], [0, 1, 0xFF][kind.min(2)]),
                    }),
                )
            }),
        },
        Class {
            name: "snapshot damaged: the whole recovery".into(),
            count: whole_count,
            sample_count: 2_000,
            check: Box::new(move |number| {
                let (specimen, name, index) = place(&whole, number);
                let image = with(specimen, name, |bytes| bytes[index * 7] ^= 1 << (index % 8));
                judge(specimen, image, Place::Any)
            }),
        },
        misplaced(small, large),
    ]
}

/// Sectors of one snapshot swapped, an older one under the newer's name, the newest one missing.
fn misplaced<'a>(small: &'a [Specimen], large: &'a [Specimen]) -> Class<'a> {
    let (swaps, swap_count) = spread(large, |size| size / SECTOR_SIZE_BYTES as u64 - 1);
    Class {
        name: "snapshot: sectors swapped, older one, none".into(),
        count: swap_count + 2 * small.len() as u64,
        sample_count: 200,
        check: Box::new(move |number| {
            if number < swap_count {
                let (specimen, name, sector) = place(&swaps, number);
                let at = sector * SECTOR_SIZE_BYTES;
                let image = with(specimen, name, |bytes| {
                    bytes[at..at + 2 * SECTOR_SIZE_BYTES].rotate_left(SECTOR_SIZE_BYTES);
                });
                return if image == specimen.image { Outcome::Same } else { load(specimen, image) };
            }
            let number = number - swap_count;
            let specimen = &small[usize::try_from(number / 2).expect("few")];
            let snapshots = specimen.snapshots();
            let [(_, older), .., (newest, _)] = snapshots.as_slice() else { return Outcome::Same };
            let mut image = specimen.image.clone();
            if number.is_multiple_of(2) {
                image.insert((*newest).clone(), Arc::clone(older));
            } else {
                // The journal has what it had: the older one and more of the journal come to the same.
                image.remove(*newest);
            }
            judge(specimen, image, Place::Any)
        }),
    }
}

/// Loads from the image of a specimen whose newest snapshot was changed: the older one, and a word about the newest.
fn load(specimen: &Specimen, image: Image) -> Outcome {
    let snapshots: Vec<String> = image.keys().filter(|name| is_snapshot(name)).cloned().collect();
    let newest = snapshots.last().map(String::as_str);
    let loaded = match SnapshotStore::new(Ram::of(image)).load(SHARD, HASH_SEED) {
        Ok(loaded) => loaded,
        Err(error) => return Outcome::Silent(format!("the directory cannot be read: {error}")),
    };
    let named: Vec<&str> = loaded.damaged.iter().map(|damaged| damaged.file.as_str()).collect();
    let is_older = loaded.newest.is_some_and(|(position, state)| {
        state.seq() == position.seq
            && snapshots.first().is_some_and(|name| name.contains(&format!("{:020}", position.seq.0)))
    });
    let whole = specimen.snapshots().len() == 2 && is_older;
    if named == newest.into_iter().collect::<Vec<_>>() && whole {
        Outcome::Named
    } else {
        Outcome::Silent(format!("damaged: {named:?}, the older one was taken: {is_older}"))
    }
}

fn spread<'a>(specimens: &'a [Specimen], count: impl Fn(u64) -> u64) -> (Vec<Part<'a>>, u64) {
    let (mut parts, mut total) = (Vec::new(), 0);
    for specimen in specimens {
        if let Some((name, bytes)) = specimen.snapshots().last() {
            parts.push(Part { from: total, specimen, name });
            total += count(bytes.len() as u64);
        }
    }
    (parts, total)
}

fn place<'a>(parts: &[Part<'a>], number: u64) -> (&'a Specimen, &'a str, usize) {
    let part = &parts[parts.partition_point(|part| part.from <= number) - 1];
    (part.specimen, part.name, usize::try_from(number - part.from).expect("a file fits in memory"))
}
