//! The rules of a sale as tables: given these commands, when this one comes, then this happens.
//!
//! Orders are `#1`, `#2`, … as they were placed. Levels are free/held/paid/withdrawn. `rules/world.rs` is the language.

#![allow(clippy::unwrap_used, reason = "all of this is a test, its helpers too")]

#[path = "rules/world.rs"]
mod world;

use world::World;

/// Runs `given`, then checks what `when` brings and where the units are after it.
fn check(given: &[&str], when: &str, then: &str, levels: &str) {
    let mut world = World::new();
    for line in given {
        let outcome = world.run(line);
        assert!(!outcome.starts_with("refused"), "given `{line}`: {outcome}");
    }
    assert_eq!(world.run(when), then, "given {given:?}, when `{when}`");
    assert_eq!(world.levels(), levels, "given {given:?}, when `{when}`");
}

const OPEN: &str = "move open";
const FULL: &str = "ga 10/0/0/0, vip 2/0/0/0";

#[test]
fn order_claims_its_units_all_or_none() {
    check(&[OPEN], "place ann k ga:2", "held #1 ga:2@6000", "ga 8/2/0/0, vip 2/0/0/0");
    check(&[OPEN], "place ann k vip:2 ga:1", "held #1 ga:1@6000 vip:2@20000", "ga 9/1/0/0, vip 0/2/0/0");
    check(&[OPEN], "place ann k ga:1 vip:3", "refused stock_exhausted vip left=2", FULL);
    check(
        &[OPEN, "place ann k vip:2"],
        "place bob k vip:1",
        "refused stock_exhausted vip left=0",
        "ga 10/0/0/0, vip 0/2/0/0",
    );
}

#[test]
fn refusals_come_in_their_documented_order() {
    check(&[], "place-elsewhere ann k", "refused sale_not_found", FULL);
    check(&[], "place ann k none:0", "refused sale_not_open", FULL);
    check(&[OPEN, "move paused"], "place ann k none:0", "refused sale_paused", FULL);
    check(&[OPEN, "move closed"], "place ann k none:0", "refused sale_closed", FULL);
    check(&[OPEN], "place ann k none:0", "refused item_not_found", FULL);
    check(&[OPEN, "edit per-buyer=1"], "place ann k ga:0", "refused quantity_out_of_range max=10000", FULL);
    check(&[OPEN, "edit per-order=3"], "place ann k ga:2 vip:2", "refused quantity_out_of_range max=3", FULL);
    check(&[OPEN, "edit per-buyer=1"], "place ann k ga:11", "refused buyer_limit_reached sale 0/1", FULL);
    check(&[OPEN], "place ann k ga:11", "refused stock_exhausted ga left=10", FULL);
}

// covers: I3
#[test]
fn one_key_has_one_outcome() {
    let held = "ga 9/1/0/0, vip 2/0/0/0";
    check(&[OPEN, "place ann k ga:1"], "place ann k ga:1", "", held);
    check(&[OPEN, "place ann k ga:1"], "place ann k ga:2", "refused idempotency_key_reused", held);
    check(&[OPEN, "place ann k ga:1"], "place-elsewhere ann k", "refused idempotency_key_reused", held);
    check(&[OPEN, "place ann k ga:1"], "place bob k ga:1", "held #2 ga:1@6000", "ga 8/2/0/0, vip 2/0/0/0");
    // The key is looked up before every business check.
    check(&[OPEN, "place ann k ga:1", "move closed"], "place ann k ga:1", "", held);
    check(&[OPEN, "place ann k ga:1", "wait 10", "tick"], "place ann k ga:1", "", FULL);
}

#[test]
fn refusal_binds_no_key() {
    let mut world = World::new();
    assert_eq!(world.run("place ann k ga:1"), "refused sale_not_open");
    world.run(OPEN);
    assert_eq!(world.run("place ann k ga:2"), "held #1 ga:2@6000");
}

// covers: I2
#[test]
fn buyer_limits_count_live_orders() {
    let limited = |more: &'static str| [OPEN, "edit per-buyer=3", "place ann k ga:2", more];
    check(
        &limited("tick"),
        "place ann l ga:2",
        "refused buyer_limit_reached sale 2/3",
        "ga 8/2/0/0, vip 2/0/0/0",
    );
    check(&limited("tick"), "place ann l vip:1", "held #2 vip:1@20000", "ga 8/2/0/0, vip 1/1/0/0");
    check(&limited("cancel #1 ann"), "place ann l ga:3", "held #2 ga:3@6000", "ga 7/3/0/0, vip 2/0/0/0");
    check(
        &limited("pay #1 p 12000"),
        "place ann l ga:2",
        "refused buyer_limit_reached sale 2/3",
        "ga 8/0/2/0, vip 2/0/0/0",
    );
    let per_item = [OPEN, "edit vip-per-buyer=1", "place ann k vip:1"];
    check(&per_item, "place ann l vip:1", "refused buyer_limit_reached vip 1/1", "ga 10/0/0/0, vip 1/1/0/0");
    let per_day = [OPEN, "edit per-day=2", "place ann k ga:2"];
    check(&per_day, "place ann l ga:1", "refused buyer_limit_reached day 2/2", "ga 8/2/0/0, vip 2/0/0/0");
    let next_day = [OPEN, "edit per-day=2", "place ann k ga:2", "pay #1 p 12000", "wait 86400"];
    check(&next_day, "place ann l ga:1", "held #2 ga:1@6000", "ga 7/1/2/0, vip 2/0/0/0");
}

#[test]
fn limit_that_is_new_in_mid_sale_counts_what_buyers_have() {
    let given = [OPEN, "place ann k ga:2", "place bob k ga:1", "edit per-buyer=2"];
    check(&given, "place ann l ga:1", "refused buyer_limit_reached sale 2/2", "ga 7/3/0/0, vip 2/0/0/0");
    check(&given, "place bob l ga:1", "held #3 ga:1@6000", "ga 6/4/0/0, vip 2/0/0/0");
}

// covers: I4
#[test]
fn hold_ends_to_the_millisecond_and_gives_back_once() {
    let held = [OPEN, "place ann k ga:2"];
    let at = |seconds: &'static str| [held[0], held[1], seconds];
    check(&at("wait 9"), "tick", "", "ga 8/2/0/0, vip 2/0/0/0");
    check(&at("wait 10"), "tick", "expired #1", FULL);
    check(&[OPEN, "place ann k ga:2", "wait 10", "tick"], "tick", "", FULL);
    check(&[OPEN, "place ann k ga:2", "cancel #1 ann", "wait 10"], "tick", "", FULL);
    check(
        &at("wait 10"),
        "cancel #1 ann",
        "refused order_state expired->cancelled",
        "ga 8/2/0/0, vip 2/0/0/0",
    );
}

#[test]
fn hold_is_extended_once() {
    let extended = [OPEN, "place ann k ga:2", "wait 9", "extend #1 ann x"];
    let held = "ga 8/2/0/0, vip 2/0/0/0";
    check(&extended[..3], "extend #1 ann x", "extended #1 to +10", held);
    check(&extended, "extend #1 ann x", "", held);
    check(&extended, "extend #1 ann y", "refused hold_already_extended", held);
    check(&extended[..3], "extend #1 bob x", "refused order_not_found", held);
    check(&[extended[0], extended[1], extended[2], extended[3], "wait 9"], "tick", "", held);
    check(&[extended[0], extended[1], extended[2], extended[3], "wait 10"], "tick", "expired #1", FULL);
    check(
        &[OPEN, "place ann k ga:2", "wait 10"],
        "extend #1 ann x",
        "refused order_state expired->held",
        held,
    );
}

#[test]
fn cancelling_twice_is_cancelling_once() {
    check(&[OPEN, "place ann k ga:2"], "cancel #1 ann", "cancelled #1", FULL);
    check(&[OPEN, "place ann k ga:2", "cancel #1 ann"], "cancel #1 organiser", "", FULL);
    check(&[OPEN, "place ann k ga:2"], "cancel #1 bob", "refused order_not_found", "ga 8/2/0/0, vip 2/0/0/0");
    let paid = [OPEN, "place ann k ga:2", "pay #1 p 12000"];
    check(&paid, "cancel #1 ann", "refused order_state paid->cancelled", "ga 8/0/2/0, vip 2/0/0/0");
}

// covers: I7
#[test]
fn payment_counts_once_and_money_that_came_is_never_lost() {
    let held = [OPEN, "place ann k ga:2"];
    let paid = [OPEN, "place ann k ga:2", "pay #1 p 12000"];
    let sold = "ga 8/0/2/0, vip 2/0/0/0";
    check(&held, "pay #1 p 12000", "paid #1 12000", sold);
    check(&held, "pay #1 p 11999", "refused amount_mismatch expected=12000", "ga 8/2/0/0, vip 2/0/0/0");
    check(&held, "pay #9 p 12000", "refused order_not_found", "ga 8/2/0/0, vip 2/0/0/0");
    check(&held, "fail #1 p 12000", "payment failed #1", "ga 8/2/0/0, vip 2/0/0/0");
    check(&paid, "pay #1 p 12000", "", sold);
    check(&paid, "pay #1 q 12000", "surplus #1 12000", sold);
    let surplus = [paid[0], paid[1], paid[2], "pay #1 q 12000"];
    check(&surplus, "pay #1 q 12000", "", sold);
    check(&surplus, "refund #1 succeeded q", "surplus returned #1", sold);
    check(&paid, "refund #1 succeeded q", "refused payment_not_found", sold);
}

#[test]
fn late_payment_takes_the_same_units_or_goes_back() {
    let expired = [OPEN, "place ann k vip:2", "wait 10", "tick"];
    check(&expired, "pay #1 p 40000", "paid #1 40000", "ga 10/0/0/0, vip 0/0/2/0");
    check(&expired[..3], "pay #1 p 40000", "expired #1; paid #1 40000", "ga 10/0/0/0, vip 0/0/2/0");
    let taken = [expired[0], expired[1], expired[2], expired[3], "place bob k vip:1"];
    check(&taken, "pay #1 p 40000", "unmatched #1 paid_late_stock_taken", "ga 10/0/0/0, vip 1/1/0/0");
    let limited = [OPEN, "edit per-buyer=2", "place ann k vip:2", "wait 10", "tick", "place ann l ga:1"];
    check(&limited, "pay #1 p 40000", "unmatched #1 paid_late_limit_reached", "ga 9/1/0/0, vip 2/0/0/0");
    let cancelled = [OPEN, "place ann k vip:2", "cancel #1 ann"];
    check(&cancelled, "pay #1 p 40000", "unmatched #1 paid_after_cancel", FULL);
}

// covers: I6
#[test]
fn refund_by_hand_moves_along_the_table() {
    let paid = [OPEN, "place ann k ga:2", "pay #1 p 12000"];
    let started = [paid[0], paid[1], paid[2], "refund #1 start"];
    let sold = "ga 8/0/2/0, vip 2/0/0/0";
    check(&paid, "refund #1 start", "refund started #1", sold);
    check(&paid, "refund #1 succeeded", "refused order_state paid->refunded", sold);
    check(&paid[..2], "refund #1 start", "refused order_state held->refunding", "ga 8/2/0/0, vip 2/0/0/0");
    check(&started, "refund #1 start", "", sold);
    check(&started, "refund #1 succeeded", "refunded #1", FULL);
    check(&started, "refund #1 failed", "refund failed #1", sold);
    let withdrawn = [paid[0], paid[1], paid[2], "refund #1 start-withdraw"];
    check(&withdrawn, "refund #1 succeeded", "refunded #1", "ga 8/0/0/2, vip 2/0/0/0");
    let again = [started[0], started[1], started[2], started[3], "refund #1 failed"];
    check(&again, "refund #1 start", "refund started #1", sold);
    let unmatched = [OPEN, "place ann k ga:2", "cancel #1 ann", "pay #1 p 12000"];
    check(&unmatched, "refund #1 failed", "refund failed #1", FULL);
    check(&unmatched, "refund #1 succeeded", "refunded #1", FULL);
}

// covers: I1
#[test]
fn stock_is_added_and_withdrawn_in_mid_sale() {
    let held = [OPEN, "place ann k ga:8"];
    check(&held, "stock ga +5", "stock +5", "ga 7/8/0/0, vip 2/0/0/0");
    check(&held, "stock ga -2", "stock -2", "ga 0/8/0/2, vip 2/0/0/0");
    check(&held, "stock ga -3", "refused stock_exhausted ga left=2", "ga 2/8/0/0, vip 2/0/0/0");
    check(&held, "stock none +1", "refused item_not_found", "ga 2/8/0/0, vip 2/0/0/0");
    check(&held, "stock ga +1000000000", "refused stock_out_of_range", "ga 2/8/0/0, vip 2/0/0/0");
    check(&[OPEN, "stock ga +5 k"], "stock ga +5 k", "", "ga 15/0/0/0, vip 2/0/0/0");
    check(
        &[OPEN, "stock ga +5 k"],
        "stock ga +6 k",
        "refused idempotency_key_reused",
        "ga 15/0/0/0, vip 2/0/0/0",
    );
}

#[test]
fn sale_opens_and_closes_by_hand_and_by_the_clock() {
    check(&["edit opens=+5"], "place ann k ga:1", "refused sale_not_open", FULL);
    check(&["edit opens=+5", "wait 5"], "place ann k ga:1", "held #1 ga:1@6000", "ga 9/1/0/0, vip 2/0/0/0");
    check(&["edit opens=+5", "wait 5"], "tick", "open by clock", FULL);
    check(&["edit opens=+5"], OPEN, "open", FULL);
    check(&[OPEN, "edit closes=+5", "wait 5"], "place ann k ga:1", "refused sale_closed", FULL);
    check(&[OPEN, "edit closes=+5", "wait 5"], "tick", "closed by clock", FULL);
    check(&[OPEN, "edit closes=+5", "wait 5"], "move paused", "refused sale_state closed->paused", FULL);
    check(&[OPEN, "move paused"], "move open", "open", FULL);
    check(&[OPEN], OPEN, "", FULL);
    check(&[OPEN, "move closed"], OPEN, "refused sale_state closed->open", FULL);
    check(&[OPEN, "move closed"], "edit hold=5", "refused sale_closed", FULL);
    check(&["edit opens=+9"], "edit closes=+9", "refused terms_invalid", FULL);
}

#[test]
fn orders_keep_the_hold_they_were_given() {
    let given = [OPEN, "place ann k ga:1", "edit hold=3", "place bob k ga:1", "wait 3"];
    check(&given, "tick", "expired #2", "ga 9/1/0/0, vip 2/0/0/0");
}
