//! Lets the crowd in: one thread with its own runtime, apart from the server's threads, sends everything.
//! Arrivals are open: nobody waits for somebody else's answer, so a slow server meets the same rush.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::clock::Clock;
use super::house::CALLBACK_MAX;
use super::ledger::Ledger;
use super::plan::{EARLY_MAX, Plan};
use super::visit::{buyer_name, visit};
use super::wire::{OrderAnswer, StockAnswer};
use crate::client::{Ask, Client};
use crate::token::Issuer;

/// How often the stock is looked at, as a page would.
const LOOK_PAUSE: Duration = Duration::from_millis(100);
/// Connections of the crowd, opened before the sale is: what is measured is the server, not the handshakes.
const CONNECTION_COUNT_MAX: usize = 128;

/// Everything that buyers share.
pub(crate) struct Crowd {
    pub(crate) client: Client,
    pub(crate) clock: Clock,
    pub(crate) issuer: Issuer,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    pub(crate) offer: Offer,
    /// The stock as the page shows it.
    pub(crate) page: watch::Receiver<StockAnswer>,
    /// True once nobody needs to wait any more.
    pub(crate) closing: watch::Receiver<bool>,
    waiting: AtomicU32,
    waiting_max: u32,
}

/// The sale that the crowd came for.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) sale: String,
    pub(crate) items: Vec<OfferItem>,
    pub(crate) units: u32,
    pub(crate) hold: Duration,
    pub(crate) opening: Instant,
}

/// One price tier.
#[derive(Clone, Debug)]
pub(crate) struct OfferItem {
    pub(crate) code: String,
    pub(crate) stock: u32,
    pub(crate) quantity_max: u16,
}

/// What to let in, and where.
pub(crate) struct Entrance {
    pub(crate) url: String,
    pub(crate) issuer: Issuer,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    pub(crate) offer: Offer,
    pub(crate) plan: Plan,
    /// The page's stock is published here, for the progress display.
    pub(crate) page: watch::Sender<StockAnswer>,
    /// After so long from the opening it ends, sold out or not.
    pub(crate) time_limit: Duration,
}

impl Crowd {
    /// Waits until `at`. False when nobody needs to wait any more.
    pub(crate) async fn wait_until(&self, at: Instant) -> bool {
        let mut closing = self.closing.clone();
        tokio::select! {
            () = self.clock.at(at) => !*self.closing.borrow(),
            _ = closing.wait_for(|closing| *closing) => false,
        }
    }

    /// Whether one more may wait for units that come back. Twice as many as there are units are enough to buy
    /// them all; without a bound the whole crowd would knock until the end.
    pub(crate) fn may_wait(&self) -> bool {
        let room = |waiting: u32| (waiting < self.waiting_max).then_some(waiting + 1);
        self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_ok()
    }
}

/// Lets the crowd in and returns when all units are paid and everybody has gone, or the time is over.
///
/// # Errors
/// When the threads or the connections cannot be had.
pub(crate) fn run(entrance: Entrance) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("the crowd's runtime could not start")?;
    let client = Client::new(&entrance.url, CONNECTION_COUNT_MAX)?;
    let clock = Clock::start().context("the crowd's clock could not start")?;
    let (close, closing) = watch::channel(false);
    let Entrance { issuer, ledger, offer, plan, page, time_limit, .. } = entrance;
    let waiting_max = offer.units.saturating_mul(2).max(64);
    let crowd = Crowd {
        client,
        clock,
        issuer,
        ledger,
        page: page.subscribe(),
        closing,
        waiting: AtomicU32::new(0),
        waiting_max,
        offer,
    };
    runtime.block_on(let_in(Arc::new(crowd), plan, Stage { page, close, time_limit }))
}

struct Stage {
    page: watch::Sender<StockAnswer>,
    close: watch::Sender<bool>,
    time_limit: Duration,
}

async fn let_in(crowd: Arc<Crowd>, plan: Plan, stage: Stage) -> anyhow::Result<()> {
    let end = crowd.offer.opening + plan.duration() + stage.time_limit;
    let looking = tokio::spawn(watch_stock(Arc::clone(&crowd), stage.page, end));
    crowd.client.warm_up(CONNECTION_COUNT_MAX).await?;
    let start = crowd.offer.opening.checked_sub(EARLY_MAX).context("the clock begins too late")?;
    let mut visits = JoinSet::new();
    for (number, visitor) in (0..).zip(plan.visitors) {
        let at = start + visitor.arrives_after;
        crowd.clock.at(at).await;
        visits.spawn(visit(Arc::clone(&crowd), number, visitor, at));
        while visits.try_join_next().is_some() {}
    }
    let page = looking.await.context("the look at the stock panicked")?;
    stage.close.send_replace(true);
    while let Some(visit) = visits.join_next().await {
        visit.context("a buyer panicked")?;
    }
    settle(&crowd).await;
    look(&crowd, &page).await;
    Ok(())
}

/// Publishes the stock until all of it is paid, or `end`.
async fn watch_stock(
    crowd: Arc<Crowd>,
    page: watch::Sender<StockAnswer>,
    end: Instant,
) -> watch::Sender<StockAnswer> {
    while Instant::now() < end {
        look(&crowd, &page).await;
        let all_paid = {
            let stock = page.borrow();
            !stock.items.is_empty() && stock.sum(|item| item.stock) == stock.sum(|item| item.paid)
        };
        if all_paid {
            break;
        }
        crowd.clock.at(Instant::now() + LOOK_PAUSE).await;
    }
    page
}

/// Publishes the stock.
async fn look(crowd: &Crowd, page: &watch::Sender<StockAnswer>) {
    let path = format!("/v1/sales/{}/stock", crowd.offer.sale);
    match crowd.client.ask(&Ask::get(&path)).await.and_then(|reply| reply.json::<StockAnswer>()) {
        Ok(stock) => {
            page.send_replace(stock);
        }
        Err(_) => crowd.ledger.lock().fault("the stock could not be read"),
    }
}

/// Asks once more for every order whose end the clients have not seen, when the last late payment must have
/// arrived, so that ledger and journal speak of the same instant.
async fn settle(crowd: &Crowd) {
    crowd.clock.at(Instant::now() + CALLBACK_MAX).await;
    let open: Vec<(String, u32)> = {
        let ledger = crowd.ledger.lock();
        ledger.orders.iter().map(|(code, entry)| (code.clone(), entry.key.buyer)).collect()
    };
    for (code, buyer) in open {
        let token = crowd.issuer.issue(&buyer_name(buyer));
        let path = format!("/v1/orders/{code}");
        let reply = crowd.client.ask(&Ask { bearer: Some(&token), ..Ask::get(&path) }).await;
        let mut ledger = crowd.ledger.lock();
        match reply.and_then(|reply| reply.json::<OrderAnswer>()) {
            Ok(answer) => ledger.seen(&answer),
            Err(_) => ledger.fault("an acknowledged order could not be read"),
        }
    }
}
