//! Bytes that change after they were durable: named, wherever they are; never a lost record without a word.

use domain::{Seq, Term};

use super::mem_disk::{Image, MemDisk};
use super::{Kept, NOW, SMALL, batch, hundred_records, open, read_from};
use crate::format::{Fault, PAGE_SIZE_BYTES, block, segment};
use crate::{Damage, Journal, Local, OpenError, Proof, Seen, Verdict, scan, scan_batches};

/// What a byte of a journal is.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Place {
    SegmentHeader,
    /// Header or records of the block at `offset`.
    Block {
        offset: u64,
    },
    /// Behind the records of the block at `offset`.
    Padding {
        offset: u64,
    },
    /// Behind the last block.
    Unused {
        in_last_segment: bool,
    },
}

/// What every byte of a segment is.
fn places(bytes: &[u8], in_last_segment: bool) -> Vec<Place> {
    let mut places = vec![Place::SegmentHeader; PAGE_SIZE_BYTES];
    while places.len() < bytes.len() {
        let offset = places.len();
        let Ok(header) = block::Header::parse(&bytes[offset..]) else { break };
        places.resize(offset + header.size_bytes(), Place::Block { offset: offset as u64 });
        places.resize(offset + header.stored_size_bytes(), Place::Padding { offset: offset as u64 });
    }
    places.resize(bytes.len(), Place::Unused { in_last_segment });
    places
}

fn try_open(image: Image) -> Result<(Vec<Kept>, Verdict), Damage> {
    match Local::open(MemDisk::from_image(image), SMALL, NOW) {
        Ok((journal, recovery)) => Ok((read_from(&journal, 1), recovery.verdict)),
        Err(OpenError::Damage(damage)) => Err(damage),
        Err(error) => panic!("{error}"),
    }
}

fn segments_of(image: &Image) -> Vec<String> {
    image.keys().filter(|name| segment::first_seq_of(name).is_some()).cloned().collect()
}

#[test]
fn any_flipped_bit_is_named() {
    let image = hundred_records().image();
    let (records, _) = try_open(image.clone()).unwrap();
    assert_eq!(records.len(), 100);
    let names = segments_of(&image);
    assert!(names.len() > 3, "several segments");
    for name in &names {
        let places = places(&image[name], Some(name) == names.last());
        for (index, place) in places.iter().enumerate() {
            // Every byte that means something up to its first hundreds, and a sample of all others.
            let is_sampled = match place {
                Place::Block { offset } => index as u64 - offset < 400 || index % 31 == 0,
                _ => index < 128 || index % 97 == 0,
            };
            if is_sampled {
                let mut flipped = image.clone();
                flipped.get_mut(name).unwrap()[index] ^= 1 << (index % 8);
                check_flip(name, place, &records, try_open(flipped));
            }
        }
    }
}

fn check_flip(name: &str, place: &Place, records: &[Kept], found: Result<(Vec<Kept>, Verdict), Damage>) {
    match (place, found) {
        (Place::SegmentHeader, Err(damage)) => {
            assert_eq!((damage.file.as_str(), damage.offset, damage.proof), (name, 0, Proof::Header));
        }
        (Place::Block { offset } | Place::Padding { offset }, Err(damage)) => {
            assert_eq!((damage.file.as_str(), damage.offset), (name, *offset));
        }
        (Place::Unused { in_last_segment: true }, Ok((found, verdict))) => {
            assert_eq!(found, records);
            assert!(matches!(verdict, Verdict::TornTail(_)), "somebody is told");
        }
        (Place::Unused { .. }, Err(damage)) => assert_eq!(damage.file, name),
        (place, found) => panic!("{place:?} of {name}: {:?}", found.map(|(records, _)| records.len())),
    }
}

#[test]
fn flip_in_the_last_block_is_named_unless_a_sector_of_it_is_all_zeros() {
    let disk = MemDisk::default();
    let (mut journal, _) = open(&disk);
    journal.append(&batch(1, &[44]), NOW).unwrap();
    let mut zeros = crate::Batch::new();
    zeros.push(1, &[0; 2_000]);
    journal.append(&zeros, NOW).unwrap();
    let mut image = disk.image();
    image.values_mut().next().unwrap()[3 * 4_096 - 3_000] ^= 1; // a zero of the payload
    let (records, verdict) = try_open(image.clone()).unwrap();
    assert_eq!(records.len(), 1, "the limit of what can be promised: this is what a torn write looks like");
    assert!(matches!(verdict, Verdict::TornTail(_)));
    // With another batch behind it, it is no longer the last block, and no such thing can be thought.
    journal.append(&batch(1, &[44]), NOW).unwrap();
    let mut image = disk.image();
    image.values_mut().next().unwrap()[3 * 4_096 - 3_000] ^= 1;
    let damage = try_open(image).unwrap_err();
    assert_eq!((damage.offset, damage.proof), (8_192, Proof::LaterBlock(12_288)));
}

#[test]
fn damage_says_file_offset_fault_and_why() {
    let mut image = hundred_records().image();
    let name = segments_of(&image)[0].clone();
    image.get_mut(&name).unwrap()[8_192 + 150] ^= 4;
    let damage = try_open(image).unwrap_err().to_string();
    assert_eq!(
        damage,
        "journal-00000000000000000001.seg is damaged at offset 8192: the checksum of record 5 does not fit \
         (valid data comes after it, in journal-00000000000000000020.seg)"
    );
}

#[test]
fn scan_shows_what_is_before_the_damage_and_changes_nothing() {
    let mut image = hundred_records().image();
    let name = segments_of(&image)[1].clone();
    image.get_mut(&name).unwrap()[4_096] ^= 1;
    let disk = MemDisk::from_image(image);
    let mut seqs = Vec::new();
    let report = scan(&disk, &mut |record| seqs.push(record.seq.0)).unwrap();
    assert_eq!(seqs, (1..=19).collect::<Vec<u64>>());
    assert_eq!((report.extent.record_count(), report.extent.tip.seq), (19, Seq(19)));
    assert_eq!(report.verdict.unwrap_err().fault, Fault::BlockMagic);
    assert_eq!(disk.step_count(), 0);
}

#[test]
fn scan_tells_the_tip_of_every_append_behind_its_last_record() {
    let disk = MemDisk::default();
    let (mut journal, _) = open(&disk);
    let mut told = Vec::new();
    for number in 0..20 {
        // The larger ones are several blocks: a tip is where a batch ends, not a block.
        let tip = journal.append(&batch(number, &[44, 600, 60_000, 60_000][..1 + number % 4]), NOW).unwrap();
        told.push(tip);
    }
    let (mut last_seq, mut seen_tips) = (Seq(0), Vec::new());
    let report = scan_batches(&disk, &mut |seen| match seen {
        Seen::Record(record) => last_seq = record.seq,
        Seen::BatchEnd(tip) => {
            assert_eq!(tip.seq, last_seq);
            seen_tips.push(tip);
        }
    });
    assert_eq!(seen_tips, told);
    assert_eq!(report.unwrap().extent.tip, journal.tip());
}

#[test]
fn missing_exchanged_shortened_and_renamed_segments_are_refused() {
    let image = hundred_records().image();
    let names = segments_of(&image);
    let refused = |change: &dyn Fn(&mut Image)| {
        let mut image = image.clone();
        change(&mut image);
        try_open(image).unwrap_err().fault
    };
    let missing = refused(&|image| drop(image.remove(&names[1])));
    assert_eq!(missing, Fault::BlockMissing(Seq(20)));
    let exchanged = refused(&|image| {
        let other = image[&names[2]].clone();
        image.insert(names[1].clone(), other);
    });
    assert!(matches!(exchanged, Fault::SegmentName(_)));
    let shortened = refused(&|image| image.get_mut(names.last().unwrap()).unwrap().truncate(8_192));
    assert_eq!(shortened, Fault::SegmentSize(32_768));
    let emptied = refused(&|image| image.get_mut(&names[0]).unwrap().clear());
    assert_eq!(emptied, Fault::SegmentMagic);
    let zeroed = refused(&|image| image.get_mut(&names[0]).unwrap()[4_096..].fill(0));
    assert_eq!(zeroed, Fault::BlockMissing(Seq(1)));
}

#[test]
fn lost_page_before_a_later_block_is_damage_and_not_the_end() {
    let disk = MemDisk::default();
    let (mut journal, _) = open(&disk);
    for _ in 0..3 {
        journal.append(&batch(1, &[44]), NOW).unwrap();
    }
    let mut image = disk.image();
    image.values_mut().next().unwrap()[8_192..12_288].fill(0);
    let damage = try_open(image).unwrap_err();
    assert_eq!((damage.offset, damage.fault), (8_192, Fault::BlockMissing(Seq(2))));
    assert_eq!(damage.proof, Proof::LaterBlock(12_288));
}

#[test]
fn block_of_another_life_of_the_file_is_neither_accepted_nor_a_proof() {
    let life = |seed: usize| {
        let disk = MemDisk::default();
        let (mut journal, _) = open(&disk);
        for number in 0..4 {
            journal.append(&batch(seed + number, &[44]), NOW).unwrap();
        }
        disk.image().into_values().next().unwrap()
    };
    let (old, mut file) = (life(100), life(1));
    let page = |index: usize| index * PAGE_SIZE_BYTES..(index + 1) * PAGE_SIZE_BYTES;
    let name = segment::name(Seq(1));
    // Stale blocks with numbers that are past: no crash puts them there, for all space was zeros. They may stand where
    // an acknowledged block stood, so they are not cut.
    for at in [5, 6] {
        let mut file = file.clone();
        file[page(at)].copy_from_slice(&old[page(1)]);
        let damage = try_open(Image::from([(name.clone(), file)])).unwrap_err();
        let offset = (at * PAGE_SIZE_BYTES) as u64;
        assert_eq!((damage.offset, damage.proof), (20_480, Proof::Misplaced(offset)));
    }
    // A stale block with just the right number: its hash of the block before does not fit.
    file[page(4)].copy_from_slice(&old[page(4)]);
    let damage = try_open(Image::from([(name, file)])).unwrap_err();
    assert_eq!((damage.offset, damage.fault), (16_384, Fault::BlockChain));
}

/// Bug: when the records of the last block ended one to three zeros behind the beginning of a sector, as amounts do, that
/// sector was all zeros and looked as if a crash had kept it back, so that any flipped bit in the block had it cut as
/// a torn tail, acknowledged or not. Cause: a sector of zeros that was written is one that was not. Fix: the
/// rest of a block's last sector is filled with 0xFF.
#[test]
fn flip_in_the_last_block_is_no_torn_tail_though_its_records_end_with_zeros() {
    for zeros in 0..4 {
        let disk = MemDisk::default();
        let (mut journal, _) = open(&disk);
        let mut batch = crate::Batch::new();
        let payload_size_bytes = 512 - block::HEADER_SIZE_BYTES - 20 + zeros;
        let mut payload = vec![7; payload_size_bytes];
        payload[512 - block::HEADER_SIZE_BYTES - 20..].fill(0);
        batch.push(1, &payload);
        journal.append(&batch, NOW).unwrap();
        let mut image = disk.image();
        image.values_mut().next().unwrap()[4_096 + 200] ^= 1;
        let damage = try_open(image).unwrap_err();
        assert_eq!((damage.offset, damage.proof), (4_096, Proof::NotTorn), "{zeros} zeros");
    }
}

/// Bug: an older block over the last one had it cut as a torn tail. Cause: a left-over was thought possible, though all
/// space is zeros before it is written. Fix: only what one interrupted write can leave is a torn tail.
#[test]
fn last_block_that_another_one_was_written_over_or_that_moved_is_damage() {
    let disk = MemDisk::default();
    let (mut journal, _) = open(&disk);
    for number in 0..3 {
        journal.append(&batch(number, &[44]), NOW).unwrap();
    }
    let file = |change: &dyn Fn(&mut [u8])| {
        let mut image = disk.image();
        change(image.values_mut().next().unwrap());
        try_open(image).unwrap_err()
    };
    let doubled = file(&|bytes| bytes.copy_within(8_192..12_288, 12_288));
    assert_eq!((doubled.offset, doubled.proof), (12_288, Proof::Misplaced(12_288)));
    let moved = file(&|bytes| {
        bytes.copy_within(12_288..16_384, 16_384);
        bytes[12_288..16_384].fill(0);
    });
    assert_eq!((moved.offset, moved.proof), (12_288, Proof::Misplaced(16_384)));
}

#[test]
fn segment_of_another_format_is_refused_by_its_number() {
    for version in [1, 2, 4] {
        let mut image = hundred_records().image();
        let page = &mut image.values_mut().next().unwrap()[..PAGE_SIZE_BYTES];
        page[12] = version;
        let checksum = crc32c::crc32c(&page[12..]);
        page[8..12].copy_from_slice(&checksum.to_le_bytes());
        assert_eq!(try_open(image).unwrap_err().fault, Fault::SegmentVersion(version.into()));
    }
}

/// Found by fuzzing. Bug: opening such a journal panicked. Cause: the next term was taken to exist. Fix: that there is
/// none is an error of its own, and nothing is changed.
#[test]
fn journal_after_the_last_term_is_refused_and_left_alone() {
    let disk = MemDisk::default();
    drop(open(&disk));
    let mut image = disk.image();
    let page = &mut image.values_mut().next().unwrap()[..PAGE_SIZE_BYTES];
    page[68..72].fill(0xFF); // the term before the segment
    let checksum = crc32c::crc32c(&page[12..]);
    page[8..12].copy_from_slice(&checksum.to_le_bytes());
    let disk = MemDisk::from_image(image.clone());
    let refused = Local::open(disk.clone(), SMALL, NOW).map(drop);
    assert!(matches!(refused, Err(OpenError::TermsExhausted(Term(u32::MAX)))), "{refused:?}");
    assert_eq!(disk.image(), image);
}
