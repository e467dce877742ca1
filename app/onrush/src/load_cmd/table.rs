//! A report for people.

use std::fmt::Write as _;

use load::{Pace, Plan, Report, Spacing, Validity};

/// The report in some ten lines.
pub(crate) fn text(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(report, &mut text);
    text
}

fn write(report: &Report, out: &mut String) -> std::fmt::Result {
    let Report { plan, latency_us: latency, generator, .. } = report;
    let ms = |micros: f64| micros / 1e3;
    writeln!(out, "{}\n", plan_text(plan))?;
    writeln!(
        out,
        "requests   {} in {:.1} s: {} answered, {} failed; {:.1} answers/s",
        report.sent,
        report.measured_s,
        report.answered,
        report.errors.sum(),
        report.requests_per_second,
    )?;
    writeln!(out, "statuses   {}", list(&report.statuses.iter().map(|(s, n)| (*s, *n)).collect::<Vec<_>>()))?;
    let errors = report.errors.by_name();
    writeln!(
        out,
        "failed     {}",
        list(&errors.into_iter().filter(|(_, count)| *count > 0).collect::<Vec<_>>())
    )?;
    let from = if plan.pace == Pace::Closed { "from sending" } else { "from the intended send time" };
    writeln!(
        out,
        "latency    p50 {:.2} ms, p90 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, max {:.2} ms, {from}",
        ms(latency.p50),
        ms(latency.p90),
        ms(latency.p99),
        ms(latency.p999),
        ms(latency.max),
    )?;
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let (sent, received) = (megabytes(report.bytes_sent), megabytes(report.bytes_received));
    writeln!(out, "bytes      {sent:.1} MB sent, {received:.1} MB received")?;
    write!(out, "generator  {:.0} % of a core", generator.cpu_share * 100.0)?;
    if let Some(lag) = generator.lag_us {
        write!(
            out,
            "; late by p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
            ms(lag.p50),
            ms(lag.p99),
            ms(lag.max)
        )?;
        write!(out, "; {} waited for a connection, {} at once", report.queued, report.queue_len_peak)?;
    }
    writeln!(out, "\n")?;
    if generator.is_limit {
        writeln!(
            out,
            "The generator was at its limit: the server may be faster. Take more --threads, on other cores."
        )?;
    }
    match &report.validity {
        Validity::Valid => writeln!(out, "valid"),
        Validity::Invalid { reasons } => {
            writeln!(out, "INVALID: these are not the server's figures")?;
            reasons.iter().try_for_each(|reason| writeln!(out, "  {reason}"))
        }
    }
}

fn plan_text(plan: &Plan) -> String {
    let pace = match plan.pace {
        Pace::Closed => "closed loop".to_owned(),
        Pace::Open { rate_per_second, spacing: Spacing::Constant, .. } => {
            format!("{rate_per_second} requests/s at equal gaps")
        }
        Pace::Open { rate_per_second, spacing: Spacing::Poisson, seed } => {
            format!("{rate_per_second} requests/s as people come (seed {seed})")
        }
    };
    let kept = if plan.new_connections {
        "connections at a time, a new one for each request"
    } else {
        "connections"
    };
    let (connections, threads) = (plan.connection_count, plan.thread_count);
    let plural = if threads == 1 { "thread" } else { "threads" };
    let awake = if plan.awake { ", awake" } else { "" };
    format!("{pace} to {} over {connections} {kept}, {threads} {plural}{awake}", plan.target)
}

fn list<N: std::fmt::Display>(counts: &[(N, u64)]) -> String {
    let parts: Vec<String> = counts.iter().map(|(name, count)| format!("{name}: {count}")).collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}
