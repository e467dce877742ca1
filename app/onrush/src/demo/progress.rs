//! What one sees while the crowd is in: a live picture on a terminal, plain lines elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::ledger::Ledger;
use super::wire::StockAnswer;

const LIVE_PAUSE: Duration = Duration::from_millis(250);
const PLAIN_PAUSE: Duration = Duration::from_secs(2);

/// What is shown.
pub(crate) struct Scene {
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    pub(crate) page: watch::Receiver<StockAnswer>,
    pub(crate) units: u32,
    pub(crate) buyers: u32,
    pub(crate) opening: Instant,
}

/// Shows the scene from a thread of its own until it is stopped.
pub(crate) struct Progress {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Progress {
    pub(crate) fn start(scene: Scene) -> std::io::Result<Progress> {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = thread::Builder::new().name("demo-progress".to_owned()).spawn(move || {
            if std::io::stderr().is_terminal() { live(&scene, &over) } else { plain(&scene, &over) }
        })?;
        Ok(Progress { is_over, thread })
    }

    pub(crate) fn stop(self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
        // It only draws: a panic in it is no reason to fail.
        let _ = self.thread.join();
    }
}

fn live(scene: &Scene, over: &AtomicBool) {
    let bar = ProgressBar::with_draw_target(Some(u64::from(scene.units)), ProgressDrawTarget::stderr());
    let template = "{elapsed_precise}  paid {bar:40} {pos}/{len}\n{msg}";
    bar.set_style(ProgressStyle::with_template(template).expect("the template is legal"));
    while !over.load(Ordering::Relaxed) {
        bar.set_position(u64::from(scene.page.borrow().sum(|item| item.paid)));
        bar.set_message(scene.lines().join("\n"));
        thread::park_timeout(LIVE_PAUSE);
    }
    bar.finish_and_clear();
}

fn plain(scene: &Scene, over: &AtomicBool) {
    loop {
        thread::park_timeout(PLAIN_PAUSE);
        if over.load(Ordering::Relaxed) {
            return;
        }
        let seconds = scene.opening.elapsed().as_secs();
        // Nobody may be reading any more; the demo goes on.
        let _ = writeln!(std::io::stderr(), "{seconds:>4} s  {}", scene.lines().join("  "));
    }
}

impl Scene {
    fn lines(&self) -> Vec<String> {
        let (free, held, paid) = {
            let page = self.page.borrow();
            (page.sum(|item| item.free), page.sum(|item| item.held), page.sum(|item| item.paid))
        };
        let ledger = self.ledger.lock();
        let (counts, latency, refused) = (ledger.counts, ledger.latency(), ledger.refused.clone());
        let acknowledged = ledger.orders.len();
        drop(ledger);
        let refused: Vec<String> = refused.iter().map(|(code, count)| format!("{code} {count}")).collect();
        let refused = if refused.is_empty() { "nobody".to_owned() } else { refused.join(", ") };
        vec![
            format!("arrived {} of {}, came back {}", counts.arrived, self.buyers, counts.came_back),
            format!("orders {acknowledged}; units: {free} left, {held} held, {paid} paid"),
            format!("refused {refused}"),
            format!("p50 {:.2} ms, p99 {:.2} ms", latency.p50, latency.p99),
        ]
    }
}
