//! Clients that send a byte of a request now and then, all in one thread. Each comes again when it was cut.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// From one byte to the next.
pub(crate) const BYTE_INTERVAL: Duration = Duration::from_secs(10);
/// How often a client whose deadline is near looks whether it was cut.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// How long the thread may sleep before it looks whether it should end.
const SLEEP_MAX: Duration = Duration::from_millis(50);

/// Clients at work, until they are told to leave.
pub(crate) struct SlowClients {
    leave: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<Story>>,
}

/// What happened to them.
#[derive(Debug, Default)]
pub(crate) struct Story {
    /// How long the one that lived longest did, from its first byte on.
    pub(crate) lived_max: Duration,
    /// How late the latest byte was.
    pub(crate) late_max: Duration,
}

/// One client.
struct Client {
    stream: TcpStream,
    first_byte: Instant,
    last_byte: Instant,
}

impl SlowClients {
    /// Lets so many come, evenly over one interval, so that they go on evenly as well. They expect to be cut at the
    /// deadline, counted from their first byte.
    pub(crate) fn come(address: SocketAddr, count: u32, deadline: Duration) -> SlowClients {
        let leave = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&leave);
        SlowClients { leave, thread: thread::spawn(move || crawl(address, count, deadline, &is_over)) }
    }

    /// Ends them all.
    ///
    /// # Errors
    /// When one of them could not come (again).
    pub(crate) fn leave(self) -> anyhow::Result<Story> {
        self.leave.store(true, Ordering::Relaxed);
        self.thread.join().ok().context("the thread of the slow clients panicked")?
    }
}

fn crawl(address: SocketAddr, count: u32, deadline: Duration, is_over: &AtomicBool) -> anyhow::Result<Story> {
    let begun = Instant::now();
    let mut clients: Vec<Option<Client>> = (0..count).map(|_| None).collect();
    let due = |index: u32| Reverse((begun + BYTE_INTERVAL * index / count, index));
    let mut queue: BinaryHeap<Reverse<(Instant, u32)>> = (0..count).map(due).collect();
    let mut story = Story::default();
    while !is_over.load(Ordering::Relaxed) {
        let Some(Reverse((due, index))) = queue.peek().copied() else { break };
        let now = Instant::now();
        if due > now {
            thread::sleep((due - now).min(SLEEP_MAX));
            continue;
        }
        queue.pop();
        story.late_max = story.late_max.max(now - due);
        let slot = &mut clients[usize::try_from(index)?];
        let next = match slot.as_mut().map(|client| client.go_on(now, deadline)).transpose()? {
            Some(Next::At(next)) => next,
            // Not there yet, or not any more.
            gone => {
                if let Some(Next::Cut) = gone {
                    let lived = slot.as_ref().map_or(Duration::ZERO, |client| now - client.first_byte);
                    story.lived_max = story.lived_max.max(lived);
                }
                *slot = Some(Client::come(address).with_context(|| format!("slow client {index}"))?);
                now + BYTE_INTERVAL
            }
        };
        queue.push(Reverse((next, index)));
    }
    Ok(story)
}

/// What a client does next.
enum Next {
    At(Instant),
    Cut,
}

impl Client {
    fn come(address: SocketAddr) -> io::Result<Client> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.write_all(b"G")?;
        stream.set_nonblocking(true)?;
        let now = Instant::now();
        Ok(Client { stream, first_byte: now, last_byte: now })
    }

    /// Looks whether the server has ended it, perhaps with a last word; if not, sends the next byte when it is its time.
    fn go_on(&mut self, now: Instant, deadline: Duration) -> io::Result<Next> {
        let mut word = [0; 512];
        match self.stream.read(&mut word) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(Next::Cut),
            Err(error) => return Err(error),
            Ok(_) => return Ok(Next::Cut),
        }
        if now >= self.last_byte + BYTE_INTERVAL {
            self.last_byte = now;
            if self.stream.write_all(b"E").is_err() {
                return Ok(Next::Cut);
            }
        }
        let is_near = now + BYTE_INTERVAL > self.first_byte + deadline;
        Ok(Next::At(now + if is_near { LOOK_INTERVAL } else { BYTE_INTERVAL }))
    }
}
