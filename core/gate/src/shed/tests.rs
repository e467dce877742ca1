use super::*;

const MS: u64 = 1_000;
const S: u64 = 1_000 * MS;
const SHEDDER: Shedder = Shedder { inbox_len_max: 800, round_len_max: 100, wait_us_max: 800 * MS };
const ALL: [Work; 3] = [Work::Question, Work::Order, Work::Promise];

/// What the gate says to questions, orders and promises.
fn answers(inbox_len: u32, round: Option<(u64, u64)>) -> [Result<(), Reason>; 3] {
    let round = round.map(|(age_us, last_us)| Round { age_us, last_us });
    ALL.map(|work| {
        let admitted = SHEDDER.admit(work, Pressure { inbox_len, round });
        admitted.map(drop).map_err(|refused| refused.reason)
    })
}

const IN: Result<(), Reason> = Ok(());
const DEEP: Result<(), Reason> = Err(Reason::Depth);
const LATE: Result<(), Reason> = Err(Reason::Latency);

#[test]
fn questions_go_first_then_orders_then_promises_as_the_inbox_fills() {
    for (inbox_len, expected) in [
        (0, [IN, IN, IN]),
        (399, [IN, IN, IN]),
        (400, [DEEP, IN, IN]),
        (699, [DEEP, IN, IN]),
        (700, [DEEP, DEEP, IN]),
        (799, [DEEP, DEEP, IN]),
        (800, [DEEP, DEEP, DEEP]),
        (u32::MAX, [DEEP, DEEP, DEEP]),
    ] {
        assert_eq!(answers(inbox_len, None), expected, "{inbox_len} wait");
        assert_eq!(answers(inbox_len, Some((0, 0))), expected, "{inbox_len} wait, and the writer works");
    }
}

#[test]
fn so_they_go_as_a_write_stalls() {
    for (age_us, expected) in [
        (0, [IN, IN, IN]),
        (400 * MS, [IN, IN, IN]),
        (401 * MS, [LATE, IN, IN]),
        (700 * MS, [LATE, IN, IN]),
        (701 * MS, [LATE, LATE, IN]),
        (800 * MS, [LATE, LATE, IN]),
        (801 * MS, [LATE, LATE, LATE]),
        (u64::MAX, [LATE, LATE, LATE]),
    ] {
        assert_eq!(answers(0, Some((age_us, 0))), expected, "for {age_us} µs");
    }
}

#[test]
fn a_request_waits_for_the_rest_of_a_round_and_for_those_it_has_to_go_through() {
    for (inbox_len, age_us, last_us, expected) in [
        // Just begun: all of this round, and one of its own.
        (0, 0, 200 * MS, [IN, IN, IN]),
        (0, 0, 201 * MS, [LATE, IN, IN]),
        (0, 0, 351 * MS, [LATE, LATE, IN]),
        (0, 0, 401 * MS, [LATE, LATE, LATE]),
        // Soon over: a disk that is slow but steady serves who comes late in a round.
        (0, 350 * MS, 400 * MS, [LATE, IN, IN]),
        (0, 400 * MS, 400 * MS, [IN, IN, IN]),
        // Overdue: as long again.
        (0, 700 * MS, 400 * MS, [LATE, IN, IN]),
        (0, 701 * MS, 400 * MS, [LATE, LATE, IN]),
        // A full round waits already: two of its own.
        (99, 100 * MS, 100 * MS, [IN, IN, IN]),
        (100, 100 * MS, 100 * MS, [IN, IN, IN]),
        (399, 100 * MS, 100 * MS, [IN, IN, IN]),
        (399, 99 * MS, 100 * MS, [LATE, IN, IN]),
        (699, 100 * MS, 100 * MS, [DEEP, IN, IN]),
        (699, 99 * MS, 100 * MS, [DEEP, LATE, IN]),
        (0, u64::MAX, u64::MAX, [LATE, LATE, LATE]),
    ] {
        let round = Some((age_us, last_us));
        assert_eq!(answers(inbox_len, round), expected, "{inbox_len} wait, {age_us} of {last_us} µs");
    }
}

#[test]
fn a_writer_that_sleeps_turns_nobody_away_for_what_was() {
    assert_eq!(answers(0, None), [IN, IN, IN]);
    assert_eq!(answers(399, None), [IN, IN, IN], "they are about to be taken up");
}

#[test]
fn many_come_in_together_or_not_at_all() {
    let ask = |inbox_len, count| {
        let round = Some(Round { age_us: 10 * MS, last_us: 10 * MS });
        SHEDDER.admit_many(Work::Order, Pressure { inbox_len, round }, count).map(drop)
    };
    assert_eq!(SHEDDER.room(Work::Order), 700);
    assert_eq!((ask(0, 700), ask(500, 200), ask(699, 1)), (Ok(()), Ok(()), Ok(())));
    assert!(ask(0, 701).is_err() && ask(500, 201).is_err() && ask(u32::MAX, u32::MAX).is_err());
    // The last of them decides: it goes through seven rounds.
    let slow = Pressure { inbox_len: 0, round: Some(Round { age_us: 101 * MS, last_us: 101 * MS }) };
    assert!(SHEDDER.admit_many(Work::Order, slow, 600).is_ok());
    let late = SHEDDER.admit_many(Work::Order, slow, 601).unwrap_err();
    assert_eq!(late.reason, Reason::Latency);
}

#[test]
fn an_inbox_of_length_zero_admits_nothing() {
    let shedder = Shedder { inbox_len_max: 0, round_len_max: 0, wait_us_max: 0 };
    let pressure = Pressure { inbox_len: 0, round: Some(Round { age_us: 0, last_us: 2 * S }) };
    let refused = shedder.admit(Work::Promise, pressure).unwrap_err();
    assert_eq!(refused, Refused { reason: Reason::Depth, retry_after_s: 4 });
}

#[test]
fn who_is_turned_away_is_told_the_wait_within_bounds() {
    let told = |inbox_len, round: Option<(u64, u64)>| {
        let round = round.map(|(age_us, last_us)| Round { age_us, last_us });
        SHEDDER.admit(Work::Promise, Pressure { inbox_len, round }).unwrap_err().retry_after_s
    };
    assert_eq!(told(800, None), 1, "the inbox is full, but goes on at once");
    assert_eq!(told(800, Some((0, 100 * MS))), 1, "ten rounds of a tenth of a second");
    assert_eq!(told(900, Some((0, 100 * MS))), 2);
    assert_eq!(told(0, Some((3 * S, 0))), 3, "a stall of three seconds may take three more");
    assert_eq!(told(0, Some((3 * S + 1, 0))), 4);
    assert_eq!(told(0, Some((u64::MAX, 0))), RETRY_AFTER_S_MAX);
    assert_eq!(told(u32::MAX, Some((0, u64::MAX))), RETRY_AFTER_S_MAX);
}
