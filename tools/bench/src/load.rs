//! The load: wrk, one thread, a closed loop over so many connections.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use serde::Deserialize;

use crate::arm::Shape;
use crate::cpu;
use crate::program;

const LUA: &str = include_str!("load.lua");

/// What wrk is told, for one kind of request.
pub(crate) struct Load {
    shape: Shape,
    script: PathBuf,
    connections: u32,
}

/// How one run of a load differs from another.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) seconds: u32,
    /// Buyers' tokens, one per line. When a run uses up all of them, it begins with the first again.
    pub(crate) tokens: &'a Path,
    /// Every idempotency key begins with it.
    pub(crate) key_prefix: &'a str,
    /// Whether to count the answers by their status, which slows the generator down.
    pub(crate) counts_statuses: bool,
}

/// What wrk saw.
#[derive(Deserialize, Debug)]
pub(crate) struct Seen {
    /// Requests with a whole answer. Those that were under way at the end are not in it.
    pub(crate) completed: u64,
    duration_us: u64,
    /// Answers with a status from 400 on.
    pub(crate) status_errors: u64,
    /// Connections that could not be made, or broke.
    pub(crate) socket_errors: u64,
    /// Answers that took longer than wrk's two seconds.
    pub(crate) timeouts: u64,
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
    pub(crate) p999_us: u64,
    /// Answers by status, if they were counted.
    pub(crate) statuses: BTreeMap<String, u64>,
    /// What the generator itself used.
    #[serde(skip)]
    pub(crate) cpu: Duration,
}

impl Seen {
    /// How long wrk measured.
    pub(crate) fn duration(&self) -> Duration {
        Duration::from_micros(self.duration_us)
    }
}

impl Load {
    /// Makes sure that wrk is there.
    ///
    /// # Errors
    /// When it is not; says how to get it.
    pub(crate) fn check_installed() -> anyhow::Result<()> {
        program::require(&["wrk"])
    }

    /// Writes the script that sends requests of that shape into a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn new(shape: Shape, script: &Path, connections: u32) -> anyhow::Result<Load> {
        let (before, after) = shape.around();
        let constants = [("before", before.as_str()), ("key_field", Shape::KEY_FIELD), ("after", &after)];
        let mut text = String::new();
        for (name, value) in constants {
            writeln!(text, "local {name} = \"{}\"", lua_escaped(value))?;
        }
        writeln!(text, "local items = {}", shape.items)?;
        std::fs::write(script, text + LUA).with_context(|| format!("cannot write {}", script.display()))?;
        Ok(Load { shape, script: script.to_owned(), connections })
    }

    /// What is sent.
    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Requests that may be under way when a run ends.
    pub(crate) fn under_way_max(&self) -> u64 {
        self.connections.into()
    }

    /// Runs it once.
    ///
    /// # Errors
    /// When wrk fails.
    pub(crate) fn run(&self, address: SocketAddr, part: Part<'_>) -> anyhow::Result<Seen> {
        let mut wrk = Command::new("wrk");
        wrk.arg("-t1").arg(format!("-c{}", self.connections)).arg(format!("-d{}s", part.seconds));
        wrk.arg("-s").arg(&self.script).arg(format!("http://{address}/"));
        wrk.arg("--").arg(part.tokens).arg(part.key_prefix).arg(part.counts_statuses.to_string());
        let mut child = wrk.stdout(Stdio::piped()).spawn().context("cannot start wrk")?;
        let mut output = String::new();
        child.stdout.take().expect("the output is piped").read_to_string(&mut output)?;
        let cpu = cpu_at_end(&mut child)?;
        let json = output.lines().find_map(|line| line.strip_prefix("JSON "));
        let seen = json.and_then(|json| serde_json::from_str(json).ok());
        Ok(Seen { cpu, ..seen.with_context(|| format!("wrk measured nothing:\n{output}"))? })
    }
}

/// The CPU time of a process that has ended or is about to: read while it is a zombie.
fn cpu_at_end(child: &mut Child) -> anyhow::Result<Duration> {
    waitid(WaitId::Pid(Pid::from_child(child)), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
    let cpu = cpu::of_process(child.id())?;
    child.wait()?;
    Ok(cpu)
}

fn lua_escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\r', "\\r").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_one_lua_literal() {
        assert_eq!(lua_escaped("a\"b\\c\r\n"), r#"a\"b\\c\r\n"#);
    }

    #[test]
    fn what_the_script_prints_is_understood() {
        let text = r#"{"completed":7,"duration_us":2000000,"status_errors":0,"socket_errors":0,"timeouts":0,
            "p50_us":1,"p99_us":2,"p999_us":3,"statuses":{"201":7}}"#;
        let seen: Seen = serde_json::from_str(text).unwrap();
        assert_eq!((seen.duration(), seen.statuses["201"]), (Duration::from_secs(2), 7));
    }
}
