//! What one sees while the load runs: a bar on a terminal, plain lines elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use load::{Plan, Watch};

const LIVE_PAUSE: Duration = Duration::from_millis(500);
const PLAIN_PAUSE: Duration = Duration::from_secs(5);

/// Does something while its progress is shown on stderr.
pub(crate) fn show<T>(plan: &Plan, work: impl FnOnce(&Watch) -> T) -> T {
    let (watch, is_over) = (Watch::default(), AtomicBool::new(false));
    thread::scope(|scope| {
        let display = scope.spawn(|| {
            if std::io::stderr().is_terminal() {
                live(plan, &watch, &is_over)
            } else {
                plain(&watch, &is_over)
            }
        });
        let done = work(&watch);
        is_over.store(true, Ordering::Relaxed);
        display.thread().unpark();
        done
    })
}

fn live(plan: &Plan, watch: &Watch, is_over: &AtomicBool) {
    let whole = plan.warm_up + plan.duration;
    let bar = ProgressBar::with_draw_target(Some(whole.as_secs()), ProgressDrawTarget::stderr());
    let template = "{elapsed_precise} {bar:40} {pos}/{len} s  {msg}";
    bar.set_style(ProgressStyle::with_template(template).expect("the template is legal"));
    let mut rate = Rate::start();
    while !is_over.load(Ordering::Relaxed) {
        bar.set_position(bar.elapsed().min(whole).as_secs());
        bar.set_message(rate.line(watch));
        thread::park_timeout(LIVE_PAUSE);
    }
    bar.finish_and_clear();
}

fn plain(watch: &Watch, is_over: &AtomicBool) {
    let begun = Instant::now();
    let mut rate = Rate::start();
    loop {
        thread::park_timeout(PLAIN_PAUSE);
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        // Nobody may be reading any more; the load goes on.
        let _ = writeln!(std::io::stderr(), "{:>4} s  {}", begun.elapsed().as_secs(), rate.line(watch));
    }
}

/// Answers a second since the last look.
struct Rate {
    at: Instant,
    answered: u64,
}

impl Rate {
    fn start() -> Rate {
        Rate { at: Instant::now(), answered: 0 }
    }

    fn line(&mut self, watch: &Watch) -> String {
        let (now, answered, failed) = (Instant::now(), watch.answered(), watch.failed());
        let seconds = now.duration_since(self.at).as_secs_f64().max(1e-3);
        let rate = (answered - self.answered) as f64 / seconds;
        *self = Rate { at: now, answered };
        format!("{answered} answered, {failed} failed, {rate:.0}/s")
    }
}
