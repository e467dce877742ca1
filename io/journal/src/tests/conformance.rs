//! What every journal does. A new one adds a line at the end.

use std::collections::VecDeque;

use domain::{Seq, Term, UnixMs};
use proptest::prelude::*;

use super::mem_disk::MemDisk;
use super::{Kept, NOW, SMALL, batch, read_from};
use crate::{Batch, Cursor, Journal, Local, Memory, OsDisk, PAYLOAD_SIZE_BYTES_MAX, ReadError, Tip};

fn empty_journal_has_a_tip_of_zeros_and_nothing_to_read(mut journal: impl Journal) {
    assert_eq!(journal.tip(), Tip::default());
    assert_eq!(journal.term(), Term(1));
    assert_eq!(journal.append(&Batch::new(), NOW).unwrap(), Tip::default());
    assert_eq!(read_from(&journal, 0), []);
    assert_eq!(read_from(&journal, 1), []);
}

fn records_come_back_as_they_were_appended(mut journal: impl Journal) {
    let mut expected = Vec::new();
    for number in 0..60_usize {
        let sizes = &[0, 44, 44, 300, 5_000][..number % 5 + 1];
        let time = UnixMs(NOW.0 + number as u64);
        let tip = journal.append(&batch(number, sizes), time).unwrap();
        for (index, size) in sizes.iter().enumerate() {
            let kind = u8::try_from(number + index + 1).unwrap();
            let seq = expected.len() as u64 + 1;
            expected.push(Kept { seq, term: 1, time: time.0, kind, payload: vec![kind; *size] });
        }
        assert_eq!(tip, journal.tip());
        assert_eq!((tip.seq.0, tip.term, tip.time), (expected.len() as u64, Term(1), time));
    }
    for (index, from) in [(0, 1), (1, 2), (2, 3), (89, 90), (178, 179), (179, 180), (180, 181)] {
        assert_eq!(read_from(&journal, from), expected[index..]);
    }
}

fn chain_depends_on_all_that_was_appended_and_on_nothing_else(mut journal: impl Journal) {
    let mut same = Memory::new();
    let mut other = Memory::new();
    other.append(&batch(99, &[44]), NOW).unwrap();
    for number in 0..5 {
        let tip = journal.append(&batch(number, &[44, 44]), NOW).unwrap();
        assert_eq!(tip, same.append(&batch(number, &[44, 44]), NOW).unwrap());
        assert_ne!(tip.chain, other.append(&batch(number, &[44, 44]), NOW).unwrap().chain);
    }
}

fn largest_payload_and_batch_of_many_blocks_are_stored(mut journal: impl Journal) {
    journal.append(&batch(0, &[PAYLOAD_SIZE_BYTES_MAX; 5]), NOW).unwrap();
    journal.append(&batch(5, &[44; 20_000]), NOW).unwrap();
    let records = read_from(&journal, 1);
    assert_eq!(records.len(), 20_005);
    assert_eq!(records[4].payload, vec![5; PAYLOAD_SIZE_BYTES_MAX]);
    assert_eq!(records[20_004].payload.len(), 44);
}

fn cursor_gives_no_more_than_asked_for_and_goes_on_there(mut journal: impl Journal) {
    journal.append(&batch(0, &[44; 10]), NOW).unwrap();
    let mut cursor = journal.cursor(Seq(4)).unwrap();
    let mut seqs = Vec::new();
    assert_eq!(cursor.read(0, &mut |_| unreachable!()).unwrap(), 0);
    assert_eq!(cursor.read(5, &mut |record| seqs.push(record.seq.0)).unwrap(), 5);
    assert_eq!(cursor.next_seq(), Seq(9));
    journal.append(&batch(0, &[44; 2]), NOW).unwrap();
    assert_eq!(cursor.read(9, &mut |record| seqs.push(record.seq.0)).unwrap(), 4);
    assert_eq!(cursor.read(9, &mut |_| unreachable!()).unwrap(), 0);
    assert_eq!(seqs, (4..=12).collect::<Vec<u64>>());
}

fn cursor_is_refused_beyond_the_tip(mut journal: impl Journal) {
    journal.append(&batch(0, &[44; 3]), NOW).unwrap();
    assert!(journal.cursor(Seq(4)).is_ok());
    let refused = journal.cursor(Seq(5)).err().unwrap();
    assert!(matches!(refused, ReadError::Beyond { from: Seq(5), tip: Seq(3) }), "{refused}");
}

fn cursor_follows_on_another_thread<J: Journal<Cursor: 'static>>(mut journal: J) {
    let mut cursor = journal.cursor(Seq(1)).unwrap();
    let follower = std::thread::spawn(move || {
        let mut seqs = Vec::new();
        while seqs.len() < 1_000 {
            cursor.read(100, &mut |record| seqs.push(record.seq.0)).unwrap();
            std::thread::yield_now();
        }
        seqs
    });
    for number in 0..200 {
        journal.append(&batch(number, &[44, 8, 300, 44, 9]), NOW).unwrap();
    }
    assert_eq!(follower.join().unwrap(), (1..=1_000).collect::<Vec<u64>>());
}

fn truncation_drops_only_what_is_before(mut journal: impl Journal) {
    for number in 0..100 {
        journal.append(&batch(number, &[900]), NOW).unwrap();
    }
    let mut behind = journal.cursor(Seq(1)).unwrap();
    assert_eq!(journal.truncate_before(Seq(0)).unwrap(), 0);
    assert_eq!(journal.truncate_before(Seq(1)).unwrap(), 0);
    assert!(journal.truncate_before(Seq(60)).unwrap() > 0);
    assert_eq!(journal.truncate_before(Seq(60)).unwrap(), 0, "what is dropped is dropped");
    assert_eq!(read_from(&journal, 60).len(), 41);
    let refused = journal.cursor(Seq(1)).err().unwrap();
    assert!(matches!(refused, ReadError::Dropped { .. }), "{refused}");
    let left_behind = behind.read(1_000, &mut |_| ()).and_then(|_| behind.read(1_000, &mut |_| ()));
    assert!(matches!(left_behind.err().unwrap(), ReadError::Dropped { .. }));
    journal.truncate_before(Seq(1_000)).unwrap();
    assert_eq!(journal.append(&batch(0, &[44]), NOW).unwrap().seq, Seq(101));
    assert_eq!(read_from(&journal, 101).len(), 1);
}

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<usize>),
    Read { from: u64, count_max: usize },
    Truncate { before: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let size = prop_oneof![8 => 0_usize..200, 1 => 200_usize..9_000];
    let step = prop_oneof![
        6 => prop::collection::vec(size, 0..12).prop_map(Step::Append),
        3 => (0_u64..200, 1_usize..50).prop_map(|(from, count_max)| Step::Read { from, count_max }),
        1 => (0_u64..200).prop_map(|before| Step::Truncate { before }),
    ];
    prop::collection::vec(step, 1..60)
}

/// Any journal against a plain list.
fn check_against_a_list(mut journal: impl Journal, steps: &[Step]) {
    let mut list: VecDeque<Kept> = VecDeque::new();
    let mut kept_from = 0;
    for step in steps {
        match step {
            Step::Append(sizes) => {
                let tip = journal.append(&batch(list.len(), sizes), NOW).unwrap();
                for size in sizes {
                    let seq = list.len() as u64 + 1;
                    let kind = u8::try_from((list.len()) % 255 + 1).unwrap();
                    list.push_back(Kept { seq, term: 1, time: NOW.0, kind, payload: vec![kind; *size] });
                }
                assert_eq!(tip.seq.0, list.len() as u64);
            }
            Step::Read { from, count_max } => match journal.cursor(Seq(*from)) {
                Ok(mut cursor) => {
                    let mut records = Vec::new();
                    cursor.read(*count_max, &mut |record| records.push(Kept::from(record))).unwrap();
                    let skip = usize::try_from(from.saturating_sub(1)).unwrap();
                    let expected: Vec<Kept> = list.iter().skip(skip).take(*count_max).cloned().collect();
                    assert_eq!(records, expected);
                }
                Err(ReadError::Beyond { .. }) => assert!(*from > list.len() as u64 + 1),
                Err(ReadError::Dropped { .. }) => assert!(*from < kept_from),
                Err(error) => panic!("{error}"),
            },
            Step::Truncate { before } => {
                journal.truncate_before(Seq(*before)).unwrap();
                kept_from = kept_from.max(*before);
            }
        }
    }
}

macro_rules! conformance {
    ($name:ident, $journal:expr, [$($test:ident),* $(,)?]) => {
        mod $name {
            use super::*;
            $(#[test]
            fn $test() {
                let (journal, _dir) = $journal;
                super::$test(journal);
            })*
            proptest! {
                #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
                #[test]
                fn any_steps_do_what_they_do_to_a_list(steps in steps()) {
                    let (journal, _dir) = $journal;
                    check_against_a_list(journal, &steps);
                }
            }
        }
    };
    ($($name:ident: $journal:expr;)*) => {
        $(conformance!($name, $journal, [
            empty_journal_has_a_tip_of_zeros_and_nothing_to_read,
            records_come_back_as_they_were_appended,
            chain_depends_on_all_that_was_appended_and_on_nothing_else,
            largest_payload_and_batch_of_many_blocks_are_stored,
            cursor_gives_no_more_than_asked_for_and_goes_on_there,
            cursor_is_refused_beyond_the_tip,
            cursor_follows_on_another_thread,
            truncation_drops_only_what_is_before,
        ]);)*
    };
}

fn in_memory() -> (Memory, ()) {
    (Memory::new(), ())
}

fn on_a_disk_in_memory() -> (Local<MemDisk>, ()) {
    (Local::open(MemDisk::default(), SMALL, NOW).unwrap().0, ())
}

fn on_a_real_disk() -> (Local<OsDisk>, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let disk = OsDisk::open(dir.path()).unwrap();
    (Local::open(disk, SMALL, NOW).unwrap().0, dir)
}

conformance! {
    memory: in_memory();
    local_on_a_disk_in_memory: on_a_disk_in_memory();
    local_on_a_real_disk: on_a_real_disk();
}
