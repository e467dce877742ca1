//! Who knows the older records already reads the younger ones only; the others are scrubbed afterwards.

use domain::Seq;

use super::mem_disk::{Image, MemDisk};
use super::{Kept, NOW, SMALL, batch, hundred_records, open, read_from};
use crate::format::segment;
use crate::{Damage, Journal, Local, OpenError, Recovery, scan, scan_before};

/// A record in the third segment or later.
const FROM: Seq = Seq(60);

fn open_from(image: Image, from: Seq) -> Result<(Local<MemDisk>, Recovery, Vec<Kept>), OpenError> {
    let mut shown = Vec::new();
    let disk = MemDisk::from_image(image);
    let opened = Local::open_from(disk, SMALL, NOW, from, &mut |record| shown.push(record.into()));
    opened.map(|(journal, recovery)| (journal, recovery, shown))
}

fn scrub(image: &Image, before: Seq) -> Result<usize, Damage> {
    scan_before(&MemDisk::from_image(image.clone()), before).unwrap()
}

fn first_seqs(image: &Image) -> Vec<Seq> {
    image.keys().filter_map(|name| segment::first_seq_of(name)).collect()
}

#[test]
fn start_reads_from_the_segment_that_has_the_record_and_keeps_the_others() {
    let image = hundred_records().image();
    let first_seqs = first_seqs(&image);
    for from in 0..=101 {
        let (mut journal, recovery, shown) = open_from(image.clone(), Seq(from)).unwrap();
        let read_from_seq = first_seqs.iter().rev().find(|first| first.0 <= from).unwrap_or(&Seq(1));
        assert_eq!(shown.first().map(|record| record.seq).filter(|_| from <= 100), {
            (from <= 100).then_some(read_from_seq.0)
        });
        assert_eq!(recovery.unread_before, (*read_from_seq > Seq(1)).then_some(*read_from_seq));
        assert_eq!(journal.tip().seq, Seq(100));
        assert_eq!(read_from(&journal, 1).len(), 100, "older segments are there");
        assert_eq!(journal.truncate_before(Seq(101)).unwrap(), first_seqs.len() as u64 - 1);
    }
}

#[test]
fn scrub_names_what_a_start_did_not_read() {
    let image = hundred_records().image();
    let before = open_from(image.clone(), FROM).unwrap().1.unread_before.unwrap();
    let unread: Vec<Seq> = first_seqs(&image).into_iter().filter(|first| *first < before).collect();
    assert!(unread.len() > 1, "several segments are not read");
    assert_eq!(scrub(&image, before), Ok(unread.len()));
    for name in unread.into_iter().map(segment::name) {
        for index in (0..image[&name].len()).step_by(97) {
            let mut flipped = image.clone();
            flipped.get_mut(&name).unwrap()[index] ^= 1 << (index % 8);
            let damage = scrub(&flipped, before).unwrap_err();
            assert_eq!(damage.file, name);
            // The same as a reading of the whole journal says; and the start does not mind.
            let whole = scan(&MemDisk::from_image(flipped.clone()), &mut |_| ()).unwrap();
            assert_eq!(whole.verdict, Err(damage));
            assert!(open_from(flipped, FROM).is_ok());
        }
    }
}

#[test]
fn damage_in_what_a_start_reads_is_refused() {
    let image = hundred_records().image();
    let before = open_from(image.clone(), FROM).unwrap().1.unread_before.unwrap();
    let mut flipped = image;
    flipped.get_mut(&segment::name(before)).unwrap()[4_096 + 200] ^= 1;
    assert!(matches!(open_from(flipped, FROM), Err(OpenError::Damage(_))));
}

#[test]
fn scrub_finds_a_segment_that_is_missing_between_others() {
    let mut image = hundred_records().image();
    let before = open_from(image.clone(), FROM).unwrap().1.unread_before.unwrap();
    image.remove(&segment::name(first_seqs(&image)[1]));
    assert_eq!(scrub(&image, before).unwrap_err().file, segment::name(Seq(1)));
}

#[test]
fn scrub_does_not_mind_a_writer_who_drops_what_it_reads() {
    let disk = hundred_records();
    let (mut journal, _) = open(&disk);
    journal.append(&batch(1, &[44]), NOW).unwrap();
    journal.truncate_before(FROM).unwrap();
    let first = first_seqs(&disk.image())[0];
    assert_eq!(scan_before(&disk, first).unwrap(), Ok(0));
    journal.truncate_before(Seq(101)).unwrap();
    assert_eq!(scan_before(&disk, first).unwrap(), Ok(0), "nothing is left to be read");
}
