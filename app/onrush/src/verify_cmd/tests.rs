//! Receipts against real journals.

use std::fs;
use std::path::Path;

use edge::Receipt;

use super::*;
use crate::story::house::House;

fn verify(dir: &Path, receipt: &str) -> (Verdict, String) {
    let args = VerifyReceiptArgs { receipt: receipt.to_owned(), dir: dir.to_owned() };
    let mut out = Vec::new();
    let verdict = check::run(&args, &mut out).unwrap();
    (verdict, String::from_utf8(out).unwrap())
}

#[track_caller]
fn expect(house: &House, receipt: &Receipt, expected: (Verdict, &str)) -> String {
    let (verdict, text) = verify(&house.dir(), &receipt.to_string());
    assert_eq!(verdict, expected.0, "{text}");
    assert!(text.contains(expected.1), "`{}` is not in {text}", expected.1);
    text
}

// covers: I5
#[test]
fn receipt_of_every_answer_is_in_the_journal_while_it_grows_and_after_a_restart() {
    let mut house = House::with_sale(10);
    let (held, first) = house.place("ada", "k", 2);
    let (paid, second) = house.pay(&held, "pay-1");
    let (_, again) = house.place("ada", "k", 2);
    assert_eq!((first.seq, again.seq), (held.seq, held.seq), "the same answer");
    assert_ne!(first.tip, again.tip, "given later");
    for _ in 0..2 {
        let text = expect(&house, &first, (Verdict::InJournal, "buyer ada asked for 2 × ga at 500 in gig"));
        assert!(
            text.contains("2026-09-21T14:13:20.000Z, term 1") && text.contains("1000 EUR in minor units"),
            "{text}"
        );
        expect(&house, &again, (Verdict::InJournal, "buyer ada asked for 2 × ga"));
        expect(&house, &second, (Verdict::InJournal, "of buyer ada is paid"));
        house.restart();
        house.place("bob", "k", 1);
    }
    assert_eq!(paid.seq, second.seq);
}

#[test]
fn any_changed_character_of_a_receipt_is_refused() {
    let mut house = House::with_sale(10);
    let (view, _) = house.place("ada", "k", 2);
    house.place("bob", "k", 1);
    let (_, receipt) = house.pay(&view, "pay-1");
    house.place("cy", "k", 1);
    let text = receipt.to_string();
    let dir = house.dir();
    for place in 0..text.len() {
        let mut changed = text.clone().into_bytes();
        changed[place] = if changed[place] == b'1' { b'2' } else { b'1' };
        let changed = String::from_utf8(changed).unwrap();
        let args = VerifyReceiptArgs { receipt: changed.clone(), dir: dir.clone() };
        let verdict = check::run(&args, &mut Vec::new());
        assert!(!matches!(verdict, Ok(Verdict::InJournal | Verdict::Dropped)), "{changed}: {verdict:?}");
    }
    expect(&house, &receipt, (Verdict::InJournal, ""));
}

#[test]
fn every_kind_of_wrong_is_named() {
    let mut house = House::with_sale(10);
    let (_, first) = house.place("ada", "k", 2);
    let (_, second) = house.place("bob", "k", 1);
    let no = |receipt: Receipt, why: &str| drop(expect(&house, &receipt, (Verdict::NotInJournal, why)));
    no(Receipt { seq: first.seq, ..second }, "is not about order");
    no(Receipt { tip: edge::Tip { chain: first.tip.chain, ..second.tip }, ..second }, "not the receipt's");
    no(Receipt { order: *b"0000000000000000", ..first }, "another installation gave it");
    no(Receipt { seq: second.seq, ..first }, "behind the end of the journal");
    no(Receipt { shard: domain::ShardId::new(7).unwrap(), ..first }, "is in shard 0, not 7");
    let mut ahead = second;
    ahead.tip.seq.0 += 100;
    no(ahead, "has lost its end");
    // Two facts in one batch: no answer ever left between them.
    let mut between = second;
    between.tip.seq.0 = 2;
    between.seq.0 = 2;
    no(between, "no answer ever left behind record 2");
    let args = VerifyReceiptArgs { receipt: "r1-0".to_owned(), dir: house.dir() };
    let error = format!("{:#}", check::run(&args, &mut Vec::new()).unwrap_err());
    assert!(error.contains("is no receipt: it does not have 6 parts"), "{error}");
}

#[test]
fn receipt_of_a_journal_that_went_another_way_is_not_in_this_one() {
    let (mut house, mut other) = (House::with_sale(10), House::with_sale(10));
    other.clock.0 += 1;
    let (_, here) = house.place("ada", "k", 2);
    let (_, there) = other.place("ada", "k", 2);
    expect(&house, &here, (Verdict::InJournal, ""));
    expect(&house, &there, (Verdict::NotInJournal, "this journal is not the one"));
}

#[test]
fn damage_before_the_receipt_is_named_and_damage_behind_it_is_told() {
    let mut house = House::with_sale(10);
    let (_, first) = house.place("ada", "first", 1);
    let (_, second) = house.place("ada", "second", 1);
    house.place("ada", "third", 1);
    let path = fs::read_dir(house.dir().join("shard-0000")).unwrap().map(|entry| entry.unwrap().path());
    let path = path.into_iter().find(|path| path.extension().is_some_and(|end| end == "seg")).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let blocks: Vec<usize> =
        (0..bytes.len()).step_by(4096).filter(|at| bytes[*at..].starts_with(b"ONRBLOCK")).collect();
    let damaged = blocks[blocks.len() - 2];
    bytes[damaged + 140] ^= 1;
    fs::write(&path, bytes).unwrap();
    expect(&house, &first, (Verdict::InJournal, "but the journal is damaged behind it"));
    expect(
        &house,
        &second,
        (Verdict::NotInJournal, "the journal is damaged, and cannot be read as far as record"),
    );
}

#[test]
fn record_that_was_dropped_behind_snapshots_cannot_be_told() {
    let mut house = House::with_sale(100_000);
    let (_, early) = house.place("ada", "k", 2);
    let mut last = early;
    for number in 0..40 {
        last = house.place(&format!("buyer-{number}"), "k", 1).1;
    }
    house.snapshot();
    assert!(house.drop_segments(last.seq) > 0, "several segments");
    let text =
        expect(&house, &early, (Verdict::Dropped, "was dropped from the journal, which now begins with"));
    assert!(text.starts_with("CANNOT SAY"), "{text}");
    expect(&house, &last, (Verdict::InJournal, "buyer buyer-39 asked for 1 × ga at 500 in gig"));
    // The chain of an answer given late proves the journal, but the record itself is gone.
    let (_, late) = house.place("ada", "k", 2);
    expect(&house, &late, (Verdict::Dropped, "so it was given from this journal"));
}
