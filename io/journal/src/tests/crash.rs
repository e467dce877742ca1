//! What a crash leaves of the last write: every sector old or new. Nothing acknowledged may be lost, and a batch
//! is there as a whole or not at all.

use domain::Seq;

use super::mem_disk::{Image, MemDisk};
use super::{NOW, SMALL, batch, hundred_records, open, read_from};
use crate::format::SECTOR_SIZE_BYTES;
use crate::{Journal, Local, Options, Verdict};

const LARGE: Options = Options { segment_size_bytes: 512 << 10, ..SMALL };

/// A disk before and after one append, and the sectors that the append changed.
struct LastWrite {
    before: Image,
    after: Image,
    name: String,
    sectors: Vec<usize>,
}

impl LastWrite {
    fn of(sizes_bytes: &[usize]) -> LastWrite {
        let disk = hundred_records();
        let (mut journal, _) = Local::open(disk.clone(), LARGE, NOW).unwrap();
        // It does not fit in what is left: so it stands, and the last write will, in a large new segment.
        journal.append(&batch(7, &[30_000]), NOW).unwrap();
        let before = disk.image();
        journal.append(&batch(9, sizes_bytes), NOW).unwrap();
        let after = disk.image();
        let name = after.keys().rfind(|name| name.ends_with(".seg")).unwrap().clone();
        let (old, new) = (&before[&name], &after[&name]);
        let differs = |sector: &usize| {
            let range = sector * SECTOR_SIZE_BYTES..(sector + 1) * SECTOR_SIZE_BYTES;
            old[range.clone()] != new[range]
        };
        let sectors: Vec<usize> = (0..new.len() / SECTOR_SIZE_BYTES).filter(differs).collect();
        LastWrite { before, after, name, sectors }
    }

    /// The disk when of the write only the sectors chosen by their index arrived.
    fn torn(&self, arrived: impl Fn(usize) -> bool) -> MemDisk {
        let mut image = self.before.clone();
        let file = image.get_mut(&self.name).unwrap();
        for (index, sector) in self.sectors.iter().enumerate() {
            if arrived(index) {
                let range = sector * SECTOR_SIZE_BYTES..(sector + 1) * SECTOR_SIZE_BYTES;
                file[range.clone()].copy_from_slice(&self.after[&self.name][range]);
            }
        }
        MemDisk::from_image(image)
    }

    fn check(&self, arrived: impl Fn(usize) -> bool) {
        let whole_before = MemDisk::from_image(self.before.clone());
        let whole_after = MemDisk::from_image(self.after.clone());
        let count = (0..self.sectors.len()).filter(|index| arrived(*index)).count();
        let disk = self.torn(arrived);
        let torn = disk.image();
        let expected = if count == self.sectors.len() { &whole_after } else { &whole_before };
        let (expected, _) = open(expected);
        let (mut journal, recovery) = open(&disk);
        assert_eq!(read_from(&journal, 1), read_from(&expected, 1));
        assert_eq!(journal.tip(), expected.tip());
        match recovery.verdict {
            Verdict::Clean => assert!(count == 0 || count == self.sectors.len()),
            Verdict::TornTail(tail) => {
                assert!(count > 0 && count < self.sectors.len());
                let from = usize::try_from(tail.offset).unwrap();
                let to = from + usize::try_from(tail.size_bytes).unwrap();
                assert_eq!(disk.image_synced()[&tail.copy.unwrap()], torn[&tail.file][from..to]);
                assert_eq!(disk.image_synced()[&tail.file], self.before[&self.name], "the tail is cut");
            }
        }
        journal.append(&batch(3, &[44]), NOW).unwrap();
        let (again, recovery) = open(&MemDisk::from_image(disk.image_synced()));
        assert_eq!(recovery.verdict, Verdict::Clean);
        assert_eq!(again.tip().seq, expected.tip().seq.next());
    }

    fn check_all(&self) {
        let count = self.sectors.len();
        for cut in 0..=count {
            self.check(|index| index < cut);
            self.check(|index| index >= cut);
            self.check(|index| index != cut);
            self.check(|index| index == cut);
        }
        let mut random = 88_172_645_463_325_252_u64;
        for _ in 0..200 {
            let mut pattern = Vec::new();
            for _ in 0..count {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                pattern.push(!random.is_multiple_of(3));
            }
            self.check(|index| pattern[index]);
        }
    }
}

#[test]
fn batch_of_one_page_torn_at_any_sector_is_cut() {
    let write = LastWrite::of(&[44; 50]);
    assert_eq!(write.sectors.len(), (128_usize + 50 * 64).div_ceil(512));
    write.check_all();
}

#[test]
fn block_of_several_pages_torn_at_any_sector_is_cut() {
    let write = LastWrite::of(&[3_000, 44, 5_000, 44, 4_000]);
    assert_eq!(write.sectors.len(), (128_usize + 12_088 + 5 * 20).div_ceil(512));
    write.check_all();
}

#[test]
fn batch_of_several_blocks_torn_at_any_sector_is_cut_as_a_whole() {
    let write = LastWrite::of(&[30_000; 5]);
    assert!(write.sectors.len() > 290, "three blocks");
    write.check_all();
}

#[test]
fn tail_torn_twice_keeps_both_records_and_numbers() {
    let write = LastWrite::of(&[44; 50]);
    let disk = write.torn(|index| index == 0);
    let tip = open(&disk).0.tip();
    let (mut journal, _) = open(&disk);
    assert_eq!(journal.tip(), tip);
    assert_eq!(journal.append(&batch(1, &[44]), NOW).unwrap().seq, Seq(tip.seq.0 + 1));
    assert_eq!(journal.tip().term.0, tip.term.0 + 1);
}
