//! The load: Onrush's own generator (`io/load`), one thread of this process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use load::{
    CPU_SHARE_MAX, Clients, LoadError, Pace, Plan, Report, Requests, Share, Spacing, Validity, Watch,
};

use crate::arm::{Shape, item};
use crate::figure::Spread;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long one of two servers is under load at a time, at most.
const TURN: Duration = Duration::from_millis(250);
/// The part of a turn in which it gets into its stride: its answers are counted, but not for the rate and the latency.
const LEAD_PART: u32 = 10;

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
    /// Whether the generator keeps its core while it waits.
    is_awake: bool,
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
        Load { shape, before, afters, connections, is_awake: false }
    }

    /// The same by a generator that waits awake.
    pub(crate) fn awake(self) -> Load {
        Load { is_awake: true, ..self }
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
        let plan = self.plan(address, part)?;
        let report = load::run(&plan, &Watch::default(), |share| self.requests(share, part))?;
        Ok(Seen::of(&[report]))
    }

    fn plan(&self, address: SocketAddr, part: Part<'_>) -> anyhow::Result<Plan> {
        // Latency counts once the connections have been used.
        let (pace, warm_up) = match part.rate {
            None => (Pace::Closed, Duration::ZERO),
            Some(rate_per_second) => {
                let pace = Pace::Open { rate_per_second, spacing: Spacing::Poisson, seed: 1 };
                (pace, part.duration / LEAD_PART)
            }
        };
        Ok(Plan {
            pace,
            connection_count: usize::try_from(self.connections)?,
            warm_up,
            duration: part.duration - warm_up,
            timeout: TIMEOUT,
            request_count_max: part.count,
            awake: self.is_awake,
            ..Plan::closed(address)
        })
    }

    fn connect<'a>(
        &'a self,
        plan: &'a Plan,
        watch: &'a Watch,
        part: Part<'a>,
    ) -> Result<Clients<'a, impl Requests + Send + 'a>, LoadError> {
        Clients::connect(plan, watch, move |share| self.requests(share, part))
    }

    fn requests<'a>(&'a self, share: Share, part: Part<'a>) -> impl FnMut(&mut Vec<u8>) + Send + 'a {
        let mut numbers = share.numbers();
        move |out| self.write(part.first + numbers.next().unwrap_or_default(), part, out)
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

/// A server, and what it is asked.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) load: &'a Load,
    pub(crate) part: Part<'a>,
}

/// Puts two servers under load by turns of [`TURN`], A B B A, each over connections of its own, which stay open; a turn ends
/// with its last answer. Whatever changes more slowly than that falls on both alike.
///
/// # Errors
/// When a server cannot be reached, or answers in a way that cannot be measured.
pub(crate) fn by_turns(sides: [Side<'_>; 2]) -> anyhow::Result<[Seen; 2]> {
    let mut count = 0;
    while count < 2 || TURN * count < sides[0].part.duration {
        count += 2;
    }
    let plan = |Side { address, load, part }: Side<'_>| -> anyhow::Result<Plan> {
        let turn = part.duration / count;
        let lead = turn / LEAD_PART;
        Ok(Plan { warm_up: lead, duration: turn - lead, ..load.plan(address, part)? })
    };
    let plans = [plan(sides[0])?, plan(sides[1])?];
    let watch = Watch::default();
    let mut clients = [
        sides[0].load.connect(&plans[0], &watch, sides[0].part)?,
        sides[1].load.connect(&plans[1], &watch, sides[1].part)?,
    ];
    let mut reports = [Vec::new(), Vec::new()];
    for number in 0..count {
        for index in if number % 2 == 0 { [0, 1] } else { [1, 0] } {
            reports[index].push(clients[index].run()?);
        }
    }
    Ok(reports.map(|reports| Seen::of(&reports)))
}

impl Seen {
    /// How many answers had this status.
    pub(crate) fn count_of(&self, status: u16) -> u64 {
        self.statuses.get(&status).copied().unwrap_or(0)
    }

    /// What came of one run in several turns; latencies are the medians over the turns.
    fn of(turns: &[Report]) -> Seen {
        let sum = |value: fn(&Report) -> u64| turns.iter().map(value).sum();
        let seconds: f64 = turns.iter().map(|turn| turn.measured_s).sum();
        let in_time =
            |value: fn(&Report) -> f64| turns.iter().map(value).sum::<f64>() / seconds.max(f64::MIN_POSITIVE);
        let median = |value: fn(&Report) -> f64| Spread::of(turns.iter().map(value)).median;
        let mut statuses = BTreeMap::new();
        for (status, count) in turns.iter().flat_map(|turn| &turn.whole_run.statuses) {
            *statuses.entry(*status).or_default() += count;
        }
        let generator_load = in_time(|turn| turn.generator.cpu_s);
        let reason = |turn: &Report| match &turn.validity {
            Validity::Valid => None,
            Validity::Invalid { reasons } => {
                Some(reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
            }
        };
        Seen {
            completed: sum(|turn| turn.whole_run.answered),
            statuses,
            errors: sum(|turn| turn.whole_run.errors.sum() + turn.whole_run.dropped),
            requests_per_second: in_time(|turn| turn.requests_per_second * turn.measured_s),
            p50_us: median(|turn| turn.latency_us.p50),
            p99_us: median(|turn| turn.latency_us.p99),
            p999_us: median(|turn| turn.latency_us.p999),
            generator_load,
            is_generator_the_limit: turns.iter().all(|turn| turn.plan.pace == Pace::Closed)
                && generator_load > CPU_SHARE_MAX,
            // A median of the turns is the generator's when half of them are.
            invalid: turns.iter().filter_map(reason).nth(turns.len().saturating_sub(1) / 2),
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
