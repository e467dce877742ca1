//! The simulator's routes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use domain::Currency;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde::Serialize;
use tokio::sync::watch;

use super::SimulatorConfig;
use super::book::{Book, Entered};
use super::callback::Callbacks;
use super::outcome::Outcome;
use super::wire::{ChargeBody, ErrorBody};

const BODY_SIZE_BYTES_MAX: usize = 16 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

type Answer = Response<Full<Bytes>>;

/// Answers requests.
pub(crate) struct Desk {
    config: SimulatorConfig,
    book: Arc<Mutex<Book>>,
    callbacks: Callbacks,
}

impl Desk {
    pub(crate) fn new(config: SimulatorConfig, stopped: watch::Receiver<()>) -> Desk {
        let book = Arc::new(Mutex::new(Book::new(config.charge_count_max)));
        Desk { callbacks: Callbacks::new(&config, Arc::clone(&book), stopped), book, config }
    }

    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Answer {
        let path = request.uri().path().to_owned();
        let payment = path.strip_prefix("/charges/");
        match (request.method(), path.as_str(), payment) {
            (&Method::POST, "/charges", _) => self.post_charge(request.into_body()).await,
            (&Method::GET, _, Some(payment)) => self.get_charge(payment),
            (_, "/charges", _) => not_allowed("POST"),
            (_, _, Some(_)) => not_allowed("GET"),
            _ => refuse(StatusCode::NOT_FOUND, "there are /charges and /charges/{payment}"),
        }
    }

    fn get_charge(&self, payment: &str) -> Answer {
        match self.book.lock().expect("nothing panics under the lock").get(payment) {
            Some(charge) => json(StatusCode::OK, &charge),
            None => refuse(StatusCode::NOT_FOUND, "there is no such payment"),
        }
    }

    async fn post_charge(&self, body: Incoming) -> Answer {
        let read = Limited::new(body, BODY_SIZE_BYTES_MAX).collect();
        let body = match tokio::time::timeout(BODY_TIMEOUT, read).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(_)) => return refuse(StatusCode::PAYLOAD_TOO_LARGE, "the body is cut or over 16 KiB"),
            Err(_) => return refuse(StatusCode::REQUEST_TIMEOUT, "the body did not come within 5 s"),
        };
        let charge: ChargeBody = match serde_json::from_slice(&body) {
            Ok(charge) => charge,
            Err(error) => return refuse(StatusCode::BAD_REQUEST, &error.to_string()),
        };
        match check(&charge) {
            Ok(callback_uri) => self.enter(charge, callback_uri),
            Err(detail) => refuse(StatusCode::UNPROCESSABLE_ENTITY, detail),
        }
    }

    fn enter(&self, charge: ChargeBody, callback_uri: Uri) -> Answer {
        let outcome = Outcome::draw(&self.config, &charge);
        let entered =
            self.book.lock().expect("nothing panics under the lock").enter(&outcome.payment, charge);
        match entered {
            Entered::New(answer) => {
                self.callbacks.schedule(&answer, outcome, callback_uri);
                json(StatusCode::CREATED, &answer)
            }
            Entered::Known(answer) => json(StatusCode::OK, &answer),
            Entered::KeyReused => refuse(StatusCode::CONFLICT, "the idempotency key names another charge"),
            Entered::Full => {
                let mut answer = refuse(StatusCode::SERVICE_UNAVAILABLE, "too many charges wait");
                answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
                answer
            }
        }
    }
}

/// The callback's address, when everything about the charge can be.
fn check(charge: &ChargeBody) -> Result<Uri, &'static str> {
    if charge.order.is_empty() || charge.idempotency_key.is_empty() {
        return Err("order and idempotency_key must not be empty");
    }
    if Currency::new(&charge.currency).is_none() {
        return Err("currency must be three capital letters");
    }
    let uri: Uri = charge.callback_url.parse().map_err(|_| "callback_url is not an address")?;
    match (uri.scheme_str(), uri.authority()) {
        (Some("http"), Some(_)) => Ok(uri),
        _ => Err("callback_url must be an http:// address: the simulator speaks no TLS"),
    }
}

fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    let body = serde_json::to_vec(body).expect("plain structs with text keys");
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

fn refuse(status: StatusCode, detail: &str) -> Answer {
    json(status, &ErrorBody { error: detail.to_owned() })
}

fn not_allowed(method: &'static str) -> Answer {
    let mut answer = refuse(StatusCode::METHOD_NOT_ALLOWED, "not with this method");
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(method));
    answer
}
