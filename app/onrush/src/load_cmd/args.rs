//! `onrush load`: its flags.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use clap::{ArgGroup, Args, ValueEnum};
use load::{Pace, Plan};

use crate::settings::SettingsArgs;

/// Send many requests to a server and say what came of them: at a rate of their own, or as fast as it answers.
#[derive(Args, Clone, Debug)]
#[command(group(ArgGroup::new("pace").required(true).args(["rate", "closed"])))]
pub struct LoadArgs {
    /// Where to, http:// only; with --sale the server's address alone.
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// Requests a second, whatever the server does; latency counts from when each was meant to be sent.
    #[arg(long, value_name = "N")]
    pub rate: Option<u32>,
    /// Each connection sends as soon as it was answered: shows how much the server can do, not how long one waits.
    #[arg(long)]
    pub closed: bool,
    /// How long to measure, such as 30s or 2m.
    #[arg(long, value_name = "SPAN", default_value = "30s", value_parser = parse_span)]
    pub duration: Duration,
    /// How long to send before that; not measured.
    #[arg(long, value_name = "SPAN", default_value = "2s", value_parser = parse_span)]
    pub warm_up: Duration,
    /// End after so many requests, those of the warm-up included, if that is earlier.
    #[arg(long, value_name = "N")]
    pub requests: Option<u64>,
    /// Connections, at most 15000; with --closed, as many buyers.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub connections: usize,
    /// Make a new connection for each request.
    #[arg(long)]
    pub new_connections: bool,
    /// Threads that share connections and rate.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub threads: usize,
    /// Requests under way on one connection.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub pipeline: usize,
    /// How long an answer may take.
    #[arg(long, value_name = "SPAN", default_value = "10s", value_parser = parse_span)]
    pub timeout: Duration,
    /// Wait awake, with a core for each thread: a core that sleeps takes some time to wake, and that is in each latency.
    #[arg(long)]
    pub awake: bool,
    /// How requests are spread, with --rate.
    #[arg(long, value_enum, default_value_t = Spacing::Poisson)]
    pub spacing: Spacing,
    /// Decides about random spacing.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Write the report as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) any: AnyArgs,
    #[command(flatten)]
    pub(crate) orders: OrdersArgs,
}

/// Requests of any kind.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Requests of any kind")]
pub(crate) struct AnyArgs {
    /// GET, or POST with a body, unless said otherwise.
    #[arg(long, value_name = "WORD")]
    pub(crate) method: Option<String>,
    /// The body, JSON unless a header says otherwise; @FILE reads it from a file.
    #[arg(long, value_name = "TEXT|@FILE")]
    pub(crate) body: Option<String>,
    /// A header; may be given several times.
    #[arg(long, value_name = "NAME: VALUE")]
    pub(crate) header: Vec<String>,
}

/// Requests that are orders.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Orders")]
pub(crate) struct OrdersArgs {
    /// The sale; its buyers' tokens are signed with the secret of the data folder (--data) or of the configuration.
    #[arg(long, value_name = "SALE", requires = "item", conflicts_with_all = ["method", "body", "header"])]
    pub(crate) sale: Option<String>,
    /// The item that everybody wants.
    #[arg(long, value_name = "ITEM", requires = "sale")]
    pub(crate) item: Option<String>,
    /// Units in each order.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "sale")]
    pub(crate) quantity: u16,
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
}

/// As [`load::Spacing`], on the command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Spacing {
    /// At equal gaps.
    Constant,
    /// Each on its own, as people come.
    Poisson,
}

impl LoadArgs {
    /// What is to be done, to that address.
    ///
    /// # Errors
    /// When it cannot be done.
    pub(crate) fn plan(&self, target: SocketAddr) -> anyhow::Result<Plan> {
        let spacing = match self.spacing {
            Spacing::Constant => load::Spacing::Constant,
            Spacing::Poisson => load::Spacing::Poisson,
        };
        let open = |rate_per_second| Pace::Open { rate_per_second, spacing, seed: self.seed };
        let plan = Plan {
            pace: self.rate.map_or(Pace::Closed, open),
            connection_count: self.connections,
            new_connections: self.new_connections,
            pipeline_depth: self.pipeline,
            thread_count: self.threads,
            warm_up: self.warm_up,
            duration: self.duration,
            request_count_max: self.requests,
            timeout: self.timeout,
            awake: self.awake,
            ..Plan::closed(target)
        };
        if plan.request_count_max == Some(0) {
            bail!("--requests 0 would send nothing");
        }
        plan.check()?;
        Ok(plan)
    }
}

fn parse_span(text: &str) -> Result<Duration, String> {
    let span = text.parse::<jiff::SignedDuration>().ok().and_then(|span| Duration::try_from(span).ok());
    span.ok_or_else(|| "say it with its unit, such as 30s, 500ms or 2m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_units() {
        assert_eq!(parse_span("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_span("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_span("250ms"), Ok(Duration::from_millis(250)));
        for text in ["30", "-3s", "soon", ""] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }
}
