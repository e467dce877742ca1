//! Inbox and position cell on loom's parts: every order of steps within the bound.

mod scenarios;

#[path = "../../../src/serve/bulk.rs"]
mod bulk;
#[path = "../../../src/serve/bustle.rs"]
mod bustle;
#[path = "../../../src/serve/inbox.rs"]
mod inbox;
#[path = "../../../src/serve/outbox.rs"]
mod outbox;
#[path = "../../../src/serve/seq_cell.rs"]
mod seq_cell;

use std::sync::Arc;

use domain::Seq;

use super::loom_sync as sync;
use scenarios::explore;
use seq_cell::SeqCell;

#[test]
fn no_request_is_lost_and_no_wake_up_either() {
    explore("2 pushers, 2 requests and 1, room for all", || scenarios::push_all([2, 1], 4));
}

#[test]
fn a_full_inbox_refuses_and_keeps_what_it_took() {
    explore("2 pushers × 2 requests, room for 1", || scenarios::push_all([2, 2], 1));
}

#[test]
fn a_writer_that_sleeps_hears_that_the_inbox_was_closed() {
    explore("close while the writer goes to sleep", || scenarios::push_all([0, 1], 1));
}

#[test]
fn a_bulk_wakes_the_writer_as_a_request_does() {
    explore("a bulk and a request at once", scenarios::push_bulk_and_request);
}

#[test]
fn a_writer_that_gathers_hears_that_nobody_brings_more() {
    explore("2 I/O threads go to sleep while the writer gathers", scenarios::gather_and_go);
}

#[test]
fn a_position_is_taken_once_and_the_last_one_is_not_lost() {
    explore("2 positions set, 2 looks, and one after the end", || {
        let cell = Arc::new(SeqCell::default());
        let setter = {
            let cell = Arc::clone(&cell);
            loom::thread::spawn(move || [1, 2].map(Seq).into_iter().for_each(|seq| cell.set(seq)))
        };
        let mut taken: Vec<Seq> = (0..2).filter_map(|_| cell.take()).collect();
        setter.join().unwrap();
        taken.extend(cell.take());
        assert!(taken.is_sorted_by(|a, b| a < b), "each once, and in order: {taken:?}");
        assert_eq!(taken.last(), Some(&Seq(2)));
        assert_eq!(cell.take(), None);
    });
}
