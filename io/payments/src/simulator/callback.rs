//! Calling back: when the time has come, signed, and again while nobody listens.
//!
//! Every charge that waits is one sleeping task; the book bounds how many there are, the caller how many send.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::UnixMs;
use http::header::HeaderName;
use http::{Method, StatusCode, Uri};
use tokio::sync::watch;

use super::SimulatorConfig;
use super::book::Book;
use super::outcome::Outcome;
use super::wire::{CallbackBody, CallbackResult, ChargeAnswer};
use crate::caller::{Call, CallError, Caller};
use crate::provider::ChargeStatus;
use crate::signature::{SIGNATURE_HEADER, Signer};

const CALL_TIMEOUT: Duration = Duration::from_secs(5);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Sends callbacks.
pub(crate) struct Callbacks {
    post: Post,
    book: Arc<Mutex<Book>>,
    stopped: watch::Receiver<()>,
}

impl Callbacks {
    pub(crate) fn new(
        config: &SimulatorConfig,
        book: Arc<Mutex<Book>>,
        stopped: watch::Receiver<()>,
    ) -> Callbacks {
        let post = Post {
            caller: Caller::new(config.connection_count_max, CALL_TIMEOUT),
            signer: config.signer.clone(),
            attempt_count_max: config.callback_attempt_count_max,
            pause_first: Duration::from_millis(config.callback_pause_ms),
        };
        Callbacks { post, book, stopped }
    }

    /// Lets the charge's fate come true.
    pub(crate) fn schedule(&self, charge: &ChargeAnswer, outcome: Outcome, uri: Uri) {
        let Some(result) = outcome.result else {
            self.book.lock().expect("nothing panics under the lock").finish(&charge.payment);
            return;
        };
        let body = CallbackBody {
            payment: charge.payment.clone(),
            order: charge.order.clone(),
            amount: charge.amount,
            currency: charge.currency.clone(),
            result,
        };
        let fate = run(self.post.clone(), Arc::clone(&self.book), Fate { body, outcome, uri });
        let mut stopped = self.stopped.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = fate => {}
                _ = stopped.changed() => {}
            }
        });
    }
}

struct Fate {
    body: CallbackBody,
    outcome: Outcome,
    uri: Uri,
}

async fn run(post: Post, book: Arc<Mutex<Book>>, fate: Fate) {
    let Fate { body, outcome, uri } = fate;
    tokio::time::sleep(outcome.delay).await;
    let status = match body.result {
        CallbackResult::Succeeded => ChargeStatus::Succeeded,
        CallbackResult::Failed => ChargeStatus::Failed,
    };
    book.lock().expect("nothing panics under the lock").settle(&body.payment, status);
    post.deliver(&body, &uri).await;
    if outcome.twice {
        tokio::time::sleep(outcome.delay).await;
        post.deliver(&body, &uri).await;
    }
    book.lock().expect("nothing panics under the lock").finish(&body.payment);
}

#[derive(Clone)]
struct Post {
    caller: Caller,
    signer: Signer,
    attempt_count_max: u32,
    pause_first: Duration,
}

impl Post {
    async fn deliver(&self, callback: &CallbackBody, uri: &Uri) {
        let body = serde_json::to_vec(callback).expect("a plain struct with text keys");
        let payment = callback.payment.as_str();
        for attempt in 1..=self.attempt_count_max {
            match self.send(&body, uri).await {
                Ok(status) if status.is_success() => return,
                Ok(status) if !is_worth_a_retry(status) => {
                    tracing::warn!(payment, %status, "the callback was refused");
                    return;
                }
                Ok(status) => tracing::debug!(payment, attempt, %status, "the callback was not taken"),
                Err(error) => tracing::debug!(payment, attempt, ?error, "the callback did not arrive"),
            }
            tokio::time::sleep(pause(self.pause_first, attempt)).await;
        }
        tracing::warn!(payment, attempts = self.attempt_count_max, "the callback is given up");
    }

    async fn send(&self, body: &[u8], uri: &Uri) -> Result<StatusCode, CallError> {
        let signature = self.signer.sign(body, now());
        let header = Some((HeaderName::from_static(SIGNATURE_HEADER), signature));
        let call = Call { method: Method::POST, uri: uri.clone(), header, body: body.to_vec() };
        Ok(self.caller.call(call).await?.0)
    }
}

fn is_worth_a_retry(status: StatusCode) -> bool {
    let busy = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    status.is_server_error() || busy.contains(&status)
}

/// The pause after the `attempt`-th failed try: doubles each time, up to a bound.
fn pause(first: Duration, attempt: u32) -> Duration {
    let doublings = (attempt - 1).min(16);
    (first * 2_u32.pow(doublings)).min(PAUSE_MAX)
}

/// The simulator stands for a system of somebody else's, so it has a clock of its own.
fn now() -> UnixMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMs(u64::try_from(since.as_millis()).expect("milliseconds fit for 500 million years"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pause_doubles_up_to_its_bound() {
        let first = Duration::from_millis(100);
        let pauses: Vec<u128> = (1..=8).map(|attempt| pause(first, attempt).as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        assert_eq!(pause(first, u32::MAX), PAUSE_MAX);
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        for (status, again) in
            [(500, true), (503, true), (429, true), (408, true), (400, false), (404, false)]
        {
            assert_eq!(is_worth_a_retry(StatusCode::from_u16(status).unwrap()), again, "{status}");
        }
    }
}
