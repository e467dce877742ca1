//! A journal in memory that says how far it is durable, from the instant on at which an append returns.

use domain::{Seq, Term, UnixMs};
use journal::{AppendError, Batch, Journal, Memory, MemoryCursor, ReadError, Tip, TruncateError};
use shuttle::sync::Arc;
use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::thread::yield_now;

/// When it says so.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Honesty {
    /// It returns when the batch is durable.
    Honest,
    /// It returns at once, and the batch is durable when the next one comes. For showing that this would be seen.
    Early,
}

/// The journal.
pub(super) struct Watched {
    memory: Memory,
    honesty: Honesty,
    durable: Arc<AtomicU64>,
}

impl Watched {
    pub(super) fn new(honesty: Honesty) -> Watched {
        Watched { memory: Memory::new(), honesty, durable: Arc::default() }
    }

    /// How far it is durable.
    pub(super) fn durable(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.durable)
    }
}

impl Journal for Watched {
    type Cursor = MemoryCursor;

    fn append(&mut self, batch: &Batch, time: UnixMs) -> Result<Tip, AppendError> {
        let before = self.memory.tip();
        let tip = self.memory.append(batch, time)?;
        // A write takes its time, and everybody else goes on.
        yield_now();
        let durable = if self.honesty == Honesty::Honest { tip } else { before };
        self.durable.store(durable.seq.0, Ordering::SeqCst);
        Ok(tip)
    }

    fn tip(&self) -> Tip {
        self.memory.tip()
    }

    fn term(&self) -> Term {
        self.memory.term()
    }

    fn cursor(&self, from: Seq) -> Result<MemoryCursor, ReadError> {
        self.memory.cursor(from)
    }

    fn truncate_before(&mut self, seq: Seq) -> Result<u64, TruncateError> {
        self.memory.truncate_before(seq)
    }
}
