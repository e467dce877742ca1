//! `cargo xtask sanitize`: builds the rooms that store, publish and have threads with a sanitizer's checks compiled in,
//! and runs their tests. Takes minutes and is not a part of `cargo xtask test`.
//!
//! AddressSanitizer needs no more than the everyday toolchain; its option is unstable, hence `RUSTC_BOOTSTRAP`.
//! ThreadSanitizer takes every lock of a standard library that it did not compile for a race, so it needs the nightly
//! toolchain with the component `rust-src`, and compiles the library, too.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use crate::step;

/// The only target that both were tried on. A target must be named, so that build scripts and macros are spared.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// A sanitizer, and what it is built with.
struct Sanitizer {
    name: &'static str,
    /// A part of the name of its runtime library, which the toolchain must have.
    runtime: &'static str,
    /// The toolchain that is asked for; the everyday one when there is none.
    toolchain: Option<&'static str>,
    environment: &'static [(&'static str, &'static str)],
    words: &'static str,
}

const SANITIZERS: [Sanitizer; 2] = [
    Sanitizer {
        name: "address",
        runtime: "_rt.asan.",
        toolchain: None,
        environment: &[("RUSTC_BOOTSTRAP", "1")],
        words: "-p journal -p views -p shard -p engine --lib",
    },
    Sanitizer {
        name: "thread",
        runtime: "_rt.tsan.",
        toolchain: Some("nightly"),
        environment: &[],
        words: "-Zbuild-std -p views --lib",
    },
];

/// Runs the tests under each sanitizer.
///
/// # Errors
/// When a toolchain lacks what a sanitizer needs, a test fails, or a sanitizer reports something.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    for sanitizer in &SANITIZERS {
        sanitizer.check_toolchain(root)?;
        sanitizer.run(root)?;
    }
    Ok(())
}

impl Sanitizer {
    fn run(&self, root: &Path) -> anyhow::Result<()> {
        println!("── {} sanitizer: cargo test {} ──", self.name, self.words);
        let mut cargo = self.command("cargo", root);
        cargo.args(["test", "--release", "--quiet", "--target", TARGET]).args(self.words.split(' '));
        cargo.envs(self.environment.iter().copied());
        cargo.env("CARGO_TARGET_DIR", step::target_folder(root).join(format!("sanitize-{}", self.name)));
        cargo.env("RUSTFLAGS", format!("-Zsanitizer={}", self.name));
        let status = cargo.status().context("cargo could not be started")?;
        // A report ends the program of the tests with a failure.
        ensure!(status.success(), "tests under the {} sanitizer: {status}", self.name);
        Ok(())
    }

    fn check_toolchain(&self, root: &Path) -> anyhow::Result<()> {
        let toolchain = self.toolchain.unwrap_or("default");
        let Some(libraries) = self.ask_rustc("target-libdir", root) else {
            bail!(
                "the {} sanitizer needs the {toolchain} toolchain: `rustup toolchain install {toolchain}`",
                self.name
            );
        };
        let has_runtime = Path::new(&libraries).read_dir().is_ok_and(|mut files| {
            files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().contains(self.runtime)))
        });
        ensure!(has_runtime, "the {toolchain} toolchain has no {} sanitizer for {TARGET}", self.name);
        let Some(sysroot) = self.ask_rustc("sysroot", root) else { bail!("rustc does not tell its folder") };
        let has_source = Path::new(&sysroot).join("lib/rustlib/src/rust/library/Cargo.lock").exists();
        ensure!(
            has_source || !self.words.contains("-Zbuild-std"),
            "the {} sanitizer needs the standard library's source: `rustup component add rust-src --toolchain {toolchain}`",
            self.name
        );
        Ok(())
    }

    /// What `rustc --print` says, when there is such a toolchain.
    fn ask_rustc(&self, what: &str, root: &Path) -> Option<String> {
        let mut rustc = self.command("rustc", root);
        let output = rustc.args(["--print", what, "--target", TARGET]).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// A call of a program of its toolchain.
    fn command(&self, program: &str, root: &Path) -> Command {
        let mut command = match self.toolchain {
            Some(toolchain) => {
                let mut rustup = Command::new("rustup");
                rustup.args(["run", toolchain, program]);
                rustup
            }
            None => Command::new(program),
        };
        // What the cargo that runs this tool set for its own toolchain.
        for variable in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN"] {
            command.env_remove(variable);
        }
        command.current_dir(root);
        command
    }
}
