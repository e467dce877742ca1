//! A small server with a known behaviour: a thread for each connection.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A server that runs until the test's process ends.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

/// One connection, seen from the server.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

impl Server {
    /// Serves each connection by `serve`, and ends it when that returns.
    pub(crate) fn start(serve: impl Fn(&mut Client) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, serve) = (Arc::new(AtomicUsize::new(0)), Arc::new(serve));
        let counted = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                counted.fetch_add(1, Ordering::SeqCst);
                let serve = Arc::clone(&serve);
                thread::spawn(move || serve(&mut Client { stream: BufReader::new(stream) }));
            }
        });
        Server { address, connections }
    }

    /// Answers every request by `answer`, which gets the request's path and gives the bytes to send.
    pub(crate) fn answering(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Server {
        Server::start(move |client| {
            while let Some(path) = client.request() {
                client.say(&answer(&path));
            }
        })
    }

    /// Connections that were made so far.
    pub(crate) fn connection_count(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Client {
    /// Reads one request with its body; its path. None at the end of the connection.
    pub(crate) fn request(&mut self) -> Option<String> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.stream.read_exact(&mut body).ok()?;
        Some(head.split(' ').nth(1).unwrap().to_owned())
    }

    /// Sends bytes; whoever does not read them has its reason.
    pub(crate) fn say(&mut self, text: &str) {
        let _ = self.stream.get_mut().write_all(text.as_bytes());
    }
}

/// An answer with that status and an empty body.
pub(crate) fn status(code: u16) -> String {
    format!("HTTP/1.1 {code} Word\r\nContent-Length: 0\r\n\r\n")
}
