//! Repairing real folders, and starting on them again.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::story::house::House;

fn run(house: &House, confirm: Option<u64>) -> (anyhow::Result<Verdict>, String) {
    let args = RepairArgs { dir: house.dir(), shard: None, confirm };
    let mut out = Vec::new();
    let verdict = repair::run(&args, &mut out);
    (verdict, String::from_utf8(out).unwrap())
}

fn files(house: &House, end: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(house.dir().join("shard-0000")).unwrap().map(|entry| entry.unwrap().path());
    let is_it = |path: &PathBuf| {
        path.to_str().unwrap().ends_with(end) && !path.to_str().unwrap().contains("damaged-")
    };
    let mut files: Vec<PathBuf> = entries.filter(is_it).collect();
    files.sort();
    files
}

/// Flips a bit in the block of that number; returns its offset.
fn damage(path: &PathBuf, number: usize) -> u64 {
    let mut bytes = fs::read(path).unwrap();
    let is_block = |at: &usize| bytes[*at..].starts_with(b"ONRBLOCK");
    let at = (0..bytes.len()).step_by(4096).filter(is_block).nth(number).unwrap();
    bytes[at + 140] ^= 1;
    fs::write(path, bytes).unwrap();
    at as u64
}

/// Thirty orders over several segments.
fn sold(snapshot_after: Option<u64>) -> House {
    let mut house = House::with_sale(100);
    for number in 0..30 {
        if Some(number) == snapshot_after {
            house.snapshot();
        }
        house.place(&format!("buyer-{number}"), "k", 1);
    }
    assert!(files(&house, ".seg").len() >= 3);
    house
}

#[test]
fn nothing_is_changed_without_a_confirmation_of_that_very_damage() {
    let house = sold(None);
    assert_eq!(run(&house, None).0.unwrap(), Verdict::Clean);
    let offset = damage(&files(&house, ".seg")[1], 3);
    let before: Vec<Vec<u8>> = files(&house, "").iter().map(|path| fs::read(path).unwrap()).collect();
    let (verdict, text) = run(&house, None);
    assert_eq!(verdict.unwrap(), Verdict::Damaged);
    assert!(text.contains("LOST: records") && text.contains(&format!("say --confirm {offset}")), "{text}");
    assert!(run(&house, Some(offset + 4096)).0.unwrap_err().to_string().contains("nothing was changed"));
    let after: Vec<Vec<u8>> = files(&house, "").iter().map(|path| fs::read(path).unwrap()).collect();
    assert_eq!(before, after);
}

#[test]
fn cut_says_how_many_orders_go_and_a_start_goes_on_before_them() {
    let mut house = sold(Some(28));
    let offset = damage(&files(&house, ".seg")[1], 3);
    // The snapshot is behind the damage; but the journal behind it is in the damaged segment.
    for path in files(&house, ".seg").iter().skip(2) {
        fs::remove_file(path).unwrap();
    }
    let (verdict, text) = run(&house, Some(offset));
    assert_eq!(verdict.unwrap(), Verdict::Clean, "{text}");
    assert!(text.contains("orders that buyers were told of") && text.contains("1 cannot be read"), "{text}");
    assert!(text.contains("reaches beyond the cut and is set aside"), "{text}");
    assert!(files(&house, ".snap").is_empty());
    house.restart();
    let last = text.split("ends with record ").nth(1).unwrap().split(';').next().unwrap();
    let (view, _) = house.place("somebody", "k", 1);
    // A new term, and the order; the clock had not ended any hold.
    assert_eq!(view.seq.0, last.parse::<u64>().unwrap() + 2);
}

// covers: I5
#[test]
fn damage_behind_which_a_snapshot_and_the_journal_go_on_costs_no_order() {
    let mut house = sold(Some(28));
    let offset = damage(&files(&house, ".seg")[0], 3);
    let segment_count = files(&house, ".seg").len();
    let (verdict, text) = run(&house, Some(offset));
    assert_eq!(verdict.unwrap(), Verdict::Clean, "{text}");
    assert!(text.contains("no order and no unit is lost"), "{text}");
    assert_eq!(files(&house, ".seg").len(), segment_count - 1);
    house.restart();
    for number in 0..30 {
        // The first answer again: nothing was forgotten.
        let (view, receipt) = house.place(&format!("buyer-{number}"), "k", 1);
        assert!(view.seq < receipt.tip.seq && view.seq.0 == 5 + number, "{number}");
    }
}

#[test]
fn server_and_repair_do_not_meet() {
    let house = sold(None);
    let _lock = journal::DirLock::acquire(&house.dir()).unwrap();
    assert!(run(&house, None).0.unwrap_err().to_string().contains("is in use by another process"));
}
