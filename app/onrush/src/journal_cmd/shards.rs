//! Which shards a directory holds.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use domain::ShardId;
use journal::OsDisk;

use crate::installation::Installation;

/// The folder of one shard.
pub(crate) struct ShardFolder {
    pub(crate) shard: ShardId,
    pub(crate) path: PathBuf,
    pub(crate) disk: OsDisk,
}

/// What was found in a directory.
pub(crate) struct Found {
    /// By number.
    pub(crate) shards: Vec<ShardFolder>,
    /// The data directory itself, where secrets are.
    pub(crate) installation: Option<Installation>,
    /// Shards that belong to the installation and are not there.
    pub(crate) missing: Vec<ShardId>,
}

/// The shards of a data directory (folders `shard-NNNN`), or the one whose folder this is.
pub(crate) fn find(dir: &Path) -> anyhow::Result<Found> {
    let cannot = || format!("cannot read {}", dir.display());
    // Without links and dots, so that the folder's own name can be seen.
    let dir = dir.canonicalize().with_context(cannot)?;
    if let Some(shard) = shard_of(&dir) {
        // A shard's folder may have been copied from anywhere; it can be read without its installation.
        let installation = dir.parent().and_then(|parent| Installation::open(parent).ok());
        return Ok(Found { shards: vec![open(shard, dir)?], installation, missing: Vec::new() });
    }
    let mut shards = Vec::new();
    for entry in fs::read_dir(&dir).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if let Some(shard) = shard_of(&path) {
            shards.push(open(shard, path)?);
        }
    }
    if shards.is_empty() {
        bail!("{} is no data directory: it has no folder `shard-0000`, nor is it one", dir.display());
    }
    shards.sort_by_key(|found| found.shard);
    let is_installation = dir.join("installation.toml").exists();
    let installation = is_installation.then(|| Installation::open(&dir)).transpose()?;
    let is_missing = |shard: &ShardId| shards.iter().all(|found| found.shard != *shard);
    let missing = installation.iter().flat_map(Installation::shards).filter(is_missing).collect();
    Ok(Found { shards, installation, missing })
}

fn open(shard: ShardId, path: PathBuf) -> anyhow::Result<ShardFolder> {
    let disk = OsDisk::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(ShardFolder { shard, path, disk })
}

fn shard_of(path: &Path) -> Option<ShardId> {
    let digits = path.file_name()?.to_str()?.strip_prefix("shard-")?;
    let plain = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { ShardId::new(digits.parse().ok()?) } else { None }
}
