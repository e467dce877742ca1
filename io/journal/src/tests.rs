//! Tests of the whole room.

mod conformance;
mod crash;
mod damage;
mod fail_stop;
mod golden;
mod mem_disk;
mod repair;
mod segments;
mod unread;

use domain::{Seq, UnixMs};

use crate::{Batch, Cursor, Journal, Local, Options, Recovery};
use mem_disk::MemDisk;

const NOW: UnixMs = UnixMs(1_800_000_000_000);
/// Small, so that a test fills several segments.
const SMALL: Options = Options { segment_size_bytes: 32 << 10, block_size_bytes_max: 68 << 10 };

/// A record, owned.
#[derive(Clone, PartialEq, Eq)]
struct Kept {
    seq: u64,
    term: u32,
    time: u64,
    kind: u8,
    payload: Vec<u8>,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Kept { seq, term, time, kind, payload } = self;
        write!(f, "{seq}@{term}/{time} {kind}:{} bytes of {:?}", payload.len(), payload.first())
    }
}

impl From<crate::Record<'_>> for Kept {
    fn from(record: crate::Record<'_>) -> Kept {
        Kept {
            seq: record.seq.0,
            term: record.term.0,
            time: record.time.0,
            kind: record.kind,
            payload: record.payload.to_vec(),
        }
    }
}

/// A batch of records whose payloads hold no zero byte and say where they are from.
fn batch(from: usize, sizes_bytes: &[usize]) -> Batch {
    let mut batch = Batch::new();
    for (index, size_bytes) in sizes_bytes.iter().enumerate() {
        let byte = u8::try_from((from + index) % 255 + 1).unwrap();
        batch.push(byte, &vec![byte; *size_bytes]);
    }
    batch
}

/// All records from `from` on.
fn read_from(journal: &impl Journal, from: u64) -> Vec<Kept> {
    let mut records = Vec::new();
    let mut cursor = journal.cursor(Seq(from)).unwrap();
    while cursor.read(7, &mut |record| records.push(record.into())).unwrap() > 0 {}
    assert_eq!(cursor.next_seq(), journal.tip().seq.next());
    records
}

fn open(disk: &MemDisk) -> (Local<MemDisk>, Recovery) {
    Local::open(disk.clone(), SMALL, NOW).unwrap()
}

/// A journal of 100 records in 40 batches, over several segments and two terms.
fn hundred_records() -> MemDisk {
    let disk = MemDisk::default();
    for _ in 0..2 {
        let (mut journal, _) = open(&disk);
        for number in 0..20_usize {
            let sizes = [44, 8, 600, 3_000];
            let count = if number % 2 == 0 { 4 } else { 1 };
            journal.append(&batch(number, &sizes[..count]), UnixMs(1_000 + number as u64)).unwrap();
        }
    }
    disk
}
