use super::*;

fn tally() -> Tally {
    Tally::within(Window { start_ns: 1_000_000, end_ns: 2_000_000 })
}

#[test]
fn request_is_measured_by_the_time_it_was_meant_for() {
    let mut tally = tally();
    // Warm-up, first of the window, last of it, first behind it; the answers may come at any time.
    for (intended_ns, answered_ns) in
        [(999_999, 1_500_000), (1_000_000, 1_500_000), (1_999_999, 9_000_000), (2_000_000, 9_000_000)]
    {
        tally.sent(intended_ns);
        tally.answered(intended_ns, 200, answered_ns);
    }
    assert_eq!((tally.whole_run.answered(), tally.measured.answered()), (4, 2));
    assert_eq!(tally.latency_ns.len(), 2);
    assert!(
        tally.latency_ns.max() >= 7_000_001,
        "the answer behind the window counts: {}",
        tally.latency_ns.max()
    );
    assert_eq!((tally.answered_in_window, tally.answered_last_ns), (2, 1_500_000));
}

#[test]
fn threads_add_up() {
    let (mut all, mut other) = (tally(), tally());
    all.answered(1_000_000, 200, 1_100_000);
    other.answered(1_000_000, 409, 1_200_000);
    other.failed(1_000_000, Fault::Reset);
    other.dropped(1_000_000);
    other.late(1_000_000, 1_000_500);
    all.add(&other);
    assert_eq!(all.measured.statuses(), BTreeMap::from([(200, 1), (409, 1)]));
    assert_eq!(all.measured.errors, Errors { reset: 1, ..Errors::default() });
    assert_eq!((all.measured.dropped, all.lag_ns.len(), all.latency_ns.len()), (1, 1, 2));
    assert_eq!((all.answered_in_window, all.answered_last_ns), (2, 1_200_000));
}

#[test]
fn latency_is_exact_to_a_thousandth() {
    let mut tally = tally();
    tally.answered(1_000_000, 200, 1_000_000 + 123_456_789);
    let found = tally.latency_ns.value_at_quantile(0.5);
    assert!(found.abs_diff(123_456_789) <= 123_457, "{found}");
}

#[test]
fn cpu_time_counts_from_the_windows_beginning_to_its_end() {
    let window = tally().window;
    let mut cpu = CpuWatch::default();
    cpu.look(window, 999_999);
    assert_eq!(cpu.used_ns(), (0, 0));
    cpu.look(window, 1_000_001);
    cpu.look(window, 1_500_000);
    cpu.look(window, 2_000_003);
    cpu.end(9_000_000);
    assert_eq!(cpu.used_ns().1, 1_000_002);
}
