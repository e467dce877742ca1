//! A server as a child process that says where it listens.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{ChildStdout, Command, ExitStatus, Stdio};

use anyhow::{Context as _, bail};

use crate::process::Process;

const LISTENING: &str = "listening on http://";
const METRICS: &str = ", metrics on http://";

/// A server that listens; ended when it goes out of scope.
pub(crate) struct Server {
    process: Process,
    /// Kept open: the server may print.
    output: BufReader<ChildStdout>,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Where it shows its metrics, if it does.
    pub(crate) metrics_address: Option<SocketAddr>,
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
        let mut process = Process::start(command.stdout(Stdio::piped()))?;
        let mut output = BufReader::new(process.child_mut().stdout.take().expect("the output is piped"));
        let mut greeting = Vec::new();
        loop {
            let mut line = String::new();
            if output.read_line(&mut line)? == 0 {
                bail!("{} ended at its start: {}", program.display(), process.child_mut().wait()?);
            }
            if let Some(address) = address_after(&line, LISTENING) {
                let metrics_address = address_after(&line, METRICS);
                return Ok(Server { process, output, address, metrics_address, greeting });
            }
            greeting.push(line.trim_end().to_owned());
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Asks it to end (SIGTERM) and waits until it has. With what it printed since it listened.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub(crate) fn stop(mut self) -> anyhow::Result<(ExitStatus, String)> {
        let status = self.process.stop()?;
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).context("cannot read what a server printed")?;
        Ok((status, rest))
    }

    /// Ends it as a crash would.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill()
    }
}

/// The address that stands behind those words.
fn address_after(line: &str, words: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once(words)?;
    rest.split([',', '/', '\n']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_either_greeting() {
        let address = "127.0.0.1:80".parse().ok();
        assert_eq!(address_after("listening on http://127.0.0.1:80\n", LISTENING), address);
        let both = "listening on http://127.0.0.1:80, metrics on http://127.0.0.1:81/metrics\n";
        assert_eq!(address_after(both, LISTENING), address);
        assert_eq!(address_after(both, METRICS), "127.0.0.1:81".parse().ok());
        assert_eq!(address_after("admin key, shown this once: x\n", LISTENING), None);
    }
}
