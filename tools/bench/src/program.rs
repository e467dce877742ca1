//! The programs that are driven.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::site::Programs;

/// Whether a program is in the path, or where system programs are.
pub(crate) fn is_installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = [PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")];
    std::env::split_paths(&path).chain(system).any(|folder| folder.join(name).is_file())
}

/// Makes sure that programs are there.
///
/// # Errors
/// When one is not; says how to get it.
pub(crate) fn require(names: &[&str]) -> anyhow::Result<()> {
    let missing: Vec<&str> = names.iter().copied().filter(|name| !is_installed(name)).collect();
    ensure!(missing.is_empty(), "not installed: {}; `cargo xtask bench` installs them", missing.join(", "));
    Ok(())
}

/// The measured programs: the named `onrush` and the `peer` beside it; or those built in the same profile as this program,
/// which are brought up to date first.
///
/// # Errors
/// When they cannot be found or built.
pub(crate) fn measured(onrush: Option<&Path>, before: Option<&Path>) -> anyhow::Result<Programs> {
    let before = before.map(found).transpose()?;
    let Some(path) = onrush else {
        return Ok(Programs { onrush: built("onrush")?, before, peer: built("peer")? });
    };
    let onrush = found(path)?;
    let peer = onrush.with_file_name("peer");
    let peer = if peer.is_file() { peer } else { built("peer")? };
    Ok(Programs { onrush, before, peer })
}

fn found(path: &Path) -> anyhow::Result<PathBuf> {
    path.canonicalize().with_context(|| format!("cannot find {}", path.display()))
}

fn built(package: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("cannot tell where this program is")?;
    let folder = own.parent().context("this program is in no folder")?;
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    eprintln!("cargo build --profile {profile} --package {package}");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let words = ["build", "--quiet", "--profile", profile, "--package", package];
    let status =
        Command::new(cargo).args(words).status().context("cannot call cargo; name the program: --bin")?;
    ensure!(status.success(), "{package} cannot be built");
    Ok(folder.join(package))
}
