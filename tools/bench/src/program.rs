//! The programs that are driven.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

/// Whether a program is in the path.
pub(crate) fn is_installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

/// The measured `onrush`: the named one, or the one built in the same profile as this program, which is brought
/// up to date first.
///
/// # Errors
/// When it cannot be built.
pub(crate) fn onrush(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(path) = named {
        return path.canonicalize().with_context(|| format!("cannot find {}", path.display()));
    }
    let own = std::env::current_exe().context("cannot tell where this program is")?;
    let folder = own.parent().context("this program is in no folder")?;
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    eprintln!("cargo build --profile {profile} --package onrush");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let words = ["build", "--quiet", "--profile", profile, "--package", "onrush"];
    let built =
        Command::new(cargo).args(words).status().context("cannot call cargo; name the program: --bin")?;
    ensure!(built.success(), "onrush cannot be built");
    Ok(folder.join("onrush"))
}
