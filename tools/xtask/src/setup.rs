//! Installs what the tests, or the benchmark, call and the machine lacks, from Debian packages. Says nothing when all
//! is there.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

/// A program, and the package that brings it.
pub(crate) struct Program {
    name: &'static str,
    package: &'static str,
}

/// What tests call beside the Rust toolchain.
pub(crate) const OF_TESTS: &[Program] = &[
    Program { name: "curl", package: "curl" },
    Program { name: "strace", package: "strace" },
    // Builds the runtime of libFuzzer.
    Program { name: "c++", package: "g++" },
];
/// What the benchmark calls.
pub(crate) const OF_BENCH: &[Program] = &[
    Program { name: "redis-server", package: "redis-server" },
    Program { name: "mariadbd", package: "mariadb-server" },
    // The servers themselves are in no path.
    Program { name: "pg_createcluster", package: "postgresql" },
    Program { name: "nginx", package: "nginx-light" },
    Program { name: "valgrind", package: "valgrind" },
    Program { name: "strace", package: "strace" },
];
/// Where programs are that only root has in the path.
const SYSTEM_PATH: &str = "/usr/sbin:/sbin";

/// Installs what is missing.
///
/// # Errors
/// When something is missing and cannot be installed from here; the message says what to do by hand.
pub(crate) fn run(programs: &[Program]) -> anyhow::Result<()> {
    let path = format!("{}:{SYSTEM_PATH}", std::env::var("PATH").unwrap_or_default());
    let missing = missing_packages(programs, &path, |file| file.is_file());
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!("install them by hand: apt-get install {}", missing.join(" "));
    if !is_root() {
        bail!("packages are needed that are not installed, and only root may install them; {by_hand}");
    }
    apt_get(&["update", "-qq"]).with_context(|| by_hand.clone())?;
    let mut words = vec!["install", "-y", "-qq", "--no-install-recommends"];
    words.extend(missing);
    apt_get(&words).context(by_hand)
}

fn missing_packages(programs: &[Program], path: &str, is_file: impl Fn(&Path) -> bool) -> Vec<&'static str> {
    let found = |name: &str| path.split(':').any(|folder| is_file(&Path::new(folder).join(name)));
    programs.iter().filter(|program| !found(program.name)).map(|program| program.package).collect()
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
        let missing = |is_file: fn(&Path) -> bool| missing_packages(OF_TESTS, "/a:/b", is_file);
        assert!(missing(|file| file.starts_with("/b")).is_empty());
        assert_eq!(missing(|file| file == Path::new("/b/curl")), ["strace", "g++"]);
        assert_eq!(missing(|_| false), ["curl", "strace", "g++"]);
    }
}
