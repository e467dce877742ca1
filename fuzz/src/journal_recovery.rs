//! Recovery of a journal: from files of any bytes, and from a good journal that a disk has damaged. It names the
//! damage, or it gives a prefix of what was acknowledged and goes on behind it.
//!
//! The first byte says which. Files of any bytes can have their checksums made right, so that what stands behind
//! them is reached too; nothing but consistency can be asked of such a forged journal.

use domain::{Seq, Term, UnixMs};
use journal::{Batch, Cursor, Journal, Local, OpenError, Options, Record, Report, Verdict, scan};

use crate::disk::{Image, MemDisk};
use crate::source::{Damaged, Source, damage};

const PAGE_SIZE_BYTES: usize = 4_096;
const NOW: UnixMs = UnixMs(1_800_000_000_000);
/// Small, so that a few records fill several segments.
const OPTIONS: Options =
    Options { segment_size_bytes: 3 * PAGE_SIZE_BYTES as u64, block_size_bytes_max: 68 << 10 };
const RECORD_COUNT_MAX: usize = 48;

/// A record, owned.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Kept {
    seq: u64,
    term: u32,
    kind: u8,
    payload: Vec<u8>,
}

impl From<Record<'_>> for Kept {
    fn from(record: Record<'_>) -> Kept {
        let Record { seq, term, kind, payload, .. } = record;
        Kept { seq: seq.0, term: term.0, kind, payload: payload.to_vec() }
    }
}

/// How to make files, then what to put into them.
pub fn run(input: &[u8]) {
    let mut source = Source(input);
    if source.u8().is_multiple_of(2) {
        recover(&any_files(&mut source));
    } else {
        let (image, acknowledged) = good_journal(&mut source);
        let (names, mut files): (Vec<String>, Vec<Vec<u8>>) = image.into_iter().unzip();
        let damaged = damage(&mut source, &mut files);
        let found = recover(&names.into_iter().zip(files).collect());
        check_damaged(damaged, &found, &acknowledged);
    }
}

/// What a scan found, and whether the journal could be opened.
struct Found {
    records: Vec<Kept>,
    report: Report,
}

/// Scans and opens; both agree, damage is named and left alone, and what can be opened can be gone on with.
fn recover(image: &Image) -> Found {
    let disk = MemDisk::of(image);
    let mut records: Vec<Kept> = Vec::new();
    let report = scan(&disk, &mut |record| records.push(record.into())).expect("this disk never fails");
    assert_eq!(records.len() as u64, report.extent.record_count());
    assert_eq!(disk.image(), *image, "a scan writes nothing");
    match Local::open(disk.clone(), OPTIONS, NOW) {
        Ok((journal, recovery)) => {
            assert_eq!(recovery.extent, report.extent);
            let is_torn = |verdict: &Verdict| matches!(verdict, Verdict::TornTail(_));
            assert_eq!(report.verdict.as_ref().map(is_torn), Ok(is_torn(&recovery.verdict)));
            go_on(&disk, journal, &records, recovery.extent.first_seq);
        }
        Err(OpenError::Damage(found)) => {
            assert_eq!(report.verdict.as_ref(), Err(&found));
            assert!(image.contains_key(&found.file) && found.to_string().contains(&found.file), "{found}");
            assert_eq!(disk.image(), *image, "a damaged journal is left alone");
        }
        Err(OpenError::TermsExhausted(Term(u32::MAX))) => assert_eq!(disk.image(), *image),
        Err(error) => panic!("{error}"),
    }
    Found { records, report }
}

/// The records are there, another batch can be appended, and all are there again after the next start.
fn go_on(disk: &MemDisk, mut journal: Local<MemDisk>, records: &[Kept], first_seq: Seq) {
    assert_eq!(read_all(&journal, first_seq), records);
    let mut batch = Batch::new();
    batch.push(7, b"one more");
    let tip = journal.append(&batch, NOW).expect("this disk never fails");
    assert_eq!((tip.term, tip.time), (journal.term(), NOW));
    if journal.term() == Term(u32::MAX) {
        return;
    }
    drop(journal);
    let (journal, recovery) = Local::open(disk.clone(), OPTIONS, NOW).expect("what was just written is good");
    assert_eq!((&recovery.verdict, recovery.extent.tip), (&Verdict::Clean, tip));
    let again = read_all(&journal, first_seq);
    let (last, before) = again.split_last().expect("one was appended");
    assert_eq!(before, records);
    assert_eq!((last.seq, &last.payload[..]), (tip.seq.0, &b"one more"[..]));
}

fn read_all(journal: &Local<MemDisk>, from: Seq) -> Vec<Kept> {
    let mut cursor = journal.cursor(from).expect("the first record is there");
    let mut records = Vec::new();
    while cursor.read(5, &mut |record| records.push(record.into())).expect("recovery found it good") > 0 {}
    records
}

/// What the damage can have done to a journal of these records.
fn check_damaged(damaged: Damaged, found: &Found, acknowledged: &[Kept]) {
    let is_prefix = acknowledged.starts_with(&found.records);
    assert!(is_prefix, "{damaged:?}: found {:?} of {acknowledged:?}", found.records);
    // Lost sectors and pages can look as if they had never been written; a flipped bit cannot.
    let is_named = found.report.verdict != Ok(Verdict::Clean);
    if !damaged.is_rough && found.records.len() < acknowledged.len() {
        assert!(is_named, "{damaged:?}: {} of {} records", found.records.len(), acknowledged.len());
    }
    if !damaged.is_rough && damaged.flipped_bits == 0 {
        assert!(!is_named, "{:?} of an undamaged journal", found.report.verdict);
    }
}

/// A journal written batch by batch, with new starts between.
fn good_journal(source: &mut Source<'_>) -> (Image, Vec<Kept>) {
    let disk = MemDisk::default();
    let open = || Local::open(disk.clone(), OPTIONS, NOW).expect("it is good").0;
    let (mut journal, mut batch, mut acknowledged) = (open(), Batch::new(), Vec::new());
    let mut pending: Vec<Kept> = Vec::new();
    for _ in 0..RECORD_COUNT_MAX {
        let word = source.u8();
        let ends = word & 7 == 7 || source.is_empty();
        if word & 7 < 5 {
            let kind = source.u8();
            let payload = payload(source);
            batch.push(kind, &payload);
            let seq = journal.tip().seq.0 + batch.len() as u64;
            pending.push(Kept { seq, term: journal.term().0, kind, payload });
        }
        if word & 7 >= 4 || ends {
            journal.append(&batch, UnixMs(u64::from(word))).expect("this disk never fails");
            batch.clear();
            acknowledged.append(&mut pending);
        }
        if word & 7 == 6 {
            journal = open();
        }
        if ends {
            break;
        }
    }
    (disk.image(), acknowledged)
}

/// A few bytes of the input, up to 256 times: sectors of zeros are among them.
fn payload(source: &mut Source<'_>) -> Vec<u8> {
    let (len, times) = (source.u8() & 15, source.u8());
    source.take(usize::from(len)).repeat(usize::from(times) + 1)
}

/// Up to three files of a few pages, zeros but for the pieces that the input puts into them.
fn any_files(source: &mut Source<'_>) -> Image {
    let mut image = Image::new();
    for _ in 0..3 {
        if source.is_empty() {
            break;
        }
        let (shape, first_seq) = (source.u8(), source.u8());
        let mut bytes = vec![0; usize::from(shape & 3) * PAGE_SIZE_BYTES + usize::from(shape >> 7)];
        for _ in 0..shape >> 2 & 7 {
            let (at, len) = (usize::from(source.u16()), source.u8());
            let piece = source.take(usize::from(len));
            if let Some(place) = bytes.get_mut(at..).and_then(|rest| rest.get_mut(..piece.len())) {
                place.copy_from_slice(piece);
            }
        }
        if shape & 0x20 == 0 {
            bytes.chunks_exact_mut(PAGE_SIZE_BYTES).for_each(seal);
        }
        image.insert(format!("journal-{first_seq:020}.seg"), bytes);
    }
    image
}

/// Makes the checksums of a page right that begins as a segment or a block does (`docs/formats/journal.md`).
fn seal(page: &mut [u8]) {
    let checked_to = match &page[..8] {
        b"ONRUSHJL" => page.len(),
        b"ONRBLOCK" => {
            seal_records(&mut page[128..]);
            128
        }
        _ => return,
    };
    let checksum = crc32c::crc32c(&page[12..checked_to]);
    page[8..12].copy_from_slice(&checksum.to_le_bytes());
}

fn seal_records(mut records: &mut [u8]) {
    while records.len() >= 20 {
        let size_bytes = 20 + usize::from(u16::from_le_bytes([records[4], records[5]]));
        if size_bytes > records.len() || records[..20] == [0; 20] {
            return;
        }
        let (record, rest) = records.split_at_mut(size_bytes);
        let checksum = crc32c::crc32c(&record[4..]);
        record[..4].copy_from_slice(&checksum.to_le_bytes());
        records = rest;
    }
}
