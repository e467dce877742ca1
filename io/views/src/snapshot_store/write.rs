//! Writes a snapshot, and removes those that it makes superfluous.

use std::io;

use domain::{Seq, planted};
use engine::{State, snapshot};
use journal::{Disk, DiskError, DiskFile};

use super::format::{self, HEADER_SIZE_BYTES, Header};
use super::{Position, SUFFIX_TEMPORARY, SnapshotStore, WriteError, Written, failed, name_of};

/// So many bytes are synced at once: one large sync would hold up the journal's on the same disk.
const SYNC_SIZE_BYTES: u64 = 8 << 20;

pub(super) fn write<D: Disk>(
    store: &SnapshotStore<D>,
    position: Position,
    state: &State,
) -> Result<Written, WriteError> {
    let disk = &store.disk;
    remove_temporary(disk)?;
    let file = name_of(position.seq);
    let temporary = format!("{file}{SUFFIX_TEMPORARY}");
    let header = Header { position, extent: format::measure(snapshot::export(state)) };
    let filled = fill(disk, &temporary, &header, state);
    if filled.is_err() {
        // Gives the space back; what failed first is what is reported.
        drop(disk.remove(&temporary));
    }
    filled?;
    disk.rename(&temporary, &file).map_err(failed("rename", &temporary))?;
    disk.sync_dir().map_err(failed("sync", "the directory"))?;
    if let Err(damaged) = store.verify(position.seq) {
        disk.remove(&file).map_err(failed("remove", &file))?;
        return Err(WriteError::ReadBack(damaged));
    }
    let fallback = keep_one_older(store, position.seq)?;
    Ok(Written {
        file,
        size_bytes: header.extent.size_bytes,
        entry_count: header.extent.entry_count,
        droppable_before: fallback
            .map(|kept| if planted!(TrustNewestSnapshot) { position.seq } else { kept }.next()),
    })
}

/// Makes the file and fills it, durably.
fn fill<D: Disk>(disk: &D, name: &str, header: &Header, state: &State) -> Result<(), DiskError> {
    let file = disk.create(name, header.extent.size_bytes).map_err(failed("create", name))?;
    let stored = header.encode();
    write_all(&file, name, &stored, 0)?;
    let (mut offset, mut synced) = (HEADER_SIZE_BYTES as u64, 0);
    let entries = snapshot::export(state);
    let entry_count = format::write_chunks(entries, format::checksum_of(&stored), &mut |chunk| {
        write_all(&file, name, chunk, offset)?;
        offset += chunk.len() as u64;
        if offset - synced >= SYNC_SIZE_BYTES {
            file.sync().map_err(failed("sync", name))?;
            synced = offset;
        }
        Ok::<(), DiskError>(())
    })?;
    if !planted!(RenameUnsyncedSnapshot) {
        file.sync().map_err(failed("sync", name))?;
    }
    let written = format::Extent { entry_count, size_bytes: offset };
    assert_eq!(written, header.extent, "the same state gives the same entries twice");
    Ok(())
}

/// A short write is a failure and is not gone on with.
fn write_all(file: &impl DiskFile, name: &str, bytes: &[u8], offset: u64) -> Result<(), DiskError> {
    match file.write_at(bytes, offset).map_err(failed("write", name))? {
        written if written == bytes.len() => Ok(()),
        _ => Err(failed("write", name)(io::ErrorKind::WriteZero.into())),
    }
}

/// Removes what an interrupted writing left.
fn remove_temporary<D: Disk>(disk: &D) -> Result<(), DiskError> {
    let names = disk.list().map_err(failed("list", "the directory"))?;
    for name in names.iter().filter(|name| name.ends_with(SUFFIX_TEMPORARY)) {
        disk.remove(name).map_err(failed("remove", name))?;
    }
    Ok(())
}

/// Keeps the newest older snapshot that verifies and removes all other older ones; when none verifies, removes
/// nothing. Returns the one that is kept. A snapshot that claims to be newer is not looked at.
fn keep_one_older<D: Disk>(store: &SnapshotStore<D>, newest: Seq) -> Result<Option<Seq>, DiskError> {
    let older: Vec<Seq> = store.list()?.into_iter().filter(|seq| *seq < newest).collect();
    let Some(kept) = older.iter().copied().find(|seq| store.verify(*seq).is_ok()) else { return Ok(None) };
    for name in older.into_iter().filter(|seq| *seq != kept).map(name_of) {
        store.disk.remove(&name).map_err(failed("remove", &name))?;
    }
    Ok(Some(kept))
}
