//! Damage that somebody gave up: what is kept, what goes, and that a journal goes on behind it.

use domain::{Seq, UnixMs};

use super::mem_disk::{Image, MemDisk};
use super::{Kept, NOW, SMALL, batch, hundred_records, read_from};
use crate::format::segment;
use crate::repair::{self, Way};
use crate::{Damage, Journal, Local, scan};

/// The hundred records with a flipped bit at that offset of segment number `index`.
fn damaged((index, offset): (usize, usize)) -> (MemDisk, Image, Damage) {
    let mut image = hundred_records().image();
    let name = image.keys().nth(index).unwrap().clone();
    image.get_mut(&name).unwrap()[offset] ^= 4;
    let disk = MemDisk::from_image(image.clone());
    let damage = scan(&disk, &mut |_| ()).unwrap().verdict.unwrap_err();
    assert_eq!(damage.file, name);
    (disk, image, damage)
}

/// What a start finds; it goes on with one more record.
fn start(disk: &MemDisk) -> Vec<Kept> {
    let (mut journal, _) = Local::open(disk.clone(), SMALL, NOW).unwrap();
    let records = read_from(&journal, journal_begins(disk));
    let tip = journal.append(&batch(7, &[44]), NOW).unwrap();
    assert_eq!(tip.seq, Seq(records.last().map_or(0, |record| record.seq) + 1));
    records
}

fn journal_begins(disk: &MemDisk) -> u64 {
    scan(disk, &mut |_| ()).unwrap().extent.first_seq.0.max(1)
}

/// Every file that went is kept, byte for byte.
fn assert_kept(disk: &MemDisk, before: &Image, names: &[String]) {
    let after = disk.image();
    for name in names {
        let (_, original) = name.split_once("-journal-").unwrap();
        assert_eq!(after[name], before[&format!("journal-{original}")], "{name}");
    }
    for (name, bytes) in before {
        let is_kept = names.iter().any(|kept| kept.ends_with(name.as_str()));
        assert!(is_kept || after[name] == *bytes, "{name} changed and was not kept");
    }
}

// covers: I5
#[test]
fn cut_keeps_all_before_the_damage_and_copies_of_the_rest() {
    let whole = start(&hundred_records());
    for place in [(0, 8_192 + 150), (1, 4_096), (2, 5), (0, 0)] {
        let (disk, before, damage) = damaged(place);
        let good = scan(&disk, &mut |_| ()).unwrap().extent.record_count();
        let names = repair::repair(&disk, &damage, Way::Cut, UnixMs(5)).unwrap();
        assert!(names.iter().all(|name| name.starts_with("damaged-5-journal-")), "{names:?}");
        assert_kept(&disk, &before, &names);
        assert_eq!(start(&disk), whole[..usize::try_from(good).unwrap()], "{place:?}");
    }
}

#[test]
fn older_segments_go_when_a_later_one_is_sound_to_the_end() {
    let whole = start(&hundred_records());
    let (disk, before, damage) = damaged((1, 4_096 + 150));
    let (first, extent) = repair::sound_rest(&disk, &damage).unwrap().unwrap();
    let third = segment::first_seq_of(before.keys().nth(2).unwrap()).unwrap();
    assert_eq!((first, extent.tip.seq), (third, Seq(100)));
    let names = repair::repair(&disk, &damage, Way::DropBefore(first), UnixMs(5)).unwrap();
    assert_eq!(names.len(), 2);
    assert_kept(&disk, &before, &names);
    assert_eq!(start(&disk), whole[usize::try_from(first.0).unwrap() - 1..100]);
}

#[test]
fn damage_in_the_last_segment_has_no_sound_rest() {
    let last = hundred_records().image().len() - 1;
    let (disk, _, damage) = damaged((last, 4_096 + 150));
    assert_eq!(repair::sound_rest(&disk, &damage).unwrap(), None);
}

#[test]
fn what_can_still_be_read_behind_the_damage_is_all_but_the_damaged_block() {
    let (disk, _, damage) = damaged((0, 8_192 + 150));
    let mut seqs = Vec::new();
    repair::readable_rest(&disk, &damage, &mut |record| seqs.push(record.seq.0)).unwrap();
    assert_eq!(seqs, (6..=100).collect::<Vec<u64>>(), "record 5 is the damaged batch");
}

#[test]
fn crash_at_any_step_of_a_cut_leaves_it_to_be_done_again() {
    let whole = start(&hundred_records());
    let (disk, before, damage) = damaged((0, 8_192 + 150));
    repair::repair(&disk, &damage, Way::Cut, UnixMs(5)).unwrap();
    let step_count = disk.step_count();
    let good = 4;
    for step in 0..step_count {
        let disk = MemDisk::from_image(before.clone());
        disk.fail_at(step, super::mem_disk::Failure::Error);
        assert!(repair::repair(&disk, &damage, Way::Cut, UnixMs(5)).is_err(), "step {step}");
        let disk = MemDisk::from_image(disk.image_synced());
        if let Err(damage) = scan(&disk, &mut |_| ()).unwrap().verdict {
            repair::repair(&disk, &damage, Way::Cut, UnixMs(6)).unwrap();
        }
        assert_eq!(start(&disk), whole[..good], "step {step}");
    }
}
