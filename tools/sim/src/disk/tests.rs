use journal::{Access, Disk, DiskFile};

use super::*;

const NEW: [u8; 4_096] = [7; 4_096];

fn file_with_unsynced_write(seed: u64) -> SimDisk {
    let disk = SimDisk::new(Dice::new(seed));
    let file = disk.create("a", 4_096).unwrap();
    disk.sync_dir().unwrap();
    file.write_at(&NEW, 0).unwrap();
    disk
}

fn content(disk: &SimDisk, name: &str) -> Vec<u8> {
    let file = disk.open(name, Access::Read).unwrap();
    let mut content = vec![0; usize_of(file.size_bytes().unwrap()).unwrap()];
    file.read_at(&mut content, 0).unwrap();
    content
}

#[test]
fn synced_write_survives_the_power() {
    for seed in 0..100 {
        let disk = file_with_unsynced_write(seed);
        disk.open("a", Access::Write).unwrap().sync().unwrap();
        disk.cycle_power();
        assert_eq!(content(&disk, "a"), NEW, "seed {seed}");
    }
}

#[test]
fn unsynced_write_is_torn_sector_by_sector() {
    let mut seen = [false; 2];
    for seed in 0..100 {
        let disk = file_with_unsynced_write(seed);
        assert_eq!(content(&disk, "a"), NEW, "visible before the power goes");
        disk.cycle_power();
        for sector in content(&disk, "a").chunks(512) {
            assert!(sector == [0; 512] || sector == [7; 512], "a sector is old or new");
            seen[usize::from(sector[0] == 7)] = true;
        }
    }
    assert_eq!(seen, [true; 2]);
}

#[test]
fn unsynced_name_may_be_lost_and_synced_name_stays() {
    let mut kept = 0;
    for seed in 0..100 {
        let disk = SimDisk::new(Dice::new(seed));
        disk.create("synced", 512).unwrap();
        disk.sync_dir().unwrap();
        disk.create("new", 512).unwrap();
        disk.cycle_power();
        let names = disk.list().unwrap();
        assert!(names.contains(&"synced".to_owned()));
        kept += usize::from(names.contains(&"new".to_owned()));
    }
    assert!((20..80).contains(&kept), "{kept} of 100");
}

#[test]
fn rename_happens_as_a_whole_or_not_at_all() {
    for seed in 0..100 {
        let disk = SimDisk::new(Dice::new(seed));
        disk.create("a", 512).unwrap();
        disk.sync_dir().unwrap();
        disk.rename("a", "b").unwrap();
        disk.cycle_power();
        let names = disk.list().unwrap();
        assert!(names == ["a"] || names == ["b"], "{names:?}");
    }
}

#[test]
fn failed_sync_leaves_data_that_no_later_sync_saves() {
    let mut lost = 0;
    for seed in 0..20 {
        let disk = file_with_unsynced_write(seed);
        let file = disk.open("a", Access::Write).unwrap();
        disk.set_fault_rates(FaultRates { sync_error: 1_000, ..FaultRates::default() });
        file.sync().unwrap_err();
        disk.set_fault_rates(FaultRates::default());
        file.sync().unwrap();
        assert_eq!(content(&disk, "a"), NEW, "still visible");
        disk.cycle_power();
        lost += usize::from(content(&disk, "a") != NEW);
    }
    assert!(lost > 10, "{lost} of 20");
}

#[test]
fn fuse_cuts_the_power_in_the_middle_of_an_operation() {
    let disk = SimDisk::new(Dice::new(1));
    let file = disk.create("a", 4_096).unwrap();
    disk.sync_dir().unwrap();
    disk.burn_after(Some(1));
    file.write_at(&NEW, 0).unwrap();
    file.sync().unwrap_err();
    assert!(disk.is_off());
    disk.list().unwrap_err();
    disk.cycle_power();
    assert_ne!(content(&disk, "a"), NEW, "nothing had been synced, and this seed loses some of it");
}

#[test]
fn dead_process_cannot_write() {
    let disk = SimDisk::new(Dice::new(1));
    let file = disk.create("a", 512).unwrap();
    let next = disk.for_next_process();
    file.write_at(&[1], 0).unwrap_err();
    disk.list().unwrap_err();
    assert_eq!(next.list().unwrap(), ["a"]);
}
