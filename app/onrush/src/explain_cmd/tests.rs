//! Stories of real journals.

use domain::{Command, RefundStep, Seq, StockReceipt};

use super::*;
use crate::story::house::{House, SALE, START};

/// Exit well or not, the story, the notes.
fn explained(house: &House, words: &[(&str, &str)]) -> (bool, String, String) {
    let of =
        |name: &str| words.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let args = ExplainArgs {
        dir: house.dir(),
        about: About { order: of("order"), buyer: of("buyer"), item: of("item") },
        sale: of("sale"),
        at: of("at").map(|at| question::parse_time(&at).unwrap()),
        json: of("json").is_some(),
    };
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let told = explain(&args, (&mut out, &mut notes)).unwrap();
    (told, String::from_utf8(out).unwrap(), String::from_utf8(notes).unwrap())
}

#[track_caller]
fn story(house: &House, words: &[(&str, &str)]) -> String {
    let (told, out, notes) = explained(house, words);
    assert!(told, "{out}{notes}");
    out
}

#[track_caller]
fn assert_in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let at =
            rest.find(part).unwrap_or_else(|| panic!("`{part}` is not in what is left: {rest}\nof {text}"));
        rest = &rest[at + part.len()..];
    }
}

#[test]
fn order_that_was_paid_in_time_is_told_from_click_to_refund() {
    let mut house = House::with_sale(10);
    let (view, _) = house.place("ada", "k", 2);
    house.clock.0 += 1_500;
    house.pay(&view, "pay-1");
    house.clock.0 += 1_000;
    let refund = |step| Command::RecordRefund { order: view.order, surplus: None, step };
    house.ask_order(refund(RefundStep::Start { restock: false }));
    house.ask_order(refund(RefundStep::Succeeded));
    let text = story(&house, &[("order", &House::code(view.order))]);
    assert_in_order(
        &text,
        &[
            "2026-09-21T14:13:20.000Z  record 5",
            "buyer ada asked for 2 × ga at 500 in gig",
            "because the sale took orders and the units were free, and within the limits: at most 4 per \
             buyer",
            "gig/ga: free 10 → 8, held 0 → 2; after it stock 10 = free 8 + held 2 + paid 0 + withdrawn 0",
            "2026-09-21T14:13:21.500Z  record 6",
            "payment pay-1 of 1000 EUR in minor units came",
            "because the payment came in time: the hold was to end at 2026-09-21T14:14:20.000Z",
            "held 2 → 0, paid 0 → 2",
            "the organiser began to give the money of order",
            "no unit moved",
            "the organiser recorded that the money of order",
            "paid 2 → 0, withdrawn 0 → 2",
            "was refunded",
        ],
    );
    assert_eq!(text, story(&house, &[("order", &view.order.raw().to_string())]), "by its number too");
}

#[test]
fn late_payment_is_told_with_the_rule_that_decided_it() {
    let mut house = House::with_sale(3);
    let (late, _) = house.place("ada", "k", 2);
    house.clock.0 += 61_000;
    let (_, _) = house.place("bob", "k", 2);
    let (refunding, _) = house.pay(&late, "pay-late");
    assert_eq!(refunding.state, domain::OrderState::Refunding);
    let text = story(&house, &[("order", &House::code(late.order))]);
    assert_in_order(
        &text,
        &[
            "the hold of order",
            "because its hold was to end at 2026-09-21T14:14:20.000Z, and no payment had come",
            "free 1 → 3, held 2 → 0",
            "payment pay-late of 1000 EUR",
            "takes the same units again only if they are free",
            "2 of ga were needed, and 1 were free",
            "no unit moved",
            "was refunding",
        ],
    );
}

#[test]
fn late_payment_over_a_limit_tells_what_the_buyer_had() {
    let mut house = House::with_sale(20);
    let (late, _) = house.place("ada", "k", 2);
    house.clock.0 += 61_000;
    house.place("ada", "k2", 3);
    house.pay(&late, "pay-late");
    let text = story(&house, &[("order", &House::code(late.order))]);
    assert_in_order(
        &text,
        &[
            "had reached a limit",
            "at most 4 per buyer, and the buyer had 3 units of the sale in other orders",
        ],
    );
}

#[test]
fn late_payment_that_finds_its_units_is_told_as_late() {
    let mut house = House::with_sale(2);
    let (late, _) = house.place("ada", "k", 2);
    house.clock.0 += 61_000;
    house.pay(&late, "pay-late");
    let text = story(&house, &[("order", &House::code(late.order))]);
    assert_in_order(&text, &["and both was so", "free 2 → 0, paid 0 → 2", "was paid"]);
}

#[test]
fn buyer_is_found_by_a_short_name_a_long_one_and_its_digest() {
    let mut house = House::with_sale(10);
    let long = "a-buyer-with-a-name-of-more-than-15-bytes";
    let (first, _) = house.place(long, "k", 1);
    house.place("bob", "k", 1);
    let (second, _) = house.place(long, "k2", 2);
    house.cancel(first.order);
    let label = domain::BuyerId::from_text(long).0.to_string();
    assert!(label.starts_with("sha256:"));
    let text = story(&house, &[("buyer", long)]);
    assert_in_order(
        &text,
        &[
            "asked for 1 × ga",
            "asked for 2 × ga",
            "the organiser cancelled order",
            "was cancelled",
            "was held",
        ],
    );
    assert!(!text.contains("bob") && text.contains(&House::code(second.order)), "{text}");
    assert_eq!(text, story(&house, &[("buyer", &label)]));
    assert_eq!(text, story(&house, &[("buyer", long), ("sale", "gig")]));
}

#[test]
fn absence_is_said_plainly_and_what_it_proves() {
    let mut house = House::with_sale(1);
    house.place("ada", "k", 1);
    let wishes = domain::Wishes::one(domain::Wish { item: domain::ItemIndex(0), quantity: 1 });
    let (buyer, key) = (domain::BuyerId::from_text("eve"), domain::KeyDigest::from_text("k"));
    house.ask(Command::PlaceOrder { sale: SALE, buyer, key, wishes }).0.unwrap_err();
    for words in [
        [("buyer", "eve"), ("json", "")],
        [("buyer", "ada"), ("sale", "other")],
        [("item", "gig/balcony"), ("json", "")],
        [("order", "1"), ("json", "")],
    ] {
        let (told, out, notes) = explained(&house, &words);
        assert!(!told && out.is_empty(), "{words:?}: {out}");
        assert!(
            notes.contains("nothing found") && notes.contains("a request that was refused changed nothing"),
            "{notes}"
        );
    }
}

#[test]
fn item_at_an_instant_has_its_levels_of_then_and_the_last_moments_before() {
    let mut house = House::with_sale(100);
    for number in 0..15 {
        house.clock.0 += 1_000;
        house.place(&format!("buyer-{number}"), "k", 1);
    }
    house.clock.0 += 1_000;
    let more = Command::ChangeStock { sale: SALE, item: domain::ItemIndex(0), change: 50, key: None };
    let (answer, _) = house.ask(more);
    assert!(matches!(answer, Ok(domain::Answer::Stock(StockReceipt { change: 50, .. }))));
    let at = crate::journal_cmd::names::time(UnixMs(START.0 + 12_500));
    let text = story(&house, &[("item", "gig/ga"), ("at", &at)]);
    assert_in_order(
        &text,
        &[
            "the last 10 of 14 moments:",
            "buyer buyer-2 asked",
            "free 98 → 97, held 2 → 3",
            "buyer buyer-11 asked",
            "at 2026-09-21T14:13:32.500Z, behind record 16, gig/ga had stock 100 = free 88 + held 12 + \
             paid 0 + withdrawn 0; the sale was open",
        ],
    );
    assert!(!text.contains("buyer-1 ") && !text.contains("buyer-12"), "{text}");
    let whole = story(&house, &[("item", "gig/ga")]);
    assert_in_order(
        &whole,
        &[
            "stock 0 → 100, free 0 → 100",
            "to open",
            "buyer-14",
            "the organiser added 50 units of ga",
            "stock 100 → 150, free 85 → 135",
        ],
    );
}

#[test]
fn story_begins_with_the_oldest_snapshot_when_the_beginning_was_dropped() {
    let mut house = House::with_sale(1_000);
    let (early, _) = house.place("ada", "k", 2);
    for number in 0..20 {
        house.place(&format!("buyer-{number}"), "k", 1);
    }
    house.snapshot();
    house.clock.0 += 1;
    for number in 20..40 {
        house.place(&format!("buyer-{number}"), "k", 1);
    }
    house.snapshot();
    assert_eq!(house.drop_segments(Seq(26)), 1, "the older snapshot, up to fact 25, is still needed");
    house.pay(&early, "pay-1");
    let (told, out, notes) = explained(&house, &[("buyer", "ada")]);
    assert!(told, "{out}{notes}");
    assert!(notes.contains("was dropped behind snapshots") && notes.contains("is held"), "{notes}");
    assert_in_order(&out, &["of buyer ada is paid", "was paid"]);
    assert_in_order(
        &story(&house, &[("buyer", "buyer-20")]),
        &["record 26", "buyer buyer-20 asked for 1 × ga"],
    );
}

#[test]
fn instant_before_the_oldest_snapshot_cannot_be_told() {
    let mut house = House::with_sale(1_000);
    for number in 0..20 {
        house.clock.0 += 1;
        house.place(&format!("buyer-{number}"), "k", 1);
    }
    house.snapshot();
    let seq = house.place("ada", "k", 1).0.seq;
    assert_eq!(house.drop_segments(seq), 1);
    let args = |at: u64| ExplainArgs {
        dir: house.dir(),
        about: About { order: None, buyer: None, item: Some("gig/ga".to_owned()) },
        sale: None,
        at: Some(UnixMs(START.0 + at)),
        json: false,
    };
    let error = explain(&args(19), (&mut Vec::new(), &mut Vec::new())).unwrap_err().to_string();
    assert!(error.contains("nobody can say how it was at"), "{error}");
    assert!(explain(&args(20), (&mut Vec::new(), &mut Vec::new())).unwrap());
}

#[test]
fn moments_are_json_too() {
    let mut house = House::with_sale(10);
    let (view, _) = house.place("ada", "k", 2);
    let text = story(&house, &[("order", &House::code(view.order)), ("json", "")]);
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines[0]["kind"].as_str(), lines[0]["seq"].as_u64()), (Some("order_held"), Some(5)));
    assert_eq!(lines[0]["levels"][0]["after"]["free"], 8);
    assert_eq!(lines[1]["state"], "held");
}
