//! The stored bytes of version 3, kept for ever: what an older Onrush wrote must stay readable, and what this one
//! writes must not change without a new version.
//!
//! To write the files of a new version: `UPDATE_GOLDEN=1 cargo test --release -p journal golden`.

use std::path::PathBuf;

use domain::{Seq, UnixMs};

use super::mem_disk::{Image, MemDisk};
use super::{SMALL, read_from};
use crate::{Batch, Journal, Local, Options, Verdict, scan};

const OPTIONS: Options = Options { segment_size_bytes: 12 << 10, ..SMALL };

fn dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/v3")
}

/// Two leaders, three segments, five batches.
fn written() -> Image {
    let disk = MemDisk::default();
    let mut seq = 0_u8;
    for (time, counts) in [(1_767_225_600_000, [1, 3].as_slice()), (1_767_225_700_000, &[2, 1, 2])] {
        let (mut journal, _) = Local::open(disk.clone(), OPTIONS, UnixMs(time)).unwrap();
        for (number, count) in (0_u64..).zip(counts) {
            let mut batch = Batch::new();
            for _ in 0..*count {
                seq += 1;
                batch.push(seq, format!("payload of record {seq}").as_bytes());
            }
            journal.append(&batch, UnixMs(time + number)).unwrap();
        }
    }
    disk.image()
}

fn golden() -> Image {
    let mut image = Image::new();
    for entry in std::fs::read_dir(dir()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        image.insert(name, std::fs::read(entry.path()).unwrap());
    }
    image
}

#[test]
fn golden_journal_is_read() {
    let report = scan(&MemDisk::from_image(golden()), &mut |record| {
        let seq = record.seq.0;
        assert_eq!(u64::from(record.kind), seq);
        assert_eq!(record.payload, format!("payload of record {seq}").as_bytes());
        assert_eq!(record.term.0, if seq <= 4 { 1 } else { 2 });
    })
    .unwrap();
    assert_eq!(report.verdict, Ok(Verdict::Clean));
    assert_eq!((report.extent.first_seq, report.extent.tip.seq), (Seq(1), Seq(9)));
    assert_eq!(report.extent.tip.time, UnixMs(1_767_225_700_002));
    let (journal, _) = Local::open(MemDisk::from_image(golden()), OPTIONS, UnixMs(0)).unwrap();
    assert_eq!(read_from(&journal, 1).len(), 9);
}

#[test]
fn writer_makes_the_golden_bytes() {
    let written = written();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        for (name, bytes) in &written {
            std::fs::write(dir().join(name), bytes).unwrap();
        }
    }
    let golden = golden();
    assert_eq!(written.keys().collect::<Vec<_>>(), golden.keys().collect::<Vec<_>>());
    for (name, bytes) in &written {
        let differs = bytes.iter().zip(&golden[name]).position(|(new, old)| new != old);
        assert_eq!((differs, bytes.len()), (None, golden[name].len()), "{name}");
    }
}
