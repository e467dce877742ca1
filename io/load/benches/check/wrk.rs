//! The same load by wrk.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

/// What wrk saw.
pub(crate) struct Seen {
    /// Requests/s and latency, in one line.
    pub(crate) text: String,
    pub(crate) mean_ms: f64,
}

/// Runs wrk with one thread.
pub(crate) fn run(address: SocketAddr, connections: usize, duration: Duration) -> anyhow::Result<Seen> {
    let mut wrk = Command::new("wrk");
    wrk.arg("-t1").arg(format!("-c{connections}")).arg(format!("-d{}s", duration.as_secs())).arg("--latency");
    let output =
        wrk.arg(format!("http://{address}/")).output().context("cannot start wrk: apt-get install wrk")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = |begin: &str| text.lines().map(str::trim).find(|line| line.starts_with(begin)).map(shorten);
    let lines: Vec<String> =
        ["Latency  ", "50%", "99%", "Requests/sec"].into_iter().filter_map(line).collect();
    ensure!(output.status.success() && lines.len() == 4, "wrk measured nothing: {text}");
    let mean = lines[0].split(' ').nth(1).and_then(milliseconds);
    let mean_ms = mean.with_context(|| format!("wrk has another unit: {}", lines[0]))?;
    Ok(Seen { text: lines.join(", "), mean_ms })
}

/// A span as wrk writes it.
fn milliseconds(text: &str) -> Option<f64> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &text[number.len()..] {
        "us" => 1e-3,
        "ms" => 1.0,
        "s" => 1e3,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * factor)
}

fn shorten(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
