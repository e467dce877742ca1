//! One kept-alive HTTP/1.1 connection, and what to do when a batch is not answered.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, bail};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Attempts before a batch is given up. Each waits as long as the server asks, or a second.
const ATTEMPT_COUNT_MAX: usize = 30;
const HEAD_SIZE_BYTES_MAX: usize = 16 << 10;

/// Where batches go, and in whose name.
pub(crate) struct Route<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) key: &'a str,
    pub(crate) sale: &'a str,
    pub(crate) media: &'a str,
}

pub(crate) struct Connection<'a> {
    route: &'a Route<'a>,
    stream: TcpStream,
    received: Vec<u8>,
}

/// Where an answer ends within what was received, and what its head says.
struct Head {
    status: u16,
    retry_after_s: u64,
    body_begin: usize,
    body_end: usize,
}

impl<'a> Connection<'a> {
    pub(crate) fn open(route: &'a Route<'a>) -> anyhow::Result<Connection<'a>> {
        Ok(Connection { route, stream: connect(route.address)?, received: Vec::new() })
    }

    /// Sends a batch until it is answered. A batch that was sent twice is placed once: its orders have their keys.
    pub(crate) fn place(&mut self, body: &[u8]) -> anyhow::Result<&[u8]> {
        for _ in 0..ATTEMPT_COUNT_MAX {
            let retry_after_s = match self.try_once(body) {
                Ok(head) if head.status == 200 => return Ok(&self.received[head.body_begin..head.body_end]),
                Ok(head) if head.status == 503 => head.retry_after_s,
                Ok(head) => {
                    let problem = String::from_utf8_lossy(&self.received[head.body_begin..head.body_end]);
                    bail!("{} {problem}", head.status)
                }
                // What the server did is unknown: so the same again.
                Err(_gone) => 1,
            };
            sleep(Duration::from_secs(retry_after_s));
            if let Ok(stream) = connect(self.route.address) {
                self.stream = stream;
            }
        }
        bail!("no answer after {ATTEMPT_COUNT_MAX} attempts")
    }

    fn try_once(&mut self, body: &[u8]) -> anyhow::Result<Head> {
        let Route { address, key, sale, media } = self.route;
        let head = format!(
            "POST /v1/orders:batch?sale={sale} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: {media}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.stream.write_all(head.as_bytes())?;
        self.stream.write_all(body)?;
        self.receive()
    }

    /// Reads one answer into `received`.
    fn receive(&mut self) -> anyhow::Result<Head> {
        let mut len = 0;
        let head = loop {
            len += self.read_more(len, HEAD_SIZE_BYTES_MAX)?;
            if let Some(head) = head(&self.received[..len])? {
                break head;
            }
        };
        while len < head.body_end {
            len += self.read_more(len, head.body_end - len)?;
        }
        Ok(head)
    }

    fn read_more(&mut self, len: usize, size_bytes: usize) -> anyhow::Result<usize> {
        if self.received.len() < len + size_bytes {
            self.received.resize(len + size_bytes, 0);
        }
        match self.stream.read(&mut self.received[len..len + size_bytes])? {
            0 => bail!("the server has closed the connection"),
            count => Ok(count),
        }
    }
}

fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

/// The head of an answer, if it is all there.
fn head(received: &[u8]) -> anyhow::Result<Option<Head>> {
    let Some(end) = memchr::memmem::find(received, b"\r\n\r\n") else {
        anyhow::ensure!(received.len() < HEAD_SIZE_BYTES_MAX, "the head of the answer has no end");
        return Ok(None);
    };
    let text = std::str::from_utf8(&received[..end])?;
    let mut lines = text.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let status = status.context("no status line")?;
    let (mut length, mut retry_after_s) = (0_usize, 1);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        } else if name.eq_ignore_ascii_case("retry-after") {
            retry_after_s = value.trim().parse().unwrap_or(1);
        }
    }
    let body_begin = end + 4;
    Ok(Some(Head { status, retry_after_s, body_begin, body_end: body_begin + length }))
}
