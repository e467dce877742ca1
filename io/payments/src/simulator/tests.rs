//! The simulator and its client against each other, over real sockets on loopback.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::http::{Method, Request, Response, StatusCode};
use bytes::Bytes;
use domain::{Amount, Currency, PaymentResult, UnixMs};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::sync::{mpsc, oneshot};

use super::*;
use crate::caller::{Call, Caller};
use crate::provider::{ChargeRequest, ChargeStatus, Provider, ProviderError};
use crate::signature::SIGNATURE_HEADER;

/// A callback as it came: the signature and the body.
type Received = (Vec<u8>, Bytes);

/// A receiver of callbacks that answers 503 to the first so many.
async fn receiver(failures: usize) -> (String, mpsc::UnboundedReceiver<Received>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/callback", listener.local_addr().unwrap());
    let (send, receive) = mpsc::unbounded_channel();
    let calls = Arc::new(AtomicUsize::new(0));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (send, calls) = (send.clone(), Arc::clone(&calls));
            let service = service_fn(move |request| {
                let failed = calls.fetch_add(1, Ordering::Relaxed) < failures;
                receive_one(request, send.clone(), failed)
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (url, receive)
}

async fn receive_one(
    request: Request<Incoming>,
    send: mpsc::UnboundedSender<Received>,
    fails: bool,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let signature = request.headers()[SIGNATURE_HEADER].as_bytes().to_vec();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    send.send((signature, body)).unwrap();
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = if fails { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NO_CONTENT };
    Ok(answer)
}

/// The next callback. The limit is for a run that fails: it would wait for ever.
async fn next(callbacks: &mut mpsc::UnboundedReceiver<Received>) -> Received {
    let next = tokio::time::timeout(Duration::from_secs(30), callbacks.recv());
    next.await.expect("a callback comes").unwrap()
}

struct Running {
    addr: SocketAddr,
    client: Simulator,
    /// Stops the server when it is dropped.
    _stop: oneshot::Sender<()>,
}

async fn start(config: SimulatorConfig) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let signer = config.signer.clone();
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(serve(listener, config, async {
        let _ = stopped.await;
    }));
    let url = format!("http://{addr}/");
    let client = SimulatorClientConfig { url, signer, connection_count_max: 4, timeout_ms: 10_000 };
    Running { addr, client: Simulator::new(client).unwrap(), _stop: stop }
}

fn request(callback_url: &str, key: &str) -> ChargeRequest {
    ChargeRequest {
        order_code: "ORDER".to_owned(),
        amount: Amount(12_000),
        currency: Currency::new("EUR").unwrap(),
        callback_url: callback_url.to_owned(),
        idempotency_key: key.to_owned(),
    }
}

/// The instant that was signed, as a clock for the check.
fn signed_at(signature: &[u8]) -> UnixMs {
    let text = std::str::from_utf8(signature).unwrap();
    let seconds: u64 = text.split(',').next().unwrap()[2..].parse().unwrap();
    UnixMs(seconds * 1_000)
}

#[tokio::test]
async fn charge_is_called_back_signed_and_a_forger_is_not_believed() {
    let (url, mut callbacks) = receiver(0).await;
    let running = start(SimulatorConfig::default()).await;
    let charge = running.client.charge(request(&url, "k")).await.unwrap();
    assert_eq!(charge.status, ChargeStatus::Pending);

    let (signature, body) = next(&mut callbacks).await;
    let now = signed_at(&signature);
    let event = running.client.verify(Some(&signature), &body, now).unwrap();
    assert_eq!(event.payment, domain::PaymentId::from_text(&charge.payment));
    assert_eq!((event.order_code.as_str(), event.amount), ("ORDER", Amount(12_000)));
    assert_eq!((event.currency.as_str(), event.result), ("EUR", PaymentResult::Succeeded));

    let replayed = running.client.verify(Some(&signature), &body, now).unwrap();
    assert_eq!(replayed, event, "a copy within the window names the same payment");
    let code = |signature: Option<&[u8]>, body: &[u8], now| {
        running.client.verify(signature, body, now).unwrap_err().code()
    };
    let old = UnixMs(now.0 + 301_000);
    assert_eq!(code(Some(&signature), &body, old), "signature_outside_window");
    assert_eq!(code(None, &body, now), "signature_missing");
    let dearer = String::from_utf8(body.to_vec()).unwrap().replace("12000", "1");
    assert_eq!(code(Some(&signature), dearer.as_bytes(), now), "signature_mismatch");
    let signer = SimulatorConfig::default().signer;
    for wrong in
        ["{}", "[]", "", r#"{"payment":"p","order":"o","amount":-1,"currency":"EUR","result":"failed"}"#]
    {
        let signature = signer.sign(wrong.as_bytes(), now);
        assert_eq!(code(Some(signature.as_bytes()), wrong.as_bytes(), now), "callback_malformed", "{wrong}");
    }
}

#[tokio::test]
async fn same_key_charges_once() {
    let (url, mut callbacks) = receiver(0).await;
    let running = start(SimulatorConfig::default()).await;
    let first = running.client.charge(request(&url, "k")).await.unwrap();
    let again = running.client.charge(request(&url, "k")).await.unwrap();
    assert_eq!(first.payment, again.payment);
    let other = running.client.charge(request(&url, "k2")).await.unwrap();
    assert_ne!(first.payment, other.payment);
    let dearer = ChargeRequest { amount: Amount(1), ..request(&url, "k") };
    let refused = running.client.charge(dearer).await.unwrap_err();
    assert!(matches!(refused, ProviderError::Refused { status: 409, .. }), "{refused}");

    let mut bodies = vec![next(&mut callbacks).await.1, next(&mut callbacks).await.1];
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), 2, "one callback for each of the two charges");
}

#[tokio::test]
async fn callback_comes_again_while_the_receiver_fails() {
    let (url, mut callbacks) = receiver(2).await;
    let running = start(SimulatorConfig { callback_pause_ms: 1, ..SimulatorConfig::default() }).await;
    running.client.charge(request(&url, "k")).await.unwrap();
    let first = next(&mut callbacks).await.1;
    for _ in 0..2 {
        assert_eq!(next(&mut callbacks).await.1, first);
    }
}

#[tokio::test]
async fn provider_that_calls_twice_says_the_same_twice() {
    let (url, mut callbacks) = receiver(0).await;
    let config = SimulatorConfig { twice_percent: 100, fail_percent: 100, ..SimulatorConfig::default() };
    let running = start(config).await;
    running.client.charge(request(&url, "k")).await.unwrap();
    let (first, second) = (next(&mut callbacks).await, next(&mut callbacks).await);
    assert_eq!(first.1, second.1);
    let event = running.client.verify(Some(&first.0), &first.1, signed_at(&first.0)).unwrap();
    assert_eq!(event.result, PaymentResult::Failed);
}

#[tokio::test]
async fn charge_that_is_never_called_back_stays_pending() {
    let running = start(SimulatorConfig { never_percent: 100, ..SimulatorConfig::default() }).await;
    let charge = running.client.charge(request("http://127.0.0.1:1/", "k")).await.unwrap();
    let caller = Caller::new(1, Duration::from_secs(10));
    let get = |path: String| {
        let uri = format!("http://{}{path}", running.addr).parse().unwrap();
        caller.call(Call { method: Method::GET, uri, header: None, body: Vec::new() })
    };
    let (status, body) = get(format!("/charges/{}", charge.payment)).await.unwrap();
    assert_eq!(status, StatusCode::OK);
    assert!(String::from_utf8_lossy(&body).contains(r#""status":"pending""#));
    assert_eq!(get("/charges/no".to_owned()).await.unwrap().0, StatusCode::NOT_FOUND);
    assert_eq!(get("/charges".to_owned()).await.unwrap().0, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(get("/".to_owned()).await.unwrap().0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn full_book_pushes_back() {
    let config = SimulatorConfig { charge_count_max: 1, delay_ms: 3_600_000, ..SimulatorConfig::default() };
    let running = start(config).await;
    running.client.charge(request("http://127.0.0.1:1/", "k1")).await.unwrap();
    let refused = running.client.charge(request("http://127.0.0.1:1/", "k2")).await.unwrap_err();
    assert!(matches!(refused, ProviderError::Busy) && refused.is_retryable(), "{refused}");
}

#[tokio::test]
async fn bad_requests_are_refused_with_a_reason() {
    let running = start(SimulatorConfig::default()).await;
    let caller = Caller::new(1, Duration::from_secs(10));
    let right =
        r#"{"order":"O","amount":1,"currency":"EUR","callback_url":"http://h/","idempotency_key":"k"}"#;
    let cases = [
        ("not json".to_owned(), StatusCode::BAD_REQUEST),
        ("{}".to_owned(), StatusCode::BAD_REQUEST),
        (right.replace(":1,", ":-1,"), StatusCode::BAD_REQUEST),
        (right.replace("\"order\"", "\"ordre\""), StatusCode::BAD_REQUEST),
        (right.replace("EUR", "eur"), StatusCode::UNPROCESSABLE_ENTITY),
        (right.replace("\"k\"", "\"\""), StatusCode::UNPROCESSABLE_ENTITY),
        (right.replace("http://h/", "/callback"), StatusCode::UNPROCESSABLE_ENTITY),
        (right.replace("http://", "https://"), StatusCode::UNPROCESSABLE_ENTITY),
        (" ".repeat(20_000), StatusCode::PAYLOAD_TOO_LARGE),
    ];
    for (body, expected) in cases {
        let uri = format!("http://{}/charges", running.addr).parse().unwrap();
        let call = Call { method: Method::POST, uri, header: None, body: body.clone().into_bytes() };
        assert_eq!(caller.call(call).await.unwrap().0, expected, "{body}");
    }
}

#[tokio::test]
async fn unreachable_provider_may_be_retried_and_a_wrong_address_not() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let signer = SimulatorConfig::default().signer;
    let config = |url: String| SimulatorClientConfig {
        url,
        signer: signer.clone(),
        connection_count_max: 1,
        timeout_ms: 10_000,
    };
    let client = Simulator::new(config(format!("http://{closed}"))).unwrap();
    let error = client.charge(request("http://127.0.0.1:1/", "k")).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unreachable(_)) && error.is_retryable(), "{error}");
    for wrong in ["https://host", "no address", ""] {
        assert!(Simulator::new(config(wrong.to_owned())).is_err(), "{wrong}");
    }
}
