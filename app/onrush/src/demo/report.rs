//! The end of a demo: for people on the terminal, for programs as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::ledger::Latency;

/// What came of a demo. The fields are kept from version to version; new ones may come.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Whether every check held.
    pub(crate) ok: bool,
    pub(crate) seed: u64,
    pub(crate) sale: String,
    /// Units in the sale, by the journal.
    pub(crate) stock: u64,
    /// Units paid, by the journal.
    pub(crate) paid: u64,
    /// Units held or paid beyond the stock.
    pub(crate) oversold: u64,
    /// Units that are not paid though buyers were waiting for them.
    pub(crate) stranded: u64,
    pub(crate) buyers: u64,
    pub(crate) gave_up: u64,
    pub(crate) orders_acknowledged: u64,
    pub(crate) orders_in_journal: u64,
    /// Acknowledged, but not in the journal.
    pub(crate) orders_lost: u64,
    /// Orders by the state in which the clients saw them last.
    pub(crate) orders_by_state: BTreeMap<String, u64>,
    pub(crate) keys_clicked_twice: u64,
    pub(crate) keys_with_two_outcomes: u64,
    /// Answers "no" to order requests, by their code.
    pub(crate) refused: BTreeMap<String, u64>,
    pub(crate) order_requests: u64,
    pub(crate) put_off: u64,
    pub(crate) unanswered: u64,
    /// From the opening to the last acknowledged order.
    pub(crate) selling_seconds: f64,
    /// Acknowledged orders, over `selling_seconds`: as many as the stock allowed, not as many as the server can.
    pub(crate) orders_per_second: f64,
    /// Acknowledged orders in the busiest second.
    pub(crate) orders_per_second_peak: u64,
    /// Answered order requests, sold or refused, over `selling_seconds`.
    pub(crate) order_requests_per_second: f64,
    /// Of order requests, from the instant at which they were meant to be sent.
    pub(crate) latency_ms: Latency,
    pub(crate) journal_records: u64,
    pub(crate) checks: Vec<Check>,
}

/// Something that must hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) ok: bool,
    pub(crate) detail: String,
}

impl Check {
    pub(crate) fn new(name: &'static str, ok: bool, detail: impl Into<String>) -> Check {
        Check { name, ok, detail: detail.into() }
    }
}

impl Report {
    /// The report for people.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_figures(&mut text);
        for check in &self.checks {
            let mark = if check.ok { "ok  " } else { "FAIL" };
            let _ = writeln!(text, "  {mark} {:<34} {}", check.name, check.detail);
        }
        let failed = self.checks.iter().filter(|check| !check.ok).count();
        let _ = match failed {
            0 => writeln!(text, "\nAll {} checks held.", self.checks.len()),
            failed => writeln!(text, "\n{failed} of {} checks FAILED.", self.checks.len()),
        };
        text
    }

    fn write_figures(&self, text: &mut String) -> std::fmt::Result {
        let latency = self.latency_ms;
        writeln!(
            text,
            "\n{} of {} units paid, {} oversold, {} stranded",
            self.paid, self.stock, self.oversold, self.stranded
        )?;
        writeln!(
            text,
            "orders    {} acknowledged, {} in the journal, {} lost; {}",
            self.orders_acknowledged,
            self.orders_in_journal,
            self.orders_lost,
            list(&self.orders_by_state),
        )?;
        writeln!(
            text,
            "keys      {} clicked twice at once, {} with two outcomes",
            self.keys_clicked_twice, self.keys_with_two_outcomes
        )?;
        writeln!(
            text,
            "refused   {}; {} put off, {} unanswered",
            list(&self.refused),
            self.put_off,
            self.unanswered
        )?;
        writeln!(
            text,
            "rate      {:.0} order requests/s answered, {:.0} orders/s (busiest second {}), selling for {:.1} s",
            self.order_requests_per_second,
            self.orders_per_second,
            self.orders_per_second_peak,
            self.selling_seconds,
        )?;
        writeln!(
            text,
            "latency   p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, max {:.2} ms from the intended send time",
            latency.p50, latency.p99, latency.p999, latency.max
        )?;
        writeln!(text, "seed      {}\n", self.seed)
    }
}

fn list(counts: &BTreeMap<String, u64>) -> String {
    let parts: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}
