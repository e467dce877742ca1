//! Installs what the tests call and the machine lacks, from Debian packages. Says nothing when all is there.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

/// A program that tests call, and the package that brings it.
struct Program {
    name: &'static str,
    package: &'static str,
}

/// What tests call beside the Rust toolchain.
const PROGRAMS: &[Program] = &[
    Program { name: "curl", package: "curl" },
    Program { name: "strace", package: "strace" },
    // Builds the runtime of libFuzzer.
    Program { name: "c++", package: "g++" },
];

/// Installs what is missing.
///
/// # Errors
/// When something is missing and cannot be installed from here; the message says what to do by hand.
pub(crate) fn run() -> anyhow::Result<()> {
    let path = std::env::var("PATH").unwrap_or_default();
    let missing = missing_packages(&path, |file| file.is_file());
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!("install them by hand: apt-get install {}", missing.join(" "));
    if !is_root() {
        bail!("the tests need packages that are not installed, and only root may install them; {by_hand}");
    }
    apt_get(&["update", "-qq"]).with_context(|| by_hand.clone())?;
    let mut words = vec!["install", "-y", "-qq", "--no-install-recommends"];
    words.extend(missing);
    apt_get(&words).context(by_hand)
}

fn missing_packages(path: &str, is_file: impl Fn(&Path) -> bool) -> Vec<&'static str> {
    let found = |name: &str| path.split(':').any(|folder| is_file(&Path::new(folder).join(name)));
    PROGRAMS.iter().filter(|program| !found(program.name)).map(|program| program.package).collect()
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn apt_get(words: &[&str]) -> anyhow::Result<()> {
    let output = Command::new("apt-get").args(words).env("DEBIAN_FRONTEND", "noninteractive").output();
    let output = output.context("apt-get could not be started")?;
    if !output.status.success() {
        bail!("apt-get {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_nowhere_in_the_path_is_missing() {
        assert!(missing_packages("/a:/b", |file| file.starts_with("/b")).is_empty());
        assert_eq!(missing_packages("/a:/b", |file| file == Path::new("/b/curl")), ["strace", "g++"]);
        assert_eq!(missing_packages("/a:/b", |_| false), ["curl", "strace", "g++"]);
    }
}
