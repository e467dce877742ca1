//! What becomes of requests.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Mutex;
use std::time::Duration;

use load::{Clients, Errors, LoadError, Plan, ReplyError, Template, Watch};

use super::server::{Server, status};
use super::{closed, get, open, try_get};

#[test]
fn answers_are_counted_by_status() {
    let server = Server::answering(|path| {
        let number: u32 = path[1..].parse().unwrap();
        status(if number.is_multiple_of(3) { 201 } else { 409 })
    });
    let report = get(&closed(&server, 30));
    assert_eq!(report.statuses, BTreeMap::from([(201, 10), (409, 20)]));
    assert_eq!(report.whole_run.statuses, report.statuses);
    assert_eq!(report.errors, Errors::default());
    assert!(report.validity.is_valid(), "{report:?}");
}

#[test]
fn kept_alive_connections_carry_all_requests() {
    let server = Server::answering(|_| status(200));
    assert_eq!(get(&closed(&server, 100)).answered, 100);
    assert_eq!(server.connection_count(), 4);
}

#[test]
fn each_request_has_a_connection_of_its_own_when_told_so() {
    let server = Server::answering(|_| status(200));
    let report = get(&Plan { new_connections: true, ..closed(&server, 100) });
    assert_eq!((report.answered, report.errors), (100, Errors::default()));
    // One more was tried before the run.
    assert_eq!(server.connection_count(), 101);
    let report = get(&Plan { new_connections: true, ..open(&server, 100) });
    assert_eq!((report.answered, server.connection_count()), (50, 152));
}

#[test]
fn connection_that_ends_with_an_answer_is_replaced() {
    for head in ["HTTP/1.1 200 OK\r\nConnection: close\r\n", "HTTP/1.1 200 OK\r\n"] {
        let server = Server::start(move |client| {
            client.request();
            client.say(&format!("{head}Content-Length: 2\r\n\r\nok"));
        });
        let report = get(&closed(&server, 40));
        // Without the announcement the next request may cross with the end.
        let allowed = if head.contains("close") { 0 } else { report.errors.reset };
        assert_eq!((report.answered + allowed, report.errors.sum()), (40, allowed), "{head}");
        assert!(report.answered >= 4, "{report:?}");
    }
}

#[test]
fn connection_that_ends_before_its_answer_is_a_reset() {
    let server = Server::start(|client| {
        client.request();
        client.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
    });
    let report = get(&closed(&server, 8));
    assert_eq!(report.errors, Errors { reset: 8, ..Errors::default() });
}

#[test]
fn answer_that_is_not_http_is_malformed() {
    let server = Server::answering(|_| "220 mail.example.org ESMTP\r\n".to_owned());
    assert_eq!(get(&closed(&server, 8)).errors, Errors { malformed: 8, ..Errors::default() });
}

#[test]
fn server_that_goes_away_is_a_failure_to_connect() {
    // Serves one connection and then does not listen any more.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let server = Server::answering(|_| status(200));
    let mut plan = Plan { connection_count: 1, ..closed(&server, 5) };
    plan.target = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let accepted = listener.accept();
        drop(listener);
        drop(accepted);
    });
    let report = get(&plan);
    assert_eq!((report.errors.reset, report.errors.connect), (1, 4), "{report:?}");
}

#[test]
fn answer_in_chunks_ends_the_run_with_its_reason() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let server = Server::answering(|_| chunked.to_owned());
    let error = try_get(&closed(&server, 1)).unwrap_err();
    assert!(matches!(error, LoadError::Unsupported(ReplyError::Chunked)), "{error:?}");
    assert!(error.to_string().contains("chunked"), "{error}");
}

#[test]
fn run_does_not_begin_when_nobody_listens() {
    let target = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    for new_connections in [false, true] {
        let plan = Plan { new_connections, ..Plan::closed(target) };
        let error = try_get(&plan).unwrap_err();
        assert!(matches!(error, LoadError::Connect { .. }), "{error:?}");
        assert!(error.to_string().contains(&target.to_string()), "{error}");
    }
}

#[test]
fn impossible_plan_is_refused() {
    let server = Server::answering(|_| status(200));
    let error = try_get(&Plan { duration: Duration::ZERO, ..closed(&server, 1) }).unwrap_err();
    assert!(matches!(error, LoadError::Plan(_)), "{error:?}");
    assert_eq!(server.connection_count(), 0);
}

#[test]
fn clients_keep_their_connections_and_numbers_from_run_to_run() {
    let seen = Mutex::new(BTreeSet::new());
    let server = Server::answering(move |path| {
        status(if seen.lock().unwrap().insert(path.to_owned()) { 200 } else { 409 })
    });
    let plan = Plan { duration: Duration::from_millis(30), request_count_max: None, ..closed(&server, 1) };
    let template = Template::new("GET", "/{n}", "test").unwrap();
    let watch = Watch::default();
    let mut clients = Clients::connect(&plan, &watch, |share| template.requests(share)).unwrap();
    let reports = [clients.run().unwrap(), clients.run().unwrap()];
    assert_eq!(server.connection_count(), 4);
    let totals = reports.each_ref().map(|report| &report.whole_run);
    assert_eq!(watch.answered(), totals[0].answered + totals[1].answered, "each report is of its own run");
    for totals in totals {
        assert_eq!(totals.statuses, BTreeMap::from([(200, totals.sent)]), "no number comes twice");
    }
}
