//! What an order costs when millions have bought already, beside what it costs when few have.

use anyhow::{Context as _, ensure};

use crate::arm::Arm;
use crate::figure::{Figure, Figures};
use crate::ledger;
use crate::load::{Load, Part, Seen, Tokens};
use crate::rush::REFUSED;
use crate::sample::Sample;
use crate::series::{Bench, check_answers};
use crate::stand::Stand;

const CONNECTIONS: u32 = 256;
const FEW: u32 = 100_000;
/// Buyers that the target speaks of.
pub(crate) const CROWD: u32 = 5_000_000;
/// Longer than selling to everybody takes: the number of orders ends it.
const FILL_SECONDS: u64 = 600;
/// So many of those that fill a server may be refused, of a thousand.
const REFUSED_PER_MILLE_MAX: u64 = 1;

/// A server that has sold already.
struct Filled<'a> {
    stand: Stand<'a>,
    /// What filled it: a minute in which the machine may stand still for long enough that some are refused.
    fill: Seen,
    /// Measured since.
    seen: Vec<Seen>,
}

/// `crowd.cost`: CPU per order when so many buyers bought before, by CPU per order after 100,000. Both servers are up
/// all the time, and under load by turns.
///
/// # Errors
/// When something cannot be started, or is wrong afterwards.
pub(crate) fn figures<'a>(bench: &Bench<'a>) -> anyhow::Result<Figures> {
    let many = bench.settings.crowd;
    let [tokens] = bench.site.tokens([("c", many)])?;
    let tokens = Tokens::read(&tokens)?;
    let shape = Arm::Order.shape().context("an order is asked for")?;
    let load = Load::new(shape, CONNECTIONS);
    let fill = |stand: Stand<'a>, count: u32| -> anyhow::Result<Filled<'a>> {
        let duration = std::time::Duration::from_secs(FILL_SECONDS);
        let part = Part {
            duration,
            tokens: &tokens,
            key_prefix: "fill-",
            rate: None,
            first: 0,
            count: Some(count.into()),
        };
        let fill = load.run(stand.address(), part)?;
        Ok(Filled { stand, fill, seen: Vec::new() })
    };
    let open = || Stand::open(bench.site, Arm::Order);
    let (apart, [to_few, to_many]) = bench.share_cores(|| Ok([open()?, open()?]))?;
    let (mut few, mut many) = (fill(to_few, FEW)?, fill(to_many, many)?);
    let mut costs = Vec::new();
    for number in 0..bench.settings.pairs {
        bench.wait_for_quiet()?;
        let (few_us, many_us) = if number % 2 == 0 {
            let [few_us, many_us] = measure(bench, &load, [&mut few, &mut many])?;
            (few_us, many_us)
        } else {
            let [many_us, few_us] = measure(bench, &load, [&mut many, &mut few])?;
            (few_us, many_us)
        };
        eprintln!("crowd pair {}: few {few_us:.2} µs  many {many_us:.2} µs", number + 1);
        costs.push(many_us / few_us);
    }
    drop(apart);
    let void: Vec<String> =
        [few, many].into_iter().filter_map(|filled| filled.close().err()).map(|e| format!("{e:#}")).collect();
    let note = format!("{} buyers before the first pair", bench.settings.crowd);
    let figure = Figure::of(costs).void(&void);
    let figure = if bench.settings.crowd < CROWD { figure.unfit(&note) } else { figure.note(&note) };
    Ok([("crowd.cost".to_owned(), figure)].into())
}

/// CPU per order of either, in microseconds, under load by turns.
fn measure(bench: &Bench<'_>, load: &Load, sides: [&mut Filled<'_>; 2]) -> anyhow::Result<[f64; 2]> {
    let [a, b] = sides;
    let part = |filled: &Filled<'_>| Part { first: filled.first(), ..bench.measured("measured-") };
    let measured = [(&a.stand, load, part(a)), (&b.stand, load, part(b))];
    let [(sample, seen), (other_sample, other_seen)] = Sample::of_both(measured)?;
    a.seen.push(seen);
    b.seen.push(other_seen);
    Ok([sample.cpu_us_per_request, other_sample.cpu_us_per_request])
}

impl Filled<'_> {
    /// The first buyer who is neither one of those that filled it nor one of the runs before.
    fn first(&self) -> u64 {
        self.seen.iter().map(|seen| seen.completed).sum()
    }

    fn close(self) -> anyhow::Result<()> {
        let Filled { stand, fill, seen } = self;
        check_fill(&fill)?;
        check_answers(Arm::Order, &seen.iter().collect::<Vec<_>>())?;
        let ledger = stand.close()?.context("orders are sold")?;
        let measured: u64 = seen.iter().map(|seen| seen.completed).sum();
        let sold = fill.count_of(Arm::Order.expected().status) + measured;
        ledger::check(Arm::Order, ledger, sold..=sold)
    }
}

/// Every request was answered, and nearly all were sold something.
fn check_fill(fill: &Seen) -> anyhow::Result<()> {
    let (sold, refused) = (fill.count_of(Arm::Order.expected().status), fill.count_of(REFUSED));
    ensure!(fill.errors == 0, "{} requests have no answer", fill.errors);
    ensure!(sold + refused == fill.completed, "answers that nobody expects: {:?}", fill.statuses);
    let refused_max = fill.completed * REFUSED_PER_MILLE_MAX / 1_000;
    ensure!(refused <= refused_max, "{refused} of {} were refused", fill.completed);
    Ok(())
}
