//! A child process that runs until it is told to end.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How long a process may take to end after it was asked to.
const END_TIMEOUT: Duration = Duration::from_secs(60);
const END_STEP: Duration = Duration::from_millis(5);
/// What is shown of a log when something is wrong.
const LOG_LINES_SHOWN: usize = 20;

/// A process; killed when it goes out of scope.
pub(crate) struct Process(Child);

impl Process {
    /// Starts it.
    ///
    /// # Errors
    /// When there is no such program.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Process> {
        let program = command.get_program().to_owned();
        let child = command.stdin(Stdio::null()).spawn();
        Ok(Process(child.with_context(|| format!("cannot start {}", program.display()))?))
    }

    /// The same, with whatever it prints in a file.
    ///
    /// # Errors
    /// When there is no such program, or the file cannot be written.
    pub(crate) fn start_logged(command: &mut Command, log: &Path) -> anyhow::Result<Process> {
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        Process::start(command.stdout(file.try_clone()?).stderr(file))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn child_mut(&mut self) -> &mut Child {
        &mut self.0
    }

    /// Whether it has ended already.
    pub(crate) fn has_ended(&mut self) -> anyhow::Result<bool> {
        Ok(self.0.try_wait()?.is_some())
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    ///
    /// # Errors
    /// When it does not end.
    pub(crate) fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        kill_process(Pid::from_child(&self.0), Signal::TERM).context("cannot end a process")?;
        let asked = Instant::now();
        while asked.elapsed() < END_TIMEOUT {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(END_STEP);
        }
        bail!("process {} did not end within {} s", self.pid(), END_TIMEOUT.as_secs())
    }

    /// Ends it as a crash would (SIGKILL).
    ///
    /// # Errors
    /// When it cannot be ended.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // After `stop` both do nothing.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The end of what a process wrote, for a message.
pub(crate) fn log_tail(path: &PathBuf) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
}
