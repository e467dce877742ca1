//! Files of key hashes, one per line.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use edge::auth::KeyHash;

/// The hashes of a file.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<KeyHash>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            line.trim().parse().with_context(|| format!("{}, line {}", path.display(), index + 1))
        })
        .collect()
}

/// Adds a hash, durably. One short write behind the end: two commands at once lose nothing.
pub(super) fn append(path: &Path, hash: KeyHash) -> anyhow::Result<()> {
    let write = || {
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        file.write_all(format!("{hash}\n").as_bytes())?;
        file.sync_all()?;
        File::open(path.parent().expect("a file is in a folder"))?.sync_all()
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
