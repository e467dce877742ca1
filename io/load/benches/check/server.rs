//! A server that does nothing but wait: raw epoll, one thread, ready-made answers after an exact delay.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::Ipv4Addr;
use std::thread::sleep;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\nContent-Type: text/plain\r\n\r\nHello, world!";
const END_OF_HEAD: &[u8] = b"\r\n\r\n";
const LISTENER: Token = Token(usize::MAX);
const BUFFER_SIZE_BYTES: usize = 64 * 1024;

/// How the server behaves.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Conduct {
    /// So long after a request comes its answer.
    pub(crate) delay: Duration,
    /// Before it answers the request with that number, it stands still for so long.
    pub(crate) stall: Option<(u64, Duration)>,
}

struct Server {
    poll: Poll,
    listener: TcpListener,
    streams: Vec<Option<TcpStream>>,
    /// Who is to be answered when, first come first served.
    owed: VecDeque<(Instant, usize)>,
    request_count: u64,
    conduct: Conduct,
}

/// Serves until the process is ended, on a free port that it prints.
pub(crate) fn serve(conduct: Conduct) -> anyhow::Result<()> {
    let mut listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    println!("{}", listener.local_addr()?);
    Server { poll, listener, streams: Vec::new(), owed: VecDeque::new(), request_count: 0, conduct }.run()
}

impl Server {
    fn run(mut self) -> anyhow::Result<()> {
        let mut events = Events::with_capacity(256);
        let mut buffer = vec![0; BUFFER_SIZE_BYTES];
        loop {
            // While an answer is owed it does not sleep: it would wake up late.
            let pause = (!self.owed.is_empty()).then_some(Duration::ZERO);
            match self.poll.poll(&mut events, pause) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
                _ => {}
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept()?,
                    Token(place) => self.read(place, &mut buffer),
                }
            }
            self.answer_those_due();
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let (mut stream, _) = match self.listener.accept() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                accepted => accepted?,
            };
            stream.set_nodelay(true)?;
            let free = self.streams.iter().position(Option::is_none);
            let place = free.unwrap_or_else(|| {
                self.streams.push(None);
                self.streams.len() - 1
            });
            self.poll.registry().register(&mut stream, Token(place), Interest::READABLE)?;
            self.streams[place] = Some(stream);
        }
    }

    /// Every end of a head is a request: those that come here have no body.
    fn read(&mut self, place: usize, buffer: &mut [u8]) {
        let Some(stream) = &mut self.streams[place] else { return };
        let count = match stream.read(buffer) {
            Ok(count) if count > 0 => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            _ => {
                self.streams[place] = None;
                return;
            }
        };
        let requests =
            buffer[..count].windows(END_OF_HEAD.len()).filter(|bytes| *bytes == END_OF_HEAD).count();
        let due = Instant::now() + self.conduct.delay;
        self.owed.extend(std::iter::repeat_n((due, place), requests));
    }

    fn answer_those_due(&mut self) {
        if self.owed.is_empty() {
            return;
        }
        let now = Instant::now();
        while let Some((_, place)) = self.owed.pop_front_if(|(due, _)| *due <= now) {
            self.request_count += 1;
            if let Some((_, span)) = self.conduct.stall.filter(|(number, _)| *number == self.request_count) {
                sleep(span);
            }
            if let Some(stream) = &mut self.streams[place] {
                // Whoever does not take these few bytes has gone.
                let _ = stream.write(ANSWER);
            }
        }
    }
}
