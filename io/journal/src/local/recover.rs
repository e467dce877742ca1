//! Opening a journal: find its end, cut what a crash tore off, go on behind it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use domain::{Seq, Term, UnixMs, planted};

use super::shelf::{self, Shelf};
use super::{Current, Local, Options, make_segment};
use crate::contract::{DiskError, Record, Tip};
use crate::disk::{Access, Disk, DiskFile, failed, read_exactly, write_durably};
use crate::format::segment;
use crate::scan::{Damage, Extent, Seen, TornTail, Verdict};
use crate::walk::{Walked, list_segments, walk_from};

const COPY_SIZE_BYTES: u64 = 1 << 20;

/// What opening a journal found and did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recovery {
    /// How the journal ended; a torn tail is cut by now, and a copy kept.
    pub verdict: Verdict,
    /// What was read and recovered.
    pub extent: Extent,
    /// There are segments that begin before this record, where reading began. They were not looked at.
    pub unread_before: Option<Seq>,
}

/// Why a journal could not be opened.
#[derive(thiserror::Error, Debug)]
pub enum OpenError {
    /// The operator's fault.
    #[error("the journal's sizes are not allowed: {0:?}")]
    Options(Options),
    /// The disk's fault: durable data reads differently now. Nothing was written. A copy of the directory's
    /// good state must come from elsewhere, or somebody must decide what to give up.
    #[error("{0}; nothing was changed, and the journal is not used in this state")]
    Damage(#[from] Damage),
    /// Every term was used; a journal that says so was not written by anything that is known. Nothing was changed.
    #[error("term {} is the last that there is, so nobody can lead this journal any more", .0.0)]
    TermsExhausted(Term),
    /// The disk failed, or is full.
    #[error("the journal cannot be opened: {0}")]
    Disk(#[from] DiskError),
}

pub(super) fn open<D: Disk>(
    disk: D,
    (options, now): (Options, UnixMs),
    from: Seq,
    show: &mut dyn FnMut(Record<'_>),
) -> Result<(Local<D>, Recovery), OpenError> {
    if !options.are_valid() {
        return Err(OpenError::Options(options));
    }
    let mut segments = list_segments(&disk)?;
    // The last segment that begins at or before `from`; all of them when none does.
    segments.truncate(segments.partition_point(|first_seq| *first_seq <= from));
    let read_from = segments.pop().unwrap_or_default();
    let unread_before = if segments.is_empty() { None } else { Some(read_from) };
    let mut walked = walk_from(&disk, read_from, &mut |seen| {
        if let Seen::Record(record) = seen {
            show(record);
        }
    })?;
    let mut verdict = std::mem::replace(&mut walked.verdict, Ok(Verdict::Clean))?;
    let extent = walked.extent;
    let last_term = extent.tip.term;
    let step = u32::from(!planted!(KeepOldTerm));
    let term = last_term.0.checked_add(step).map(Term).ok_or(OpenError::TermsExhausted(last_term))?;
    remove_spare(&disk)?;
    let shelf = Shelf::new();
    let current = match walked.segments.last() {
        Some(_) => resume(&disk, &walked, &mut verdict, now)?,
        None => {
            let size_bytes = options.segment_size_bytes;
            let header = segment::Header { size_bytes, term, tip_before: Tip::default() };
            let current = make_segment(&disk, &shelf, header)?;
            walked.segments.push(header.first_seq());
            current
        }
    };
    let local = Local {
        disk,
        options,
        term,
        tip: extent.tip,
        segments: segments.into_iter().chain(walked.segments).collect(),
        current,
        buffer: Vec::new(),
        durable: Arc::new(AtomicU64::new(extent.tip.seq.0)),
        shelf: Arc::new(shelf),
        failed: false,
    };
    Ok((local, Recovery { verdict, extent, unread_before }))
}

/// What the life before had prepared may be full of anything.
fn remove_spare<D: Disk>(disk: &D) -> Result<(), DiskError> {
    let names = disk.list().map_err(failed("list", "the directory"))?;
    if names.iter().any(|name| name == shelf::NAME) {
        disk.remove(shelf::NAME).map_err(failed("remove", shelf::NAME))?;
    }
    Ok(())
}

/// Opens the last segment, cuts its torn tail, and makes durable what was only read so far.
fn resume<D: Disk>(
    disk: &D,
    walked: &Walked,
    verdict: &mut Verdict,
    now: UnixMs,
) -> Result<Current<D::File>, DiskError> {
    let name = segment::name(*walked.segments.last().expect("the caller found a segment"));
    let file = disk.open(&name, Access::Write).map_err(failed("open", &name))?;
    if let Verdict::TornTail(tail) = verdict {
        tail.copy = Some(keep_copy(disk, &file, tail, now)?);
        if !planted!(LeaveTornTail) {
            overwrite(&file, &name, tail)?;
        }
    }
    if let Some(offset) = walked.last_batch_at.filter(|_| !planted!(SkipSettling)) {
        settle(&file, &name, offset, walked.end)?;
    }
    disk.sync_dir().map_err(failed("sync", "the directory"))?;
    let size_bytes = file.size_bytes().map_err(failed("get the size of", &name))?;
    Ok(Current { file, name, size_bytes, end: walked.end })
}

/// Writes the last batch once more, the same bytes, durably. It may have been read from the page cache alone: its
/// writer was killed before the sync, or the sync failed and the kernel kept the pages but forgot that they
/// were never stored. A crash in the middle of this changes nothing, for old and new sectors are the same.
fn settle(file: &impl DiskFile, name: &str, from: u64, to: u64) -> Result<(), DiskError> {
    for_each_piece(from, to, |offset, piece| {
        read_exactly(file, name, piece, offset)?;
        write_durably(file, name, piece, offset)
    })
}

/// Copies the torn tail into a file of its own, durably, before it is cut.
fn keep_copy<D: Disk>(disk: &D, file: &D::File, tail: &TornTail, now: UnixMs) -> Result<String, DiskError> {
    let copy = format!("torn-{:020}-{}.bin", tail.first_seq.0, now.0);
    let names = disk.list().map_err(failed("list", "the directory"))?;
    if names.contains(&copy) {
        disk.remove(&copy).map_err(failed("remove", &copy))?;
    }
    let target = disk.create(&copy, tail.size_bytes).map_err(failed("create", &copy))?;
    for_each_piece(0, tail.size_bytes, |offset, piece| {
        read_exactly(file, &tail.file, piece, tail.offset + offset)?;
        write_durably(&target, &copy, piece, offset)
    })?;
    disk.sync_dir().map_err(failed("sync", "the directory"))?;
    Ok(copy)
}

/// Cuts the torn tail: zeros are what unused space holds. A crash in the middle leaves a torn tail again.
fn overwrite(file: &impl DiskFile, name: &str, tail: &TornTail) -> Result<(), DiskError> {
    for_each_piece(tail.offset, tail.offset + tail.size_bytes, |offset, piece| {
        piece.fill(0);
        write_durably(file, name, piece, offset)
    })
}

/// Calls `f` for the bytes from `from` to `to` in pieces of a bounded size, with a buffer for each.
pub(crate) fn for_each_piece(
    from: u64,
    to: u64,
    mut f: impl FnMut(u64, &mut [u8]) -> Result<(), DiskError>,
) -> Result<(), DiskError> {
    let mut buffer = vec![0; usize::try_from((to - from).min(COPY_SIZE_BYTES)).expect("at most 1 MiB")];
    let mut offset = from;
    while offset < to {
        let size = usize::try_from((to - offset).min(COPY_SIZE_BYTES)).expect("at most 1 MiB");
        f(offset, &mut buffer[..size])?;
        offset += size as u64;
    }
    Ok(())
}
