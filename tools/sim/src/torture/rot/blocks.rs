//! Pages and blocks that stand where they do not belong: swapped, twice, or of another life of the file.

use std::sync::Arc;

use super::{PAGE_SIZE_BYTES, Place, judge, with};
use crate::torture::attack::Class;
use crate::torture::outcome::Outcome;
use crate::torture::ram::Image;
use crate::torture::specimen::Specimen;

/// A range of a segment.
#[derive(Clone)]
struct Piece {
    specimen: usize,
    name: String,
    from: usize,
    size: usize,
}

impl Piece {
    fn bytes<'a>(&self, specimen: &'a Specimen) -> &'a [u8] {
        &specimen.image[&self.name][self.from..self.from + self.size]
    }

    /// Puts bytes in the place of the piece, as many as fit.
    fn put(&self, image: &mut Image, bytes: &[u8]) {
        let file = Arc::make_mut(image.get_mut(&self.name).expect("the file is the specimen's"));
        let size = bytes.len().min(file.len() - self.from);
        file[self.from..self.from + size].copy_from_slice(&bytes[..size]);
    }
}

/// Swaps, doubles, strangers. `others` are other lives of `specimens`, of the same form.
pub fn classes<'a>(specimens: &'a [Specimen], others: &'a [Specimen]) -> Vec<Class<'a>> {
    let page_pairs = pairs(&pieces(specimens, pages));
    let block_pairs = pairs(&pieces(specimens, blocks));
    let doubles: Vec<(Piece, Piece)> = doubles(specimens);
    let strangers = pieces(specimens, blocks);
    vec![
        Class {
            name: "journal: two pages swapped".into(),
            count: page_pairs.len() as u64,
            sample_count: 3_000,
            check: Box::new(move |number| swap(specimens, at(&page_pairs, number))),
        },
        Class {
            name: "journal: two blocks swapped".into(),
            count: block_pairs.len() as u64,
            sample_count: 1_000,
            check: Box::new(move |number| swap_blocks(specimens, at(&block_pairs, number))),
        },
        Class {
            name: "journal: a block twice".into(),
            count: doubles.len() as u64,
            sample_count: 1_000,
            check: Box::new(move |number| double(specimens, at(&doubles, number))),
        },
        Class {
            name: "journal: a block of an older life".into(),
            count: strangers.len() as u64 * 2,
            sample_count: 500,
            check: Box::new(move |number| {
                let piece = at(&strangers, number / 2);
                stranger(&specimens[piece.specimen], &others[piece.specimen], piece, number % 2 == 1)
            }),
        },
    ]
}

fn at<T>(list: &[T], number: u64) -> &T {
    &list[usize::try_from(number).expect("a list fits in memory")]
}

fn swap(specimens: &[Specimen], (left, right): &(Piece, Piece)) -> Outcome {
    let specimen = &specimens[left.specimen];
    if left.bytes(specimen) == right.bytes(specimen) {
        return Outcome::Same;
    }
    let mut image = specimen.image.clone();
    left.put(&mut image, right.bytes(specimen));
    right.put(&mut image, left.bytes(specimen));
    judge(specimen, image, Place::Any)
}

/// Blocks of different sizes in one segment change places with all that is between them moved; in different
/// segments each one is written over the other.
fn swap_blocks(specimens: &[Specimen], pair: &(Piece, Piece)) -> Outcome {
    let (left, right) = pair;
    if left.size == right.size || left.name != right.name {
        return swap(specimens, pair);
    }
    let specimen = &specimens[left.specimen];
    let image = with(specimen, &left.name, |bytes| {
        let between = bytes[left.from + left.size..right.from].to_vec();
        let moved = [right.bytes(specimen), &between, left.bytes(specimen)].concat();
        bytes[left.from..left.from + moved.len()].copy_from_slice(&moved);
    });
    judge(specimen, image, Place::Any)
}

/// The first over the second.
fn double(specimens: &[Specimen], (source, target): &(Piece, Piece)) -> Outcome {
    let specimen = &specimens[source.specimen];
    let mut image = specimen.image.clone();
    target.put(&mut image, source.bytes(specimen));
    if image == specimen.image { Outcome::Same } else { judge(specimen, image, Place::Any) }
}

/// The block that another life of the file had in this place; or all that it had up to here, this life's header kept.
fn stranger(specimen: &Specimen, other: &Specimen, piece: &Piece, with_all_before: bool) -> Outcome {
    let from = if with_all_before { PAGE_SIZE_BYTES } else { piece.from };
    let end = piece.from + piece.size;
    let image = with(specimen, &piece.name, |bytes| {
        bytes[from..end].copy_from_slice(&other.image[&piece.name][from..end]);
    });
    // A strange block that goes on from a block both lives have is named where the next one does not.
    if image == specimen.image { Outcome::Same } else { judge(specimen, image, Place::At(&piece.name, end)) }
}

fn pieces(specimens: &[Specimen], cut: impl Fn(&[u8]) -> Vec<(usize, usize)>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (index, specimen) in specimens.iter().enumerate() {
        for (name, bytes) in specimen.segments() {
            let here = cut(bytes).into_iter();
            let piece = |(from, size)| Piece { specimen: index, name: name.clone(), from, size };
            pieces.extend(here.map(piece));
        }
    }
    pieces
}

/// All pages of a segment: its header, its blocks, and the space that is not used.
fn pages(segment: &[u8]) -> Vec<(usize, usize)> {
    (0..segment.len()).step_by(PAGE_SIZE_BYTES).map(|from| (from, PAGE_SIZE_BYTES)).collect()
}

/// The blocks of a segment, by the sizes in their headers.
fn blocks(segment: &[u8]) -> Vec<(usize, usize)> {
    let (mut blocks, mut from) = (Vec::new(), PAGE_SIZE_BYTES);
    while segment.get(from..from + 8) == Some(b"ONRBLOCK") {
        let payload = u32::from_le_bytes([
            segment[from + 12],
            segment[from + 13],
            segment[from + 14],
            segment[from + 15],
        ]);
        let size = (128 + payload as usize).next_multiple_of(PAGE_SIZE_BYTES);
        blocks.push((from, size));
        from += size;
    }
    blocks
}

/// Any two pieces of one specimen.
fn pairs(pieces: &[Piece]) -> Vec<(Piece, Piece)> {
    let mut pairs = Vec::new();
    for (index, left) in pieces.iter().enumerate() {
        let behind = pieces[index + 1..].iter().take_while(|right| right.specimen == left.specimen);
        pairs.extend(behind.map(|right| (left.clone(), right.clone())));
    }
    pairs
}

/// Every block over every other one, and over the unused space at the end of every segment.
fn doubles(specimens: &[Specimen]) -> Vec<(Piece, Piece)> {
    let ends = |bytes: &[u8]| {
        let end = blocks(bytes).last().map_or(PAGE_SIZE_BYTES, |(from, size)| from + size);
        (end..bytes.len()).step_by(PAGE_SIZE_BYTES).map(|from| (from, PAGE_SIZE_BYTES)).collect()
    };
    let (sources, ends) = (pieces(specimens, blocks), pieces(specimens, ends));
    let mut doubles = Vec::new();
    for source in &sources {
        let targets = sources.iter().chain(&ends).filter(|target| target.specimen == source.specimen);
        doubles.extend(targets.map(|target| (source.clone(), target.clone())));
    }
    doubles
}
