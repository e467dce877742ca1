//! A server as a child process that says where it listens.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{ChildStdout, Command, ExitStatus, Stdio};

use anyhow::{Context as _, bail};

use crate::http_client::Client;
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
    metrics_address: Option<SocketAddr>,
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

    /// A metric of now, summed over its labels.
    ///
    /// # Errors
    /// When the server does not say.
    pub(crate) fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let address = self.metrics_address.context("the server does not say where its metrics are")?;
        let mut client = Client::connect(address)?;
        client.send("GET /metrics HTTP/1.1\r\nHost: bench\r\n\r\n")?;
        metric(&client.receive()?.body, name)
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

/// The sum of a metric over all its labels.
fn metric(page: &str, name: &str) -> anyhow::Result<f64> {
    let lines =
        page.lines().filter_map(|line| line.strip_prefix(name)).filter(|rest| rest.starts_with([' ', '{']));
    let values = lines.filter_map(|rest| rest.rsplit(' ').next()?.parse::<f64>().ok());
    let (count, sum) = values.fold((0, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then_some(sum).with_context(|| format!("there is no metric {name}"))
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
    fn counter_is_summed_over_shards() {
        let page = "# TYPE x counter\nx_total{shard=\"0\"} 3\nx_total{shard=\"1\"} 4\ny_total 9\n";
        assert_eq!(metric(page, "x_total").unwrap(), 7.0);
        assert!(metric(page, "z_total").is_err());
    }

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
