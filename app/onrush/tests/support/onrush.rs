//! The binary, called once and waited for.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use super::until;

/// Where it is.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_onrush");

/// The repository.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The binary with these words, in an environment that has no settings of whoever runs the tests.
pub(crate) fn command(words: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(words).stdin(Stdio::null()).current_dir(root());
    let is_ours = |name: &OsStr| name.to_string_lossy().starts_with("ONRUSH_");
    std::env::vars_os().filter(|(name, _)| is_ours(name)).for_each(|(name, _)| {
        command.env_remove(name);
    });
    command
}

/// The same command, called by another program with these words before it.
pub(crate) fn wrapped(program: &str, words: &[String], inner: &Command) -> Command {
    let mut command = Command::new(program);
    command.args(words).arg(inner.get_program()).args(inner.get_args());
    command.stdin(Stdio::null()).current_dir(root());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// What it said and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs it to its end.
#[track_caller]
pub(crate) fn run(words: &[&str]) -> Ran {
    ran(command(words).output().expect("the binary can be started"))
}

/// Runs it to its end, which must be a good one; returns what it printed.
#[track_caller]
pub(crate) fn run_well(words: &[&str]) -> String {
    let ran = run(words);
    assert!(ran.status.success(), "{words:?}: {ran:?}");
    ran.stdout
}

/// An output as text.
pub(crate) fn ran(output: Output) -> Ran {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it speaks UTF-8");
    Ran { status: output.status, stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Waits for a child of ours to end.
#[track_caller]
pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    until("the process to end", || child.try_wait().expect("it is our child"))
}

/// Tokens for the buyers NAME-1 to NAME-N of the server with this data folder; index 0 is NAME-1.
pub(crate) fn tokens(data: &Path, name: &str, count: u32) -> Vec<String> {
    let data = data.to_str().expect("a text");
    let lines = run_well(&["token", "--data", data, "--buyer", name, "--count", &count.to_string()]);
    let tokens: Vec<String> = lines.lines().map(str::to_owned).collect();
    assert_eq!(tokens.len(), usize::try_from(count).expect("it fits"));
    tokens
}

/// A token of one buyer.
pub(crate) fn token(data: &Path, buyer: &str) -> String {
    let data = data.to_str().expect("a text");
    run_well(&["token", "--data", data, "--buyer", buyer]).trim().to_owned()
}
