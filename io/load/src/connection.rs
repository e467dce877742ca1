//! One client's connection: the requests on their way out, the answers that are awaited.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::SockRef;

use crate::opening::set_options;
use crate::reply::{Answer, Reader, ReplyError};

/// A request that was sent and not answered yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct UnderWay {
    /// When it was meant to be sent: latency counts from there.
    pub(crate) intended_ns: u64,
    /// When it was sent: its timeout counts from there.
    pub(crate) sent_ns: u64,
}

/// A client's place; the connection in it may come and go.
#[derive(Default)]
pub(crate) struct Connection {
    stream: Option<TcpStream>,
    is_connected: bool,
    reader: Reader,
    /// What is still to be written, from `out_written` on.
    pub(crate) out: Vec<u8>,
    out_written: usize,
    /// First sent, first answered.
    pub(crate) under_way: VecDeque<UnderWay>,
    /// Whether the place is in the list of free ones.
    pub(crate) is_listed: bool,
    /// Whether it stays unused for a moment after a fault.
    pub(crate) is_resting: bool,
}

/// What came of reading.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stream {
    Open,
    /// The server has ended it, or said that it will.
    Ended,
}

/// Why reading failed.
#[derive(Debug)]
pub(crate) enum ReadFault {
    Broken,
    Reply(ReplyError),
}

impl Connection {
    pub(crate) fn is_open(&self) -> bool {
        self.stream.is_some()
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.is_connected
    }

    /// Whether it can take one more request.
    pub(crate) fn can_take(&self, depth: usize) -> bool {
        !self.is_resting && self.under_way.len() < depth
    }

    /// Takes a connection that was made beforehand.
    pub(crate) fn adopt(
        &mut self,
        stream: std::net::TcpStream,
        registry: (&Registry, Token),
    ) -> io::Result<()> {
        self.watch(TcpStream::from_std(stream), registry)?;
        self.is_connected = true;
        Ok(())
    }

    /// Begins to connect. The end of that is an event, which [`Connection::finish_connecting`] understands.
    pub(crate) fn connect(&mut self, target: SocketAddr, registry: (&Registry, Token)) -> io::Result<()> {
        debug_assert!(self.stream.is_none(), "a place has one connection");
        let stream = TcpStream::connect(target)?;
        set_options(&SockRef::from(&stream))?;
        self.watch(stream, registry)
    }

    /// Both directions once and for all: events come on changes only (`EPOLLET`), so that nothing has to be
    /// registered anew between a request and its answer.
    fn watch(&mut self, mut stream: TcpStream, (registry, token): (&Registry, Token)) -> io::Result<()> {
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        self.stream = Some(stream);
        Ok(())
    }

    /// Whether the connection has been made by now.
    pub(crate) fn finish_connecting(&mut self, event: &Event) -> io::Result<bool> {
        let Some(stream) = &self.stream else { return Ok(false) };
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        self.is_connected = event.is_writable();
        Ok(self.is_connected)
    }

    /// Writes what the kernel takes; the rest goes when there is room. Returns how much went.
    pub(crate) fn flush(&mut self) -> io::Result<usize> {
        let Some(stream) = &mut self.stream else { return Ok(0) };
        let before = self.out_written;
        while self.out_written < self.out.len() {
            match stream.write(&self.out[self.out_written..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.out_written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        let written = self.out_written - before;
        if self.out_written == self.out.len() {
            self.out.clear();
            self.out_written = 0;
        }
        Ok(written)
    }

    /// Reads all that there is, and names each answer with its request. `is_last` says that no more will come,
    /// so that an end behind the data must be looked for.
    pub(crate) fn receive(
        &mut self,
        buffer: &mut [u8],
        is_last: bool,
        mut answered: impl FnMut(Answer, UnderWay),
    ) -> Result<(Stream, usize), ReadFault> {
        let Some(stream) = &mut self.stream else { return Ok((Stream::Open, 0)) };
        let (mut state, mut received) = (Stream::Open, 0);
        loop {
            let count = match stream.read(buffer) {
                Ok(0) => return Ok((Stream::Ended, received)),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok((state, received)),
                // Whole answers before a reset have been counted; what is awaited still has failed.
                Err(_) => return Err(ReadFault::Broken),
            };
            received += count;
            let under_way = &mut self.under_way;
            let read = self.reader.read(&buffer[..count], |answer| {
                let request = under_way.pop_front().ok_or(ReplyError::Unasked)?;
                if answer.closes {
                    state = Stream::Ended;
                }
                answered(answer, request);
                Ok(())
            });
            read.map_err(ReadFault::Reply)?;
            // Less than there was room for: nothing is left, and what comes later is a new event (epoll(7), question 9).
            if count < buffer.len() && !is_last {
                return Ok((state, received));
            }
        }
    }

    /// Ends the connection. Whatever was under way stays on the list.
    pub(crate) fn close(&mut self) {
        self.stream = None;
        self.is_connected = false;
        self.reader = Reader::default();
        self.out.clear();
        self.out_written = 0;
    }

    /// Ends the connection by a reset. An orderly end would keep the port for a minute (`TIME_WAIT`), and 28,000
    /// connections later there would be none left.
    pub(crate) fn reset(&mut self) {
        if let Some(stream) = &self.stream {
            // If this fails, the port is kept, which shows as a failure to connect sooner or later.
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
        self.close();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.reset();
    }
}
