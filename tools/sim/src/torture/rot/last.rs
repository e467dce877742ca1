//! The last block of a journal, which nothing behind it speaks for, at every length of its last sector.
//!
//! A sector that is all zeros looks like one that a crash kept from being written. So the rot that must not be taken for a
//! crash is sought where little is in a sector: records that end with zeros, or with a single bit, right behind a
//! sector's beginning.

use domain::{Seq, UnixMs};
use journal::{Batch, Journal, Local, OpenError, Options, Verdict};

use crate::dice::Dice;
use crate::torture::attack::Class;
use crate::torture::outcome::Outcome;
use crate::torture::ram::{Image, Ram};
use crate::torture::specimen::{Kept, NOW, for_each_record};

const OPTIONS: Options = Options { segment_size_bytes: 16 << 10, block_size_bytes_max: 68 << 10 };
const SECTOR_SIZE_BYTES: usize = 512;
const BLOCK_AT: usize = 8_192;
/// Header of a block, header of a record.
const HEADERS_SIZE_BYTES: usize = 128 + 20;
/// Bytes before the last sector that are attacked with it.
const BEFORE_SIZE_BYTES: usize = 64;
/// What a record may end with: an amount's upper bytes, for example.
const ENDS: [[u8; 4]; 3] = [[0, 0, 0, 0], [0x80, 0, 0, 0], [1, 0, 1, 0]];

/// A journal with a last block of some length.
struct Last {
    image: Image,
    records: Vec<Kept>,
    /// What is attacked, in the file.
    from: usize,
    to: usize,
}

/// Bits and pairs of bytes in and around the last sector.
///
/// # Panics
/// When a sound journal cannot be written: a bug.
pub fn classes<'a>() -> Vec<Class<'a>> {
    let lasts: Vec<Last> =
        (0..SECTOR_SIZE_BYTES).flat_map(|rest| ENDS.map(|end| Last::of(rest, end))).collect();
    let index_max = BEFORE_SIZE_BYTES + SECTOR_SIZE_BYTES;
    let bits = (lasts.len() * index_max * 8) as u64;
    let pairs = (lasts.len() * index_max) as u64;
    let lasts = std::sync::Arc::new(lasts);
    let again = std::sync::Arc::clone(&lasts);
    let split = |number: u64, per_last: usize| {
        let number = usize::try_from(number).expect("it fits");
        (number / per_last, number % per_last)
    };
    vec![
        Class {
            name: "journal: a bit of the last sector flipped".into(),
            count: bits,
            sample_count: 20_000,
            check: Box::new(move |number| {
                let (last, bit) = split(number, index_max * 8);
                lasts[last].check(bit / 8, |bytes| bytes[0] ^= 1 << (bit % 8)).must_be_named()
            }),
        },
        Class {
            name: "journal: two bytes of the last sector zeroed".into(),
            count: pairs,
            sample_count: 10_000,
            check: Box::new(move |number| {
                let (last, at) = split(number, index_max);
                again[last].check(at, |bytes| bytes[..2].fill(0))
            }),
        },
    ]
}

impl Last {
    /// The last block's records end `rest` bytes behind the beginning of a sector, with these bytes.
    fn of(rest: usize, end: [u8; 4]) -> Last {
        let ram = Ram::default();
        let (mut journal, _) = Local::open(ram.clone(), OPTIONS, NOW).expect("an empty directory");
        let mut dice = Dice::new(rest as u64);
        let mut append = |size_bytes: usize| {
            let mut payload: Vec<u8> = (0..size_bytes).map(|_| dice.bits().to_le_bytes()[0] | 1).collect();
            payload[size_bytes - 4..].copy_from_slice(&end);
            let mut batch = Batch::new();
            batch.push(1, &payload);
            journal.append(&batch, UnixMs(NOW.0 + 1)).expect("memory does not fail");
        };
        append(44);
        let size_bytes = (rest + 3 * SECTOR_SIZE_BYTES) - HEADERS_SIZE_BYTES;
        append(size_bytes);
        let mut records = Vec::new();
        for_each_record(&journal, Seq(1), |record| records.push(Kept::of(record)))
            .expect("it was just written");
        let end = BLOCK_AT + HEADERS_SIZE_BYTES + size_bytes;
        let sector = (end - 1) / SECTOR_SIZE_BYTES * SECTOR_SIZE_BYTES;
        Last { image: ram.image(), records, from: sector - BEFORE_SIZE_BYTES, to: sector + SECTOR_SIZE_BYTES }
    }

    fn check(&self, index: usize, change: impl Fn(&mut [u8])) -> Outcome {
        let mut image = self.image.clone();
        let file = std::sync::Arc::make_mut(image.values_mut().next().expect("one segment"));
        let before = file.clone();
        change(&mut file[(self.from + index).min(self.to - 2)..]);
        if *file == before {
            return Outcome::Same;
        }
        match Local::open(Ram::of(image), OPTIONS, NOW) {
            Err(OpenError::Damage(damage)) if damage.offset == BLOCK_AT as u64 => Outcome::Named,
            Err(error) => Outcome::Silent(format!("no name for the damage: {error}")),
            Ok((journal, recovery)) => {
                let (mut count, mut is_good) = (0, true);
                let read = for_each_record(&journal, Seq(1), |record| {
                    is_good &= self.records.get(count).is_some_and(|kept| kept.is(record));
                    count += 1;
                });
                match (read.is_ok() && is_good && count == self.records.len(), recovery.verdict) {
                    (true, Verdict::Clean) => Outcome::Harmless,
                    (true, Verdict::TornTail(_)) => Outcome::Named,
                    (false, verdict) => Outcome::Wrong(format!("acknowledged and lost: {verdict:?}")),
                }
            }
        }
    }
}
