//! A client of a few lines, for single requests before and after a measurement.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, bail};

/// How long an answer may take; under callgrind everything takes fifty times as long.
const TIMEOUT: Duration = Duration::from_secs(60);
const HEAD_SIZE_BYTES_MAX: usize = 64 * 1024;

/// A connection that stays open.
pub(crate) struct Client(TcpStream);

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub(crate) fn connect(address: SocketAddr) -> anyhow::Result<Client> {
        let stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        Ok(Client(stream))
    }

    /// Sends a request as it stands.
    ///
    /// # Errors
    /// When the server is gone.
    pub(crate) fn send(&mut self, request: &str) -> anyhow::Result<()> {
        self.0.write_all(request.as_bytes()).context("cannot send")
    }

    /// Reads one answer that says how long it is.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn receive(&mut self) -> anyhow::Result<Reply> {
        let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
        loop {
            if let Some(reply) = complete(&bytes)? {
                return Ok(reply);
            }
            match self.0.read(&mut piece).context("cannot receive")? {
                0 => bail!("the connection was closed after {} bytes", bytes.len()),
                count => bytes.extend_from_slice(&piece[..count]),
            }
        }
    }
}

/// The answer in those bytes, if it is all there.
fn complete(bytes: &[u8]) -> anyhow::Result<Option<Reply>> {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        anyhow::ensure!(bytes.len() < HEAD_SIZE_BYTES_MAX, "the head of the answer has no end");
        return Ok(None);
    };
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let status = status.with_context(|| format!("not an answer: {head}"))?;
    let mut fields = lines.filter_map(|line| line.split_once(':'));
    let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.map_or(Ok(0), |(_, value)| value.trim().parse::<usize>())?;
    Ok((body.len() >= length).then(|| Reply { status, body: body.to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_is_complete_when_its_body_is() {
        let text = "HTTP/1.1 201 Created\r\ncontent-length: 4\r\n\r\nbody";
        for end in 0..text.len() {
            assert!(complete(&text.as_bytes()[..end]).unwrap().is_none(), "{end}");
        }
        let reply = complete(text.as_bytes()).unwrap().unwrap();
        assert_eq!((reply.status, reply.body.as_str()), (201, "body"));
    }
}
