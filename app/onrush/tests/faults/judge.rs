//! What a server may do after a fault, and what it must say.

use crate::matrix::{Call, Fault, Place};
use crate::strace::Strike;

/// How a trial ended well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// The run had fewer calls this time.
    Missed,
    /// The server said why, and ended.
    Stopped,
    /// The server went on, and was right to.
    WentOn,
}

/// Judges an end by its exit code and its log.
///
/// # Panics
/// When the server did what it may not.
pub(crate) fn judge(place: &Place, strikes: &[Strike], (code, log): (Option<i32>, &str)) -> Outcome {
    assert!(!log.contains("panicked"), "a panic: {log}");
    match code {
        Some(0) if strikes.is_empty() => Outcome::Missed,
        Some(0) => {
            for strike in strikes {
                assert!(may_go_on(place, strike), "it went on after {strike:?}: {log}");
                assert!(is_silent(place, strike) || is_said(place.fault, log), "{strike:?}: {log}");
            }
            Outcome::WentOn
        }
        Some(1) => {
            assert!(!strikes.is_empty(), "it stopped without a fault: {log}");
            let has_reason = log.contains("cannot go on") || log.contains("onrush: ");
            assert!(has_reason && is_said(place.fault, log), "{strikes:?} is not told: {log}");
            assert!(strikes.iter().any(|strike| names(log, strike)), "{strikes:?} is not named: {log}");
            let must_go_on = |strike: &Strike| is_repeated(place, strike);
            assert!(!strikes.iter().all(must_go_on), "it stopped for nothing: {strikes:?}: {log}");
            Outcome::Stopped
        }
        _ => panic!("it ended with {code:?}: {log}"),
    }
}

/// The follower's snapshots and spare segments are a help, no promise, and so is what the scrub reads once more. A snapshot
/// that cannot be read at the start is one that is damaged: the journal has all of it. An interrupted open may always be
/// tried again.
fn may_go_on(place: &Place, strike: &Strike) -> bool {
    let threads = ["follower", "scrub", "snapshot", "settle"];
    let is_upkeep = threads.iter().any(|name| strike.thread.starts_with(name))
        || strike.file.starts_with("snapshot-")
        || (place.call, place.fault) == (Call::Open, Fault::Eintr);
    is_upkeep || is_repeated(place, strike) || is_harmless(place, strike)
}

/// EINTR says that nothing was done: the call is repeated where the standard library does so, and where a shard's folder is
/// listed. It is not for renames and for listing the data folder.
fn is_repeated(place: &Place, strike: &Strike) -> bool {
    let is_file = strike.file.contains('.')
        || ["LOCK", "admin-keys", "integrator-keys"].contains(&strike.file.as_str());
    let is_folder = !is_file && !strike.file.starts_with("shard-");
    match place.call {
        Call::Rename => false,
        Call::Open => place.fault == Fault::Eintr && !is_folder,
        _ => place.fault == Fault::Eintr,
    }
}

/// Zeros written into space that reads as zeros anyway.
fn is_harmless(place: &Place, strike: &Strike) -> bool {
    let is_being_filled = strike.file.ends_with("tmp");
    (place.call, place.fault) == (Call::Pwrite, Fault::Short) && is_being_filled
}

fn is_silent(place: &Place, strike: &Strike) -> bool {
    let is_folder_opened_or_named = place.call == Call::Open && !strike.file.contains('.');
    is_folder_opened_or_named && place.fault == Fault::Eintr
        || is_repeated(place, strike)
        || is_harmless(place, strike)
}

fn is_said(fault: Fault, log: &str) -> bool {
    let words: &[&str] = match fault {
        Fault::Eio => &["Input/output error"],
        Fault::Enospc => &["No space left on device"],
        Fault::Eintr => &["Interrupted system call"],
        Fault::Short => &["only 16 of", "write zero", "failed to write whole buffer"],
    };
    words.iter().any(|words| log.contains(words))
}

/// A directory that is synced or listed is named by its path or as that; a file of two names by either.
fn names(log: &str, strike: &Strike) -> bool {
    let stem = strike.file.split('.').next().unwrap();
    log.contains(&strike.file) || log.contains("the directory") || !stem.is_empty() && log.contains(stem)
}
