//! `onrush demo`: a real server, a real crowd over HTTP, and an auditor who compares what both sides say.
//!
//! [`plan`] decides from the seed who comes when; [`crowd`] lets them in over loopback connections and
//! [`visit`] is what each one does; [`ledger`] is what they were told. At the end [`replay`] applies the journal
//! on a fresh engine, [`audit`] compares, and any difference fails the demo. [`house`] is the server, with the payment simulator
//! and its signed callbacks.

mod args;
mod audit;
mod clock;
mod crowd;
mod hints;
mod house;
mod ledger;
mod plan;
mod progress;
mod replay;
mod report;
mod visit;
mod wire;

use std::io::Write as _;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use parking_lot::Mutex;
use tokio::sync::watch;

pub use args::DemoArgs;
use audit::Story;
use crowd::{Entrance, Offer};
use house::House;
use ledger::Ledger;
use plan::Plan;
use progress::{Progress, Scene};
use report::Report;
use wire::StockAnswer;

/// After the last arrival it may take so long until the last unit is paid, before the demo fails.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// Runs the demo. True when every check held.
///
/// # Errors
/// When it could not be run to its end: no server, no port, no folder.
pub fn run(args: &DemoArgs) -> anyhow::Result<bool> {
    ensure!(
        args.buyers >= args.units,
        "--buyers must be at least --units, or nobody is left to buy the last one"
    );
    let house = House::open(args)?;
    let (plan, issuer) = (Plan::draw(args), house.issuer()?);
    let offer = house.announce(args)?;
    say(&format!(
        "{} buyers for {} units of {} at {} (seed {}); holds of {} s, 30 % of payments fail",
        args.buyers,
        args.units,
        offer.sale,
        house.url,
        args.seed,
        offer.hold.as_secs(),
    ))?;
    let ledger = Arc::new(Mutex::new(Ledger::new(offer.opening)));
    let page = let_in(args, plan, &house, (&offer, &ledger))?;
    let report = report(args, &offer, &house, (&ledger.lock(), &page))?;
    say(&report.text())?;
    if let Some(file) = &args.json {
        let json = serde_json::to_string_pretty(&report)?;
        std::fs::write(file, json).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if !args.exit {
        house.give_time(&offer.sale)?;
        say(&hints::text(&house, &offer, &issuer))?;
        wait_for_signal()?;
    }
    house.close()?;
    Ok(report.ok)
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("nobody reads the output")
}

/// Lets the crowd in and shows it. Returns the page's last stock.
fn let_in(
    args: &DemoArgs,
    plan: Plan,
    house: &House,
    (offer, ledger): (&Offer, &Arc<Mutex<Ledger>>),
) -> anyhow::Result<StockAnswer> {
    let (page, shown) = watch::channel(StockAnswer::default());
    let entrance = Entrance {
        url: house.url.clone(),
        issuer: house.issuer()?,
        ledger: Arc::clone(ledger),
        offer: offer.clone(),
        plan,
        page,
        time_limit: TIME_LIMIT,
    };
    let scene = Scene {
        ledger: Arc::clone(ledger),
        page: shown.clone(),
        units: args.units,
        buyers: args.buyers,
        opening: offer.opening,
    };
    let progress = Progress::start(scene).context("no thread for the display")?;
    let crowd = thread::Builder::new().name("demo-crowd".to_owned()).spawn(move || crowd::run(entrance));
    let ended = crowd.context("no thread for the crowd")?.join();
    progress.stop();
    ended.map_err(|_| anyhow!("the crowd panicked"))??;
    let page = shown.borrow().clone();
    Ok(page)
}

fn report(
    args: &DemoArgs,
    offer: &Offer,
    house: &House,
    (ledger, page): (&Ledger, &StockAnswer),
) -> anyhow::Result<Report> {
    let (replay, journal) = replay::read(&house.journal()?, &offer.sale)?;
    let (units, counts) = (replay.units(), ledger.counts);
    let story = Story { units: args.units, ledger, page, replay: &replay };
    let mut checks = story.checks();
    checks.push(journal);
    let selling_seconds = ledger.selling_time().as_secs_f64();
    let per_second =
        |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / selling_seconds.max(0.001);
    let orders_acknowledged = u64::try_from(ledger.orders.len())?;
    let mut orders_by_state = std::collections::BTreeMap::new();
    for entry in ledger.orders.values() {
        *orders_by_state.entry(entry.state.clone()).or_default() += 1;
    }
    Ok(Report {
        ok: checks.iter().all(|check| check.ok),
        seed: args.seed,
        sale: offer.sale.clone(),
        stock: units.stock,
        paid: units.paid,
        oversold: (units.held + units.paid + units.withdrawn).saturating_sub(units.stock),
        stranded: units.stock.saturating_sub(units.paid + units.withdrawn),
        buyers: u64::from(args.buyers),
        gave_up: counts.gave_up,
        orders_acknowledged,
        orders_in_journal: u64::try_from(replay.orders.len())?,
        orders_lost: u64::try_from(story.lost_count())?,
        orders_by_state,
        keys_clicked_twice: counts.keys_clicked_twice,
        keys_with_two_outcomes: ledger.keys_with_two_outcomes(),
        refused: ledger.refused.clone(),
        order_requests: counts.order_requests,
        put_off: counts.put_off,
        unanswered: counts.unanswered,
        selling_seconds,
        orders_per_second: per_second(orders_acknowledged),
        orders_per_second_peak: ledger.orders_per_second_peak(),
        order_requests_per_second: per_second(counts.order_requests),
        latency_ms: ledger.latency(),
        journal_records: replay.record_count(),
        checks,
    })
}

fn wait_for_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupt = tokio::signal::ctrl_c() => interrupt?,
            _ = terminate.recv() => {}
        }
        Ok(())
    })
}
