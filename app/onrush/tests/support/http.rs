//! A lean blocking HTTP/1.1 client: one kept-alive connection, one request at a time. It sends what it is told,
//! so that a test can send nonsense too.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use super::PATIENCE;

/// A connection to a server.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

/// A request: a line, header fields, a body.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    head: String,
    body: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Names in small letters.
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Ask {
    pub(crate) fn new(method: &str, path: &str) -> Ask {
        Ask { head: format!("{method} {path} HTTP/1.1\r\nHost: onrush.test\r\n"), body: Vec::new() }
    }

    pub(crate) fn get(path: &str) -> Ask {
        Ask::new("GET", path)
    }

    pub(crate) fn post(path: &str) -> Ask {
        Ask::new("POST", path)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Ask {
        self.head.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Ask {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn key(self, key: &str) -> Ask {
        self.header("Idempotency-Key", key)
    }

    /// A body with its type.
    pub(crate) fn json(self, body: &Value) -> Ask {
        self.header("Content-Type", "application/json").body(body.to_string().as_bytes())
    }

    /// A body without a word about it.
    pub(crate) fn body(mut self, body: &[u8]) -> Ask {
        self.body = body.to_vec();
        self
    }

    /// The head as it is sent.
    pub(crate) fn head(&self) -> Vec<u8> {
        format!("{}Content-Length: {}\r\n\r\n", self.head, self.body.len()).into_bytes()
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

impl Connection {
    /// A new connection, on which every read and write has a deadline.
    pub(crate) fn open(address: SocketAddr) -> io::Result<Connection> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Connection { stream: BufReader::new(stream) })
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// When no whole answer came: what the server did is unknown then.
    pub(crate) fn ask(&mut self, ask: &Ask) -> io::Result<Reply> {
        self.send(&ask.bytes())?;
        self.reply()
    }

    /// Asks for all of it in one packet and waits for all answers, which come in the same order.
    ///
    /// # Errors
    /// As [`Connection::ask`].
    pub(crate) fn ask_at_once(&mut self, asks: &[Ask]) -> io::Result<Vec<Reply>> {
        let bytes: Vec<u8> = asks.iter().flat_map(Ask::bytes).collect();
        self.send(&bytes)?;
        asks.iter().map(|_| self.reply()).collect()
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// The next answer.
    pub(crate) fn reply(&mut self) -> io::Result<Reply> {
        let line = self.line()?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::other(format!("{line:?} is no status line")))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or_else(|| io::Error::other(line.clone()))?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut reply = Reply { status, headers, body: String::new() };
        let length = reply.header("content-length").map_or(0, |length| length.parse().expect("a length"));
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        reply.body = String::from_utf8(body).map_err(io::Error::other)?;
        Ok(reply)
    }

    /// Everything until the server closes.
    pub(crate) fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.stream.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of a problem.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        let json = self.json();
        json["code"].as_str().unwrap_or_else(|| panic!("no problem: {self:?}")).to_owned()
    }

    /// The same reply, if it has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Reply {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}
