//! The load: Onrush's own generator (`io/load`), one thread of this process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use load::{Pace, Plan, Spacing, Validity, Watch};
use rustix::process::{getpriority_process, setpriority_process};

use crate::arm::{Shape, item};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Buyers' tokens. When a run uses up all of them, it begins with the first again.
pub(crate) struct Tokens {
    text: String,
    /// Where each line begins and ends.
    lines: Vec<(usize, usize)>,
}

/// Requests of one kind, over so many connections.
pub(crate) struct Load {
    shape: Shape,
    /// The bytes up to the token, and those behind the key for each item.
    before: String,
    afters: Vec<String>,
    connections: u32,
}

/// How one run of a load differs from another.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) duration: Duration,
    pub(crate) tokens: &'a Tokens,
    /// Every idempotency key begins with it.
    pub(crate) key_prefix: &'a str,
    /// Arrivals a second; `None`: each connection sends when it was answered.
    pub(crate) rate: Option<u32>,
    /// The number of the first request, which says whose it is: runs on one server go on with further buyers.
    pub(crate) first: u64,
    /// Ends the run after so many requests, if that is earlier.
    pub(crate) count: Option<u64>,
}

/// What the generator saw.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Requests with a whole answer; the run ends with the last of them.
    pub(crate) completed: u64,
    /// Answers by status.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Requests without an answer: what they asked for may have happened.
    pub(crate) errors: u64,
    pub(crate) requests_per_second: f64,
    /// From the intended send time.
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) p999_us: f64,
    /// The part of a core that the generator used.
    pub(crate) generator_load: f64,
    pub(crate) is_generator_the_limit: bool,
    /// Why the figures are the generator's and not the server's.
    pub(crate) invalid: Option<String>,
}

impl Tokens {
    /// Reads a file with one token in each line.
    ///
    /// # Errors
    /// When it cannot be read, or is empty.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Tokens> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Tokens::of(text).with_context(|| format!("{} has no tokens", path.display()))
    }

    fn of(text: String) -> Option<Tokens> {
        let mut lines = Vec::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            lines.push((start, start + line.trim_end().len()));
            start += line.len();
        }
        (!lines.is_empty()).then_some(Tokens { text, lines })
    }

    /// The token of that number, counted from 0 and round and round.
    pub(crate) fn get(&self, number: usize) -> &str {
        let (start, end) = self.lines[number % self.lines.len()];
        &self.text[start..end]
    }
}

impl Load {
    pub(crate) fn new(shape: Shape, connections: u32) -> Load {
        let (before, after) = shape.around();
        let afters = (0..shape.items).map(|number| after.replace(&item(0), &item(number))).collect();
        Load { shape, before, afters, connections }
    }

    /// What is sent.
    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Runs it once, until the last request has its answer.
    ///
    /// # Errors
    /// When the server cannot be reached, or answers in a way that cannot be measured.
    pub(crate) fn run(&self, address: SocketAddr, part: Part<'_>) -> anyhow::Result<Seen> {
        let pace = match part.rate {
            None => Pace::Closed,
            Some(rate_per_second) => Pace::Open { rate_per_second, spacing: Spacing::Poisson, seed: 1 },
        };
        let plan = Plan {
            pace,
            connection_count: usize::try_from(self.connections)?,
            warm_up: Duration::ZERO,
            duration: part.duration,
            timeout: TIMEOUT,
            request_count_max: part.count,
            ..Plan::closed(address)
        };
        let _priority = part.rate.map(|_open| Priority::raise());
        let report = load::run(&plan, &Watch::default(), |share| {
            let mut numbers = share.numbers();
            move |out: &mut Vec<u8>| self.write(part.first + numbers.next().unwrap_or_default(), part, out)
        })?;
        let invalid = match &report.validity {
            Validity::Valid => None,
            Validity::Invalid { reasons } => {
                Some(reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
            }
        };
        let all = &report.whole_run;
        Ok(Seen {
            completed: all.answered,
            statuses: all.statuses.clone(),
            errors: all.errors.sum() + all.dropped,
            requests_per_second: report.requests_per_second,
            p50_us: report.latency_us.p50,
            p99_us: report.latency_us.p99,
            p999_us: report.latency_us.p999,
            generator_load: report.generator.cpu_share,
            is_generator_the_limit: report.generator.is_limit,
            invalid,
        })
    }

    fn write(&self, number: u64, part: Part<'_>, out: &mut Vec<u8>) {
        use std::io::Write as _;
        let index = usize::try_from(number).unwrap_or(0);
        out.extend_from_slice(self.before.as_bytes());
        out.extend_from_slice(part.tokens.get(index).as_bytes());
        let (field, prefix) = (Shape::KEY_FIELD, part.key_prefix);
        write!(out, "{field}{prefix}{number}").expect("memory takes everything");
        out.extend_from_slice(self.afters[index % self.afters.len()].as_bytes());
    }
}

/// In an open loop the generator goes before the server on their common cores, or it would send late whenever the
/// server works. Ends with this value; without the right to it nothing changes, and the generator says if it was late.
struct Priority {
    before: Option<i32>,
}

impl Priority {
    const NICE: i32 = -5;

    /// For this thread, and those that it starts from now on.
    fn raise() -> Priority {
        let before = getpriority_process(None).ok();
        Priority { before: before.filter(|_| setpriority_process(None, Priority::NICE).is_ok()) }
    }
}

impl Drop for Priority {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            // Going back to what everybody has needs no right.
            let _ = setpriority_process(None, before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::Arm;

    #[test]
    fn buyers_and_items_go_round() {
        let tokens = Tokens::of("a\nb\n".to_owned()).unwrap();
        assert_eq!([0, 1, 2].map(|number| tokens.get(number)), ["a", "b", "a"]);
        let load = Load::new(Arm::Order1000Items.shape().unwrap(), 1);
        let part = Part {
            duration: Duration::ZERO,
            tokens: &tokens,
            key_prefix: "k-",
            rate: None,
            first: 0,
            count: None,
        };
        let written = |number| {
            let mut out = Vec::new();
            load.write(number, part, &mut out);
            String::from_utf8(out).unwrap()
        };
        let (first, last) = (written(0), written(1_001));
        assert_eq!(first, load.shape().request("a", "k-0"));
        assert!(last.contains("Bearer b\r\n") && last.contains("k-1001\r\n"), "{last}");
        assert!(last.contains("\"i0001\""), "{last}");
    }

    #[test]
    fn file_without_a_line_has_no_tokens() {
        assert!(Tokens::of(String::new()).is_none());
    }
}
