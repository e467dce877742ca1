//! What is sent.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use load::{Plan, Template, Watch, run};

use super::server::{Server, status};
use super::{closed, get};

#[test]
fn threads_share_connections_and_numbers() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let paths = Arc::clone(&seen);
    let server = Server::answering(move |path| {
        paths.lock().unwrap().push(path.to_owned());
        status(200)
    });
    let report = get(&Plan { thread_count: 3, ..closed(&server, 50) });
    assert_eq!((report.answered, server.connection_count()), (50, 4));
    let seen = seen.lock().unwrap();
    assert_eq!((seen.len(), seen.iter().collect::<BTreeSet<_>>().len()), (50, 50), "no number twice");
}

#[test]
fn so_many_requests_as_the_pipeline_is_deep_are_under_way_on_one_connection() {
    const DEPTH: usize = 4;
    // Answers nobody before it has read four requests.
    let server = Server::start(|client| {
        while (0..DEPTH).all(|_| client.request().is_some()) {
            client.say(&status(200).repeat(DEPTH));
        }
    });
    let plan = Plan { connection_count: 1, pipeline_depth: DEPTH, ..closed(&server, 40) };
    assert_eq!(get(&plan).answered, 40);
}

#[test]
fn long_requests_and_answers_go_in_pieces() {
    const SIZE: usize = 3_000_000;
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n{}", "a".repeat(SIZE));
    let server = Server::answering(move |_| answer.clone());
    let template = Template::new("POST", "/", "test").unwrap().body(&"b".repeat(SIZE));
    let watch = Watch::default();
    let report = run(&closed(&server, 8), &watch, |share| template.requests(share)).unwrap();
    assert_eq!((report.answered, watch.answered(), watch.failed()), (8, 8, 0));
    let bytes = 8 * SIZE as u64;
    assert!(report.bytes_sent > bytes && report.bytes_received > bytes, "{report:?}");
}

#[test]
fn closure_is_a_source() {
    let server = Server::answering(|path| status(if path == "/mine" { 200 } else { 404 }));
    let mine = |out: &mut Vec<u8>| out.extend_from_slice(b"GET /mine HTTP/1.1\r\nHost: test\r\n\r\n");
    let report = run(&closed(&server, 4), &Watch::default(), |_| mine).unwrap();
    assert_eq!(report.statuses.get(&200), Some(&4));
}
