//! The hot routes: a connection of any bytes, and one request by hand and by the router, which must agree.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use domain::{Command, ItemIndex, Request as Ask, Wish};
use http::header::{CONNECTION, CONTENT_LENGTH, DATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::Full;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::oracle;
use crate::source::Source;
use crate::world::{self, Answered, ITEMS, World};

/// No connection goes on for ever without anything to read.
const POLL_COUNT_MAX: usize = 10_000;
/// After so many polls without a byte in or out, the server waits for the client.
const IDLE_COUNT_MAX: usize = 4;

/// The first byte says which: bytes of a connection, in pieces; or method, address, headers and body.
pub fn run(input: &[u8]) {
    let mut source = Source(input);
    let shape = source.u8();
    world::with(|world| match shape % 2 {
        0 => check_connection(world, source.0, usize::from(shape >> 1)),
        _ => check_request(world, shape >> 1, source.0),
    });
}

/// The same bytes bring the same answers however they are cut, and the connection ends when the client is gone.
fn check_connection(world: &World, bytes: &[u8], piece_len: usize) {
    let bytes = with_token(world, bytes);
    let whole = serve(world, &bytes, bytes.len().max(1));
    if !whole.is_empty() {
        assert!(whole.starts_with(b"HTTP/1."), "{}", String::from_utf8_lossy(&whole));
        let status = std::str::from_utf8(&whole[9..12]).expect("a status is digits");
        assert_ne!(status, "500", "{}", String::from_utf8_lossy(&whole));
    }
    if piece_len > 0 {
        let pieces = serve(world, &bytes, piece_len);
        // A head that came in pieces is parsed only once its end is there: what is wrong with one that never ends is then
        // not told. And when a request is answered before its body was read, hyper reads the body away
        // if it is there already, and else closes the connection: later requests are then not answered.
        let rest = whole.strip_prefix(&pieces[..]);
        let agrees = rest.is_some_and(|rest| {
            let may_lack: &[u8] = if pieces.is_empty() { b"HTTP/1.1 4" } else { b"HTTP/1." };
            rest.is_empty() || rest.starts_with(may_lack)
        });
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(agrees, "in pieces of {piece_len} bytes: {}\nat once: {}", text(&pieces), text(&whole));
    }
}

/// `TOKEN` in the input stands for the buyer's: no fuzzer finds one.
fn with_token(world: &World, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + world.buyer.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(5).position(|window| window == b"TOKEN") {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(world.buyer.as_bytes());
        rest = &rest[at + 5..];
    }
    out.extend_from_slice(rest);
    out
}

/// What a connection answers, without the dates.
fn serve(world: &World, bytes: &[u8], piece_len: usize) -> Vec<u8> {
    let _entered = world.runtime.enter();
    let state =
        Arc::new(Mutex::new(Pipe { input: bytes.to_vec(), read: 0, is_over: false, output: Vec::new() }));
    let mut serving = pin!(world.door.serve(Stream { pipe: state.clone(), piece_len }));
    let mut context = Context::from_waker(Waker::noop());
    let (mut seen, mut idle_count) = ((0, 0), 0);
    let ended = (0..POLL_COUNT_MAX).any(|_| {
        let ended = serving.as_mut().poll(&mut context).is_ready();
        let mut pipe = state.lock().expect("no panic under the lock");
        let now = (pipe.read, pipe.output.len());
        idle_count = if now == seen { idle_count + 1 } else { 0 };
        seen = now;
        // A client that is gone gets no answer, so it waits for one.
        pipe.is_over = pipe.read == pipe.input.len() && idle_count >= IDLE_COUNT_MAX;
        ended
    });
    assert!(ended, "the connection does not end");
    let output = std::mem::take(&mut state.lock().expect("no panic under the lock").output);
    without_dates(output)
}

fn without_dates(mut output: Vec<u8>) -> Vec<u8> {
    const DATE: &[u8] = b"\r\ndate: ";
    let places: Vec<usize> =
        output.windows(DATE.len()).enumerate().filter(|(_, w)| *w == DATE).map(|(at, _)| at).collect();
    for at in places {
        let value = at + DATE.len();
        let end = output.len().min(value + 29);
        output[value..end].fill(b'-');
    }
    output
}

/// Both directions of a connection.
struct Pipe {
    input: Vec<u8>,
    read: usize,
    /// Whether the client is gone once everything was read.
    is_over: bool,
    output: Vec<u8>,
}

struct Stream {
    pipe: Arc<Mutex<Pipe>>,
    piece_len: usize,
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let mut pipe = self.pipe.lock().expect("no panic under the lock");
        let left = pipe.input.len() - pipe.read;
        if left == 0 && !pipe.is_over {
            return Poll::Pending;
        }
        let count = left.min(self.piece_len).min(buffer.remaining());
        buffer.put_slice(&pipe.input[pipe.read..pipe.read + count]);
        pipe.read += count;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.pipe.lock().expect("no panic under the lock").output.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Address, further headers up to an empty line, body. The shape says the method and which usual headers come.
fn check_request(world: &World, shape: u8, bytes: &[u8]) {
    let Some((head, body)) = parse(world, shape, bytes) else { return };
    let request = || {
        let mut request = Request::new(Full::new(Bytes::copy_from_slice(body)));
        (*request.method_mut(), *request.uri_mut()) = (head.method.clone(), head.uri.clone());
        *request.headers_mut() = head.headers.clone();
        request
    };
    let (by_router, asked) = world.respond(request());
    if head.method != Method::HEAD {
        oracle::check_answer(&by_router, body);
    }
    check_order(&head, body, &by_router, asked.clone());
    let bytes = written(&head, body);
    if !edge::fuzzing::is_for_lane(&bytes) {
        return;
    }
    let (by_lane, asked_by_lane) = world.asked_by(|| read(&serve(world, &bytes, bytes.len())));
    assert_eq!(asked, asked_by_lane, "the two ways ask for different things");
    assert_eq!(by_lane.status(), by_router.status(), "{:?}", head.uri);
    assert_eq!(headers(&by_lane), headers(&by_router), "{:?}", head.uri);
    assert_eq!(by_lane.body(), by_router.body(), "{:?}", head.uri);
}

/// The request as a client writes it.
fn written(head: &Head, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{} {} HTTP/1.1\r\n", head.method, head.uri).into_bytes();
    for (name, value) in &head.headers {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    if !head.headers.contains_key(CONTENT_LENGTH) {
        bytes.extend_from_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// An answer as a client reads it, if nothing comes behind it.
fn read(bytes: &[u8]) -> Answered {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
    let head = std::str::from_utf8(&bytes[..end]).expect("a head is text");
    let mut answer = http::Response::builder().status(&head[9..12]);
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(": ").expect("a header has a colon");
        answer = answer.header(name, value);
    }
    answer.body(Bytes::copy_from_slice(&bytes[end + 4..])).expect("every part was sound")
}

/// What was asked for is what the body says when it is read another way.
fn check_order(head: &Head, body: &[u8], answer: &Answered, asked: Option<Ask>) {
    if head.method != Method::POST || head.uri.path() != "/v1/sales/concert/orders" {
        return;
    }
    let expected = oracle::lines(body);
    if let Some(Ask::Command(Command::PlaceOrder { wishes, .. })) = asked {
        let wish = |(item, quantity): &(String, u16)| {
            let index =
                ITEMS.iter().position(|code| code == item).and_then(|index| u16::try_from(index).ok());
            Wish { item: index.map_or(ItemIndex::UNKNOWN, ItemIndex), quantity: *quantity }
        };
        let expected: Option<Vec<Wish>> = expected.map(|lines| lines.iter().map(wish).collect());
        let mut wishes: Vec<Wish> = wishes.iter().copied().collect();
        let mut expected = expected.unwrap_or_else(|| panic!("taken: {}", String::from_utf8_lossy(body)));
        wishes.sort_by_key(|wish| wish.item);
        expected.sort_by_key(|wish| wish.item);
        assert_eq!(wishes, expected);
    } else if expected.is_some() && head.uri.query().is_none() {
        assert_ne!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{answer:?}");
    }
}

/// The headers, but for those that are the connection's.
fn headers(answer: &Answered) -> HeaderMap {
    let mut headers = answer.headers().clone();
    for name in [CONTENT_LENGTH, CONNECTION, DATE] {
        headers.remove(name);
    }
    headers
}

/// A request but for its body.
struct Head {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

fn parse<'a>(world: &World, shape: u8, bytes: &'a [u8]) -> Option<(Head, &'a [u8])> {
    let methods = [Method::POST, Method::GET, Method::HEAD, Method::PATCH];
    let method = methods[usize::from(shape & 3)].clone();
    let mut headers = HeaderMap::new();
    let usual = [
        ("authorization", world.buyer.as_str()),
        ("idempotency-key", "a key"),
        ("content-type", "application/json"),
    ];
    for (index, (name, value)) in usual.into_iter().enumerate() {
        if shape >> 2 >> index & 1 == 0 {
            headers.insert(name, HeaderValue::from_str(value).ok()?);
        }
    }
    let (uri, mut rest) = line(bytes);
    let uri = Uri::try_from(uri).ok().filter(|uri| uri.path().starts_with('/'))?;
    loop {
        let (header, behind) = line(rest);
        rest = behind;
        if header.is_empty() {
            return Some((Head { method, uri, headers }, rest));
        }
        let colon = header.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&header[..colon]).ok()?;
        headers.append(name, HeaderValue::from_bytes(header[colon + 1..].trim_ascii()).ok()?);
    }
}

/// Up to a line feed, and what comes behind it.
fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}
