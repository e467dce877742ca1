//! The journal's tail on its way into the state: read, checked and decoded here, applied here or, when it is long, on a
//! thread beside.

use std::panic::resume_unwind;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, Scope, ScopedJoinHandle};

use domain::{BuyerId, Fact, KeyDigest, Seq, UnixMs};
use engine::{Loading, State};
use journal::{Disk, Journal, Local, Options, Record, Recovery};
use views::{Dated, KeyNotes, Position, Undecodable, settle};

use crate::recover::RecoverError;

/// Facts that are handed on at once.
const PIECE_LEN: usize = 4_096;
/// A tail of more pieces is applied on a thread beside the one that reads it.
const PIECE_COUNT_HERE_MAX: u64 = 64;
/// Facts between two reports of progress.
const REPORT_FACT_COUNT: u64 = 1_000_000;
/// Pieces between the two threads at most.
const PIECE_COUNT_BETWEEN_MAX: usize = 8;

/// A journal that was opened, and a state with all its facts.
pub(crate) struct Followed<D: Disk> {
    pub(crate) journal: Local<D>,
    pub(crate) recovery: Recovery,
    pub(crate) position: Position,
    pub(crate) state: State,
    pub(crate) tail_fact_count: u64,
}

/// Opens the journal from the state's position on and applies what stands there: one reading serves both. Notes the
/// keys, and `progress` now and then of how many facts there were.
pub(crate) fn follow<D: Disk>(
    disk: D,
    (options, now): (Options, UnixMs),
    (position, state): (Position, State),
    keys: &mut KeyNotes,
    mut progress: impl FnMut(u64),
) -> Result<Followed<D>, RecoverError> {
    let from = position.seq.next();
    let loaded = Loaded { position, state: Loading::new(state) };
    let mut tail = Tail { next: from, piece: Vec::with_capacity(PIECE_LEN), stopped: None };
    let (opened, loaded) = thread::scope(|scope| {
        let (mut applying, mut reported) = (Applying::here(loaded), 0);
        let mut hand_on = |tail: &mut Tail| {
            tail.piece.iter().filter_map(key_of).for_each(|(buyer, key)| keys.note(buyer, key));
            applying.apply(&mut tail.piece, scope);
            let count = tail.next.0 - from.0;
            if count >= reported + REPORT_FACT_COUNT {
                reported = count;
                progress(count);
            }
        };
        let opened = Local::open_from(disk, options, now, from, &mut |record| {
            tail.take(&record);
            if tail.piece.len() == PIECE_LEN {
                hand_on(&mut tail);
            }
        });
        hand_on(&mut tail);
        (opened, applying.end())
    });
    let (journal, recovery) = opened?;
    tail.stopped.map_or(Ok(()), Err)?;
    // The journal may begin behind what comes next, or end before it.
    journal.cursor(from)?;
    let Loaded { position, mut state } = loaded;
    settle(state.note_count(), state.unsettled());
    let state = state.finish().expect("the writer looked up every key before it gave an order for it");
    Ok(Followed { journal, recovery, position, state, tail_fact_count: tail.next.0 - from.0 })
}

/// A state on its way through the tail.
struct Loaded {
    position: Position,
    state: Loading,
}

impl Loaded {
    /// Starts a thread that applies what it is sent.
    fn move_beside<'scope>(
        mut self,
        scope: &'scope Scope<'scope, '_>,
    ) -> (SyncSender<Vec<Dated>>, ScopedJoinHandle<'scope, Loaded>) {
        let (sender, receiver) = sync_channel::<Vec<Dated>>(PIECE_COUNT_BETWEEN_MAX);
        let thread = scope.spawn(move || {
            receiver.into_iter().for_each(|mut piece| self.apply(&mut piece));
            self
        });
        (sender, thread)
    }

    fn apply(&mut self, facts: &mut Vec<Dated>) {
        for dated in facts.drain(..) {
            assert_eq!(dated.seq, self.state.seq().next(), "a journal has no gap");
            self.state.apply(&dated.fact);
            self.position = dated.position(self.position.shard);
        }
    }
}

/// Turns records into facts, from one on.
struct Tail {
    next: Seq,
    piece: Vec<Dated>,
    /// A fact that could not be read; nothing behind it may be applied.
    stopped: Option<Undecodable>,
}

impl Tail {
    fn take(&mut self, record: &Record<'_>) {
        // What is before is in the state already; a journal that begins behind a gap is refused when it is open.
        if record.seq != self.next || self.stopped.is_some() {
            return;
        }
        match Dated::decode(record) {
            Ok(fact) => {
                self.piece.push(fact);
                self.next = self.next.next();
            }
            Err(undecodable) => self.stopped = Some(undecodable),
        }
    }
}

/// Where facts are applied: here, until there are many; then beside.
struct Applying<'scope> {
    /// The state, while it is here.
    here: Option<Loaded>,
    piece_count: u64,
    beside: Option<(SyncSender<Vec<Dated>>, ScopedJoinHandle<'scope, Loaded>)>,
}

impl<'scope> Applying<'scope> {
    fn here(loaded: Loaded) -> Applying<'scope> {
        Applying { here: Some(loaded), piece_count: 0, beside: None }
    }

    /// Applies a piece, which is empty afterwards.
    fn apply(&mut self, piece: &mut Vec<Dated>, scope: &'scope Scope<'scope, '_>) {
        self.piece_count += 1;
        if self.piece_count > PIECE_COUNT_HERE_MAX
            && let Some(loaded) = self.here.take()
        {
            self.beside = Some(loaded.move_beside(scope));
        }
        match (&mut self.here, &self.beside) {
            (Some(loaded), _) => loaded.apply(piece),
            (None, Some((sender, _))) => {
                // When the other thread has panicked, joining it will say so.
                let _ = sender.send(std::mem::replace(piece, Vec::with_capacity(PIECE_LEN)));
            }
            (None, None) => unreachable!("the state is here or beside"),
        }
    }

    /// The state with everything applied.
    fn end(self) -> Loaded {
        let beside = self.beside.map(|(sender, thread)| {
            drop(sender);
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        });
        self.here.or(beside).expect("the state is here or beside")
    }
}

fn key_of(dated: &Dated) -> Option<(BuyerId, KeyDigest)> {
    match dated.fact {
        Fact::OrderHeld { buyer, key, .. } => Some((buyer, key)),
        _ => None,
    }
}
