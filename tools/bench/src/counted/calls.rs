//! System calls per order at saturation, counted by strace, which slows the server down: batches are larger then
//! than without it.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;

use crate::arm::Arm;
use crate::figure::{Figure, Figures};
use crate::load::Load;
use crate::process::Process;
use crate::program;
use crate::series::Bench;
use crate::stand::Stand;

const CONNECTIONS: u32 = 64;
/// How long strace gets to find every thread.
const ATTACH_PAUSE: Duration = Duration::from_millis(500);

/// `calls.order` and `calls.hello`.
///
/// # Errors
/// When strace does not run, or may not look at a process.
pub(crate) fn figures(bench: &Bench<'_>) -> anyhow::Result<Figures> {
    program::require(&["strace"])?;
    let figure =
        |arm: Arm| anyhow::Ok((format!("calls.{}", arm.name()), Figure::of([per_request(bench, arm)?])));
    Ok([figure(Arm::Hello)?, figure(Arm::Order)?].into())
}

fn per_request(bench: &Bench<'_>, arm: Arm) -> anyhow::Result<f64> {
    let shape = Arm::Order.shape().context("an order is asked for")?;
    let load = Load::new(shape, CONNECTIONS);
    let stand = Stand::open(bench.site, arm)?;
    load.run(stand.address(), bench.measured("before-"))?;
    let summary = bench.site.folder().join("calls");
    let mut strace = Command::new("strace");
    strace.args(["-c", "-f", "-q", "-o"]).arg(&summary);
    for pid in stand.pids() {
        strace.args(["-p", &pid.to_string()]);
    }
    let mut strace = Process::start(strace.stdout(Stdio::null()))?;
    std::thread::sleep(ATTACH_PAUSE);
    let seen = load.run(stand.address(), bench.measured("calls-"))?;
    strace.stop()?;
    stand.close()?;
    let text = std::fs::read_to_string(&summary).context("strace wrote no summary")?;
    let calls = total(&text).with_context(|| format!("cannot understand strace:\n{text}"))?;
    Ok(calls as f64 / seen.completed.max(1) as f64)
}

/// The calls in the last line: `100.00    1.234567          12    345678     901 total`; the errors may be missing.
fn total(text: &str) -> Option<u64> {
    let line = text.lines().rev().find(|line| line.trim_end().ends_with("total"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_with_and_without_errors() {
        let head = "% time     seconds  usecs/call     calls    errors syscall\n";
        assert_eq!(
            total(&format!("{head}100.00    0.000200           4        42           total\n")),
            Some(42)
        );
        assert_eq!(
            total(&format!("{head}100.00    0.000200           4        42         7 total\n")),
            Some(42)
        );
        assert_eq!(total(head), None);
    }
}
