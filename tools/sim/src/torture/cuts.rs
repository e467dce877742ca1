//! The power is cut after every operation of a run of 1,000 records, and in the middle of every write.
//!
//! The run has four lives. Each but the last ends in the middle of a write, of which some sectors arrived, so that the
//! recovery of a torn tail is a part of the next life, and is cut everywhere too. Batches have from one record to more
//! than one block takes; segments are small, and the next one is prepared ahead.

use domain::{Seq, UnixMs};
use journal::{Batch, Journal, Local, Options, Verdict};

use super::attack::Class;
use super::outcome::Outcome;
use super::ram::{Image, Ram};
use super::specimen::{Kept, NOW, for_each_record};
use super::tape::{Arrived, Op, Platter};
use crate::dice::Dice;

const OPTIONS: Options = Options { segment_size_bytes: 64 << 10, block_size_bytes_max: 68 << 10 };
const LIFE_COUNT: usize = 4;
const RECORD_COUNT: usize = 1_000;
/// Random tears of each write that has more sectors than all subsets of can be tried.
const RANDOM_COUNT: u64 = 450;
const SAMPLE_COUNT: u64 = 1_500;

/// Everything that was done to a disk, from one start to the cut that ended it.
struct Life {
    records: Vec<Kept>,
    /// After so many operations all records up to this one were acknowledged.
    acknowledged: Vec<(usize, usize)>,
}

/// The power is cut here.
struct Cut {
    life: usize,
    op_count: usize,
    platter: Platter,
    arrived: Vec<Arrived>,
    /// The number of the first image.
    from: u64,
}

/// A run, and all cuts of it.
///
/// # Panics
/// When the journal fails on a sound disk: a bug.
pub fn classes<'a>(seed: u64) -> Vec<Class<'a>> {
    let (mut dice, mut image) = (Dice::new(seed), Image::new());
    let (mut lives, mut cuts, mut count) = (Vec::new(), Vec::<Cut>::new(), 0);
    for number in 0..LIFE_COUNT {
        let (life, ops) = Life::live(image.clone(), RECORD_COUNT * (number + 1) / LIFE_COUNT, &mut dice);
        // The last write of a life, but for the last one's, does not arrive as a whole.
        let end = if number + 1 == LIFE_COUNT { ops.len() } else { last_write(&ops) + 1 };
        let mut platter = Platter::of(&image);
        for op_count in 0..=end {
            if op_count > 0 {
                platter.apply(&ops[op_count - 1]);
            }
            let arrived = platter.arrivals(RANDOM_COUNT, dice.bits());
            let from = count;
            count += arrived.len() as u64;
            cuts.push(Cut { life: number, op_count, platter: platter.clone(), arrived, from });
        }
        let torn = &cuts.last().expect("a life has operations").arrived;
        image = platter.image(torn[torn.len() / 2]);
        lives.push(life);
    }
    vec![Class {
        name: "power cut, at every step and sector".into(),
        count,
        sample_count: SAMPLE_COUNT,
        check: Box::new(move |number| {
            let cut = &cuts[cuts.partition_point(|cut| cut.from <= number) - 1];
            let arrived = cut.arrived[usize::try_from(number - cut.from).expect("it fits")];
            lives[cut.life].check(cut.op_count, cut.platter.image(arrived))
        }),
    }]
}

fn last_write(ops: &[Op]) -> usize {
    ops.iter().rposition(|op| matches!(op, Op::Write { .. })).expect("a life writes")
}

impl Life {
    /// Starts on a disk and appends until there are so many records.
    fn live(image: Image, record_count: usize, dice: &mut Dice) -> (Life, Vec<Op>) {
        let ram = Ram::on_tape(image);
        let (mut journal, recovery) =
            Local::open(ram.clone(), OPTIONS, NOW).expect("a crash is recovered from");
        let recovered = usize::try_from(recovery.extent.tip.seq.0).expect("few records");
        let mut life = Life { records: Vec::new(), acknowledged: vec![(0, recovered)] };
        let preparer = journal.preparer();
        let mut number = 0;
        while usize::try_from(journal.tip().seq.0).expect("few records") < record_count {
            let tip =
                journal.append(&batch(number, dice), UnixMs(NOW.0 + number)).expect("memory does not fail");
            life.acknowledged.push((ram.op_count(), usize::try_from(tip.seq.0).expect("few records")));
            if number % 3 == 2 {
                preparer.prepare().expect("memory does not fail");
            }
            number += 1;
        }
        // One more, of many sectors, for the end of the life.
        let tip = journal.append(&payloads(&[700; 9], dice), NOW).expect("memory does not fail");
        life.acknowledged.push((ram.op_count(), usize::try_from(tip.seq.0).expect("few records")));
        for_each_record(&journal, Seq(1), |record| life.records.push(Kept::of(record)))
            .expect("it was just written");
        (life, ram.ops())
    }

    /// How many records were acknowledged, and how many there may be at most: a batch more.
    fn bounds(&self, op_count: usize) -> (usize, usize) {
        let known = self.acknowledged.partition_point(|(at, _)| *at <= op_count);
        let acknowledged = self.acknowledged[known - 1].1;
        (acknowledged, self.acknowledged.get(known).map_or(acknowledged, |(_, count)| *count))
    }

    fn check(&self, op_count: usize, image: Image) -> Outcome {
        let ram = Ram::on_tape(image.clone());
        let (mut journal, _) = match Local::open(ram.clone(), OPTIONS, NOW) {
            Ok(opened) => opened,
            Err(error) => return Outcome::Wrong(format!("after {op_count} operations: {error}")),
        };
        let (acknowledged, possible) = self.bounds(op_count);
        let Some(count) = good_count(&journal, &self.records, &[]) else {
            return Outcome::Wrong(format!("after {op_count} operations: something was invented"));
        };
        if count != acknowledged && count != possible {
            return Outcome::Wrong(format!("after {op_count} operations: {count} of {acknowledged} records"));
        }
        let term = journal.term().0;
        let added = payloads(&[44, 600], &mut Dice::new(op_count as u64));
        if let Err(error) = journal.append(&added, NOW) {
            return Outcome::Wrong(format!("after {op_count} operations it does not go on: {error}"));
        }
        // Only what is durable now: nothing that recovery did may have been left unsynced.
        let mut platter = Platter::of(&image);
        ram.ops().iter().for_each(|op| platter.apply(op));
        self.check_again(count, term, platter.image_synced())
    }

    /// A second recovery has both: what the first one had, and what was appended since.
    fn check_again(&self, count: usize, term: u32, image: Image) -> Outcome {
        let (journal, recovery) = match Local::open(Ram::of(image), OPTIONS, NOW) {
            Ok(opened) => opened,
            Err(error) => return Outcome::Wrong(format!("the second recovery: {error}")),
        };
        if recovery.verdict != Verdict::Clean {
            return Outcome::Wrong(format!("the second recovery: {:?}", recovery.verdict));
        }
        match good_count(&journal, &self.records[..count], &[(term, 44), (term, 600)]) {
            Some(found) if found == count + 2 => Outcome::Held,
            found => {
                Outcome::Wrong(format!("the second recovery has {found:?} instead of {} records", count + 2))
            }
        }
    }
}

/// How many records a journal has, when they are the first of `records`, and behind all of those records of these terms
/// and sizes.
fn good_count(journal: &Local<Ram>, records: &[Kept], added: &[(u32, usize)]) -> Option<usize> {
    let (mut count, mut all_good) = (0, true);
    let read = for_each_record(journal, Seq(1), |record| {
        all_good &= match records.get(count) {
            Some(kept) => kept.is(record),
            None => added.get(count - records.len()) == Some(&(record.term.0, record.payload.len())),
        };
        count += 1;
    });
    (read.is_ok() && all_good).then_some(count)
}

/// A batch: mostly small ones, every fortieth of more than one block.
fn batch(number: u64, dice: &mut Dice) -> Batch {
    let count = match number % 40 {
        20 => return payloads(&[25_000; 3], dice),
        0..10 => 1,
        _ => dice.between(1, 12),
    };
    let sizes: Vec<usize> = (0..count).map(|_| dice.pick(&[44, 44, 44, 60, 8, 300, 1_500])).collect();
    payloads(&sizes, dice)
}

/// Records of random bytes; some have zeros where a sector may be.
fn payloads(sizes: &[usize], dice: &mut Dice) -> Batch {
    let mut batch = Batch::new();
    for size in sizes {
        let has_zeros = dice.per_mille(100);
        let byte = |index: usize, dice: &mut Dice| {
            if has_zeros && index > 20 { 0 } else { dice.bits().to_le_bytes()[0] }
        };
        let payload: Vec<u8> = (0..*size).map(|index| byte(index, dice)).collect();
        batch.push(dice.bits().to_le_bytes()[1], &payload);
    }
    batch
}
