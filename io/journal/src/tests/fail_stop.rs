//! A disk that fails once: nothing is acknowledged after it, and nothing acknowledged before it is lost.

use domain::{Seq, UnixMs};

use super::mem_disk::{Failure, Image, MemDisk};
use super::{NOW, SMALL, batch, open, read_from};
use crate::{AppendError, Journal, Local, OpenError, TruncateError};

/// What a run got done before its first failure.
#[derive(Default)]
struct Done {
    acknowledged: u64,
    /// The last record of the append that failed, if one did.
    in_doubt: u64,
    finished: bool,
    message: String,
}

/// Two lives of 15 appends each, over several segments, with spare segments and a truncation in between.
fn run(disk: &MemDisk) -> Done {
    let mut done = Done::default();
    for _ in 0..2 {
        let mut journal = match Local::open(disk.clone(), SMALL, NOW) {
            Ok((journal, _)) => journal,
            Err(OpenError::Disk(error)) => {
                done.message = error.to_string();
                return done;
            }
            Err(error) => panic!("{error}"),
        };
        assert_eq!(journal.tip().seq, Seq(done.acknowledged));
        let preparer = journal.preparer();
        for number in 0..15_usize {
            let batch = batch(number, &[5_000, 44][..number % 2 + 1]);
            match journal.append(&batch, UnixMs(number as u64)) {
                Ok(tip) => done.acknowledged = tip.seq.0,
                Err(error) => {
                    assert!(matches!(error, AppendError::Disk(_)), "{error}");
                    done.message = error.to_string();
                    done.in_doubt = done.acknowledged + batch.len() as u64;
                    expect_stopped(&mut journal);
                    return done;
                }
            }
            assert_eq!(read_from(&journal, done.acknowledged).len(), 1);
            let _ = preparer.prepare(); // its failure is nobody's but its caller's
        }
        if let Err(error) = journal.truncate_before(Seq(8)) {
            done.message = error.to_string();
            expect_stopped(&mut journal);
            return done;
        }
    }
    done.finished = true;
    done
}

/// The disk works again, but the journal does not go on.
fn expect_stopped(journal: &mut Local<MemDisk>) {
    let tip = journal.tip();
    for _ in 0..3 {
        assert!(matches!(journal.append(&batch(1, &[44]), NOW), Err(AppendError::Stopped)));
        assert!(matches!(journal.truncate_before(Seq(9)), Err(TruncateError::Stopped)));
    }
    assert_eq!(journal.tip(), tip);
}

fn expect_recovered(image: Image, done: &Done) {
    let (journal, _) = open(&MemDisk::from_image(image));
    let last = journal.tip().seq.0;
    assert!(
        last == done.acknowledged || last == done.in_doubt,
        "acknowledged up to {}, recovered up to {last}",
        done.acknowledged
    );
    let from = if last >= 30 { 16 } else { 8.min(last + 1) };
    read_from(&journal, from.max(1));
}

#[test]
fn failure_at_any_step_stops_for_good_and_loses_nothing() {
    let disk = MemDisk::default();
    assert!(run(&disk).finished);
    let step_count = disk.step_count();
    assert!(step_count > 90, "the run has many steps: {step_count}");
    for failure in [Failure::Error, Failure::ShortWrite, Failure::DiskFull] {
        for step in 0..step_count {
            let disk = MemDisk::default();
            disk.fail_at(step, failure);
            let done = run(&disk);
            assert!(done.finished || !done.message.is_empty());
            expect_recovered(disk.image(), &done);
            expect_recovered(disk.image_synced(), &done);
        }
    }
}

#[test]
fn everything_acknowledged_survives_the_loss_of_all_that_was_not_synced() {
    let disk = MemDisk::default();
    let (mut journal, _) = open(&disk);
    for number in 0..40 {
        let tip = journal.append(&batch(number, &[3_000, 44]), NOW).unwrap();
        let (recovered, _) = open(&MemDisk::from_image(disk.image_synced()));
        assert_eq!(recovered.tip(), tip);
    }
}

#[test]
fn what_was_only_read_from_the_cache_is_made_durable_at_the_next_start() {
    let disk = MemDisk::default();
    let (mut journal, _) = open(&disk);
    journal.append(&batch(1, &[44]), NOW).unwrap();
    let before = disk.step_count();
    disk.fail_at(before + 1, Failure::Error); // the sync of the next append: written, not durable
    journal.append(&batch(2, &[44]), NOW).unwrap_err();
    assert_eq!(open(&MemDisk::from_image(disk.image_synced())).0.tip().seq, Seq(1));
    let (journal, _) = open(&disk);
    assert_eq!(journal.tip().seq, Seq(2));
    assert_eq!(open(&MemDisk::from_image(disk.image_synced())).0.tip().seq, Seq(2));
}

#[test]
fn full_disk_is_named_and_leaves_no_half_segment_behind() {
    let disk = MemDisk::default();
    let (mut journal, _) = open(&disk);
    for _ in 0..7 {
        journal.append(&batch(1, &[44]), NOW).unwrap();
    }
    disk.fail_at(disk.step_count(), Failure::DiskFull);
    let message = journal.append(&batch(1, &[44]), NOW).unwrap_err().to_string();
    assert!(message.contains("cannot create segment.tmp"), "{message}");
    assert_eq!(disk.image().len(), 1);
    expect_stopped(&mut journal);
}

#[test]
fn batch_above_the_limit_is_refused() {
    let (mut journal, _) = open(&MemDisk::default());
    let mut memory = crate::Memory::new();
    let mut batch = crate::Batch::new();
    while batch.size_bytes() <= crate::BATCH_SIZE_BYTES_MAX {
        batch.push(1, &[1; crate::PAYLOAD_SIZE_BYTES_MAX]);
    }
    assert!(matches!(journal.append(&batch, NOW), Err(AppendError::BatchTooBig { .. })));
    assert!(matches!(memory.append(&batch, NOW), Err(AppendError::BatchTooBig { .. })));
    assert!(matches!(memory.append(&crate::Batch::new(), NOW), Err(AppendError::Stopped)));
}
