//! The bare hello: what the HTTP stack costs when nothing is done. Same libraries, same number of threads, same
//! options of sockets and connections as the server that is measured; it reads whatever body comes and answers
//! with the same bytes every time.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Barrier};
use std::thread;

use anyhow::Context as _;
use bytes::Bytes;
use clap::Args;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket};

/// About as long as the answer to an order.
const ANSWER: &[u8] = br#"{"hello":"world","state":"held","lines":[{"item":"ga","quantity":1,"unit_price":12000}],"total":{"amount":12000,"currency":"EUR"},"expires_at":"2026-12-01T19:00:00.000Z","order":"0000000000000000","seq":1}"#;
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const BACKLOG: u32 = 4_096;
/// As the server's default for `http.header_size_bytes_max`.
const HEAD_SIZE_BYTES_MAX: usize = 16 * 1024;

/// Serve the bare hello.
#[derive(Args)]
pub(crate) struct HelloArgs {
    /// Where; port 0 takes a free one and prints it.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

/// Serves on one thread per core until the process is ended.
///
/// # Errors
/// When the address cannot be had.
pub(crate) fn run(args: &HelloArgs) -> anyhow::Result<()> {
    let thread_count = thread::available_parallelism()?.get();
    let mut address = args.listen;
    let listening = Arc::new(Barrier::new(thread_count + 1));
    let mut threads = Vec::new();
    for number in 0..thread_count {
        let socket = bind(address).with_context(|| format!("cannot listen on {address}"))?;
        address = socket.local_addr()?;
        let listening = listening.clone();
        let builder = thread::Builder::new().name(format!("hello-{number}"));
        threads.push(builder.spawn(move || serve(socket, &listening))?);
    }
    listening.wait();
    println!("listening on http://{address}");
    threads.into_iter().try_for_each(|thread| thread.join().expect("a hello cannot panic"))
}

fn bind(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn serve(socket: TcpSocket, listening: &Barrier) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = socket.listen(BACKLOG)?;
        listening.wait();
        accept(&listener).await
    })
}

async fn accept(listener: &TcpListener) -> anyhow::Result<()> {
    let mut http = http1::Builder::new();
    http.max_buf_size(HEAD_SIZE_BYTES_MAX).header_read_timeout(None).half_close(false).keep_alive(true);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let connection = http.serve_connection(TokioIo::new(stream), service_fn(answer));
        tokio::spawn(async move {
            // How a connection broke helps nobody: the client is gone.
            let _ = connection.await;
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut body = request.into_body();
    while let Some(Ok(_)) = body.frame().await {}
    let mut response = Response::new(Full::new(Bytes::from_static(ANSWER)));
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    Ok(response)
}
