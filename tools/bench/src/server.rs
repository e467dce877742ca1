//! A server as a child process.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};

const LISTENING: &str = "listening on http://";

/// A server that listens; ended when it goes out of scope.
pub(crate) struct Server {
    child: Child,
    /// Kept open: the server may print.
    _output: BufReader<ChildStdout>,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// What it printed before it listened.
    pub(crate) greeting: Vec<String>,
}

impl Server {
    /// Starts it and waits until it says where it listens.
    ///
    /// # Errors
    /// When it ends before that.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Server> {
        let program = command.get_program().to_owned();
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.with_context(|| format!("cannot start {}", program.display()))?;
        let mut output = BufReader::new(child.stdout.take().expect("the output is piped"));
        let mut greeting = Vec::new();
        loop {
            let mut line = String::new();
            if output.read_line(&mut line)? == 0 {
                bail!("{} ended at its start: {}", program.display(), child.wait()?);
            }
            if let Some(address) = listen_address(&line) {
                return Ok(Server { child, _output: output, address, greeting });
            }
            greeting.push(line.trim_end().to_owned());
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub(crate) fn stop(mut self) -> anyhow::Result<ExitStatus> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).context("cannot end the server")?;
        Ok(self.child.wait()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `stop` both do nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen_address(line: &str) -> Option<SocketAddr> {
    let rest = line.strip_prefix(LISTENING)?;
    rest.split([',', '\n']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_found_in_either_greeting() {
        let address = "127.0.0.1:80".parse().ok();
        assert_eq!(listen_address("listening on http://127.0.0.1:80\n"), address);
        assert_eq!(
            listen_address("listening on http://127.0.0.1:80, metrics on http://x/metrics\n"),
            address
        );
        assert_eq!(listen_address("admin key, shown this once: x\n"), None);
    }
}
