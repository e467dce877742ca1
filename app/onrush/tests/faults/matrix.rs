//! Which trials there are.

use std::collections::BTreeMap;

use fastrand::Rng;

use crate::folder::{Folder, Template};
use crate::strace;
use crate::trial;

/// Faults strike at so many calls of a kind, if a run has so many.
const CALL_COUNT_MAX: usize = 200;

/// A system call that concerns files.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Call {
    Write,
    Pwrite,
    Fdatasync,
    Fsync,
    Rename,
    Open,
}

/// What happens instead of the call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Fault {
    Eio,
    Enospc,
    Eintr,
    Short,
}

/// One trial: the fault strikes at the `number`th call, counted from 1 in each thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) folder: Folder,
    pub(crate) call: Call,
    pub(crate) fault: Fault,
    pub(crate) number: usize,
}

impl Call {
    pub(crate) const ALL: [Call; 6] =
        [Call::Write, Call::Pwrite, Call::Fdatasync, Call::Fsync, Call::Rename, Call::Open];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Call::Write => "write",
            Call::Pwrite => "pwrite64",
            Call::Fdatasync => "fdatasync",
            Call::Fsync => "fsync",
            Call::Rename => "rename",
            Call::Open => "openat",
        }
    }
}

impl Fault {
    pub(crate) const ALL: [Fault; 4] = [Fault::Eio, Fault::Enospc, Fault::Eintr, Fault::Short];

    /// What strace is told; `None` when such a call cannot have such a fault.
    pub(crate) fn injected_into(self, call: Call) -> Option<&'static str> {
        match (self, call) {
            (Fault::Eio, _) => Some("error=EIO"),
            (Fault::Enospc, _) => Some("error=ENOSPC"),
            (Fault::Eintr, _) => Some("error=EINTR"),
            // Its callers go on with the rest, and what they are told was written is not: only none is true.
            (Fault::Short, Call::Write) => Some("retval=0"),
            // Less than any write to a journal or a snapshot.
            (Fault::Short, Call::Pwrite) => Some("retval=16"),
            (Fault::Short, _) => None,
        }
    }
}

/// Every fault at every call that a run without faults makes.
pub(crate) fn all(template: &Template) -> Vec<Place> {
    let mut places = Vec::new();
    for folder in Folder::ALL {
        let counts = census(template, folder);
        for (call, fault) in kinds() {
            let count = counts.get(&call).copied().unwrap_or(0).min(CALL_COUNT_MAX);
            places.extend((1..=count).map(|number| Place { folder, call, fault, number }));
        }
    }
    places
}

/// One place of each kind.
pub(crate) fn one_of_each(all: &[Place], rng: &mut Rng) -> Vec<Place> {
    let mut chosen = Vec::new();
    for folder in Folder::ALL {
        for (call, fault) in kinds() {
            let same = |place: &&Place| (place.folder, place.call, place.fault) == (folder, call, fault);
            chosen.extend(rng.choice(all.iter().filter(same).collect::<Vec<_>>()));
        }
    }
    chosen
}

fn kinds() -> impl Iterator<Item = (Call, Fault)> {
    let pairs = Call::ALL.into_iter().flat_map(|call| Fault::ALL.map(|fault| (call, fault)));
    pairs.filter(|(call, fault)| fault.injected_into(*call).is_some())
}

/// How often a run calls what, in the thread that does so most.
fn census(template: &Template, folder: Folder) -> BTreeMap<Call, usize> {
    let trace = trial::watch(template, folder);
    let counts = Call::ALL.map(|call| (call, strace::count_max(&trace, call)));
    println!("{folder:?}: {counts:?}");
    assert!(counts.iter().all(|(_, count)| *count > 0), "each kind of call is made");
    counts.into()
}
