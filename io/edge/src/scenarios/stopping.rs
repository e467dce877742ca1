//! The listener itself, and how it stops. These use a real socket on loopback: what is tested is the socket.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::fake::Trouble;
use super::run::World;
use crate::config::Config;
use crate::conn::listener::accept_loop;

struct Running {
    world: World,
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<()>,
}

async fn start(config: Config) -> Running {
    let world = World::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let edge = Arc::clone(&world.edge);
    let ended = tokio::spawn(accept_loop(listener, edge, async { stopped.await.unwrap() }));
    Running { world, address, stop, ended }
}

const GET: &[u8] = b"GET /v1/sales HTTP/1.1\r\nhost: onrush\r\n\r\n";

#[tokio::test]
async fn stopping_ends_idle_connections_and_the_loop() {
    let running = start(Config::default()).await;
    let mut client = TcpStream::connect(running.address).await.unwrap();
    client.write_all(GET).await.unwrap();
    let mut answer = [0; 15];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    running.stop.send(()).unwrap();
    running.ended.await.unwrap();
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert!(TcpStream::connect(running.address).await.is_err(), "nobody listens any more");
    assert_eq!(running.world.edge.metrics.connections.get(), 0);
}

#[tokio::test]
async fn stopping_does_not_wait_for_ever_for_a_request() {
    let running = start(Config { stop_deadline: std::time::Duration::ZERO, ..Config::default() }).await;
    let fake = running.world.fake.clone();
    fake.state.lock().trouble = Some(Trouble::Silence);
    let mut client = TcpStream::connect(running.address).await.unwrap();
    let bearer =
        super::run::token("a", super::fake::START.plus_s(60_000), b"a secret only of these scenarios");
    let code = running.world.edge.codec.encode(domain::OrderId::from_raw(1).unwrap());
    let code = std::str::from_utf8(&code).unwrap();
    let request =
        format!("GET /v1/orders/{code} HTTP/1.1\r\nhost: onrush\r\nauthorization: Bearer {bearer}\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    while fake.state.lock().trouble.is_some() {
        tokio::task::yield_now().await;
    }
    running.stop.send(()).unwrap();
    running.ended.await.unwrap();
    let mut answer = Vec::new();
    assert_eq!(client.read_to_end(&mut answer).await.unwrap(), 0);
}

#[tokio::test]
async fn a_connection_beyond_the_limit_waits_until_another_ends() {
    let running = start(Config { connection_count_max: 1, ..Config::default() }).await;
    let mut first = TcpStream::connect(running.address).await.unwrap();
    first.write_all(GET).await.unwrap();
    let mut begun = [0; 8];
    first.read_exact(&mut begun).await.unwrap();
    let mut second = TcpStream::connect(running.address).await.unwrap();
    second.write_all(GET).await.unwrap();
    assert_eq!(running.world.edge.metrics.connections_accepted.get(), 1);
    drop(first);
    second.read_exact(&mut begun).await.unwrap();
    assert_eq!(running.world.edge.metrics.connections_accepted.get(), 2);
    drop(second);
    running.stop.send(()).unwrap();
    running.ended.await.unwrap();
}
