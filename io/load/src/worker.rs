//! One thread: all its connections, in turns of one look at the kernel each.
//!
//! A turn sends what is due, waits for events, and deals with them. Nothing in it blocks, allocates per request or
//! takes a lock; a request costs a write, a read and its part of one `epoll_wait`.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::thread;
use std::time::Duration;

use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustix::io::Errno;

use crate::arrivals::Arrivals;
use crate::clock::{Clock, nanos};
use crate::connection::{Connection, ReadFault, Stream, UnderWay};
use crate::line::Line;
use crate::plan::Plan;
use crate::requests::{Requests, Share};
use crate::run::{LoadError, Watch};
use crate::tally::{Fault, Tally};

/// Few, so that requests that fall due in the meantime do not wait long.
const EVENT_COUNT_MAX: usize = 64;
const ARRIVAL_COUNT_MAX: usize = 64;
const BUFFER_SIZE_BYTES: usize = 64 * 1024;
const ALARM: Token = Token(usize::MAX);
/// What falls due within so long is sent at one wake-up, at its end: a wake-up takes as long as some requests, and in a virtual
/// machine its host's time as well. Measured in docs/performance.md, "R15 and the host".
const GRAIN_NS: u64 = 250_000;
/// How often requests are looked for that have waited too long.
const SWEEP_NS: u64 = 100_000_000;
/// After a fault a client pauses: a dead server would be asked as fast as it refuses.
const REST_NS: u64 = 10_000_000;

/// One thread's clients.
pub(crate) struct Worker<'a, R> {
    plan: &'a Plan,
    watch: &'a Watch,
    share: Share,
    source: R,
    poll: Poll,
    connections: Vec<Connection>,
    buffer: Vec<u8>,
    /// What a request is written into. With the connection until the kernel has taken all of it, and then back here: memory that is
    /// warm, where thousands of connections with one of their own had none that is.
    out: Vec<u8>,
    /// In an open loop.
    line: Option<Line>,
    /// Clients that pause, and until when; first come, first back.
    resting: VecDeque<(u64, usize)>,
    /// Requests that may still be begun, in all runs.
    left: u64,
    /// Requests without an answer, over all connections.
    under_way: usize,
    swept_ns: u64,
    tally: Tally,
}

impl<'a, R: Requests> Worker<'a, R> {
    /// A thread that sends its share of the plan's requests, over the connections that are open already.
    pub(crate) fn new(
        plan: &'a Plan,
        watch: &'a Watch,
        (share, source): (Share, R),
        streams: Vec<std::net::TcpStream>,
    ) -> io::Result<Worker<'a, R>> {
        let poll = Poll::new()?;
        let count = share.part_len(plan.connection_count);
        let mut connections: Vec<Connection> =
            std::iter::repeat_with(Connection::default).take(count).collect();
        for (place, stream) in streams.into_iter().enumerate() {
            connections[place].adopt(stream, (poll.registry(), Token(place)))?;
        }
        let left = plan.request_count_max.map_or(u64::MAX, |max| share.part(max));
        Ok(Worker {
            plan,
            watch,
            share,
            source,
            poll,
            connections,
            buffer: vec![0; BUFFER_SIZE_BYTES],
            out: Vec::new(),
            line: None,
            resting: VecDeque::new(),
            left,
            under_way: 0,
            swept_ns: 0,
            tally: Tally::new(plan),
        })
    }

    /// Sends, and counts, until the last request has come to its end. May be called again: connections stay.
    pub(crate) fn run(&mut self, clock: Clock) -> Result<Tally, LoadError> {
        self.start()?;
        let mut events = Events::with_capacity(EVENT_COUNT_MAX);
        for place in 0..self.connections.len() {
            self.go_on(place, clock.now_ns());
        }
        loop {
            let now_ns = clock.now_ns();
            self.tally.cpu.look(self.tally.window, now_ns);
            if self.is_over(now_ns) {
                break;
            }
            self.wake_rested(now_ns);
            self.sweep(now_ns);
            self.arrive(clock);
            let from_ns = clock.now_ns();
            let pause = self.pause(from_ns)?;
            match self.poll.poll(&mut events, Some(pause)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
                _ => {}
            }
            if self.plan.awake && events.is_empty() {
                thread::yield_now();
                self.tally.waited(from_ns, clock.now_ns());
            }
            for event in events.iter().filter(|event| event.token() != ALARM) {
                self.deal_with(event, clock)?;
            }
        }
        self.give_up(clock.now_ns());
        self.tally.is_used_up = self.left == 0;
        Ok(std::mem::replace(&mut self.tally, Tally::new(self.plan)))
    }

    /// Gets ready for a run, whose clock begins at nothing: instants of the run before mean nothing to it.
    fn start(&mut self) -> io::Result<()> {
        self.swept_ns = 0;
        self.resting.clear();
        for connection in &mut self.connections {
            (connection.is_resting, connection.is_listed) = (false, false);
        }
        let waiting_len_max = self.share.part_len(self.plan.queue_len_max).max(1);
        let arrivals = Arrivals::new(self.plan.pace, self.share);
        self.line = arrivals.map(|arrivals| Line::new(arrivals, waiting_len_max)).transpose()?;
        if let Some(line) = &self.line {
            self.poll.registry().register(&mut SourceFd(&line.alarm.fd()), ALARM, Interest::READABLE)?;
        }
        Ok(())
    }

    /// Nothing more is to be sent, and all is answered; or whatever is not had time enough.
    fn is_over(&self, now_ns: u64) -> bool {
        let is_waited_for = self.line.as_ref().is_some_and(|line| !line.waiting.is_empty());
        let is_done = !self.may_begin(now_ns) && self.under_way == 0 && !is_waited_for;
        is_done || now_ns >= self.tally.window.end_ns + nanos(self.plan.timeout)
    }

    /// Whether there will be another request, beside those that wait.
    fn may_begin(&self, now_ns: u64) -> bool {
        let next_ns = self.line.as_ref().map_or(now_ns, |line| line.arrivals.next_ns());
        self.left > 0 && next_ns < self.tally.window.end_ns
    }

    /// Deals with requests that have fallen due, a bounded number of them: answers must not wait for ever.
    fn arrive(&mut self, clock: Clock) {
        for _ in 0..ARRIVAL_COUNT_MAX {
            let now_ns = clock.now_ns();
            if !self.may_begin(now_ns) {
                return;
            }
            let Some(line) = &mut self.line else { return };
            let intended_ns = line.arrivals.next_ns();
            if intended_ns > now_ns {
                return;
            }
            line.arrivals.advance();
            self.left -= 1;
            self.tally.late(intended_ns, now_ns);
            if let Some(place) = line.take_free(&mut self.connections, self.plan.pipeline_depth) {
                self.begin(place, UnderWay { intended_ns, sent_ns: now_ns });
                self.send(place, now_ns);
                self.list(place);
            } else if line.wait(intended_ns) {
                self.tally.queued += 1;
                self.tally.queue_len_peak = self.tally.queue_len_peak.max(line.waiting.len());
            } else {
                self.tally.dropped(intended_ns);
            }
        }
    }

    /// How long the kernel may be waited for. What is due sooner than a millisecond rings an alarm.
    fn pause(&mut self, now_ns: u64) -> io::Result<Duration> {
        if self.plan.awake {
            return Ok(Duration::ZERO);
        }
        let window = self.tally.window;
        let due_ns = self.may_begin(now_ns).then_some(self.line.as_mut()).flatten();
        if let Some(line) = due_ns {
            let next_ns = line.arrivals.next_ns();
            if next_ns <= now_ns {
                return Ok(Duration::ZERO);
            }
            line.alarm.set(next_ns..=next_ns.max(now_ns + GRAIN_NS), now_ns)?;
        }
        let instants =
            [window.start_ns, window.end_ns, self.resting.front().map_or(u64::MAX, |(until, _)| *until)];
        let wake_ns = instants.into_iter().filter(|at| *at > now_ns).fold(now_ns + SWEEP_NS, u64::min);
        Ok(Duration::from_nanos(wake_ns - now_ns))
    }

    fn deal_with(&mut self, event: &Event, clock: Clock) -> Result<(), LoadError> {
        let Token(place) = event.token();
        let connection = &mut self.connections[place];
        if !connection.is_connected() {
            match connection.finish_connecting(event) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => {
                    self.fail(place, connect_fault(&error), clock.now_ns());
                    return Ok(());
                }
            }
        }
        if event.is_writable() {
            self.send(place, clock.now_ns());
        }
        if event.is_readable() || event.is_read_closed() || event.is_error() {
            self.receive(place, event.is_read_closed() || event.is_error(), clock)?;
        }
        Ok(())
    }

    fn receive(&mut self, place: usize, is_last: bool, clock: Clock) -> Result<(), LoadError> {
        let Worker { connections, buffer, tally, .. } = self;
        let connection = &mut connections[place];
        let awaited = connection.under_way.len();
        let received = connection.receive(buffer, is_last, |answer, request| {
            tally.answered(request.intended_ns, answer.status, clock.now_ns());
        });
        let answered = awaited - connection.under_way.len();
        let is_quiet = connection.under_way.is_empty();
        self.under_way -= answered;
        self.watch.add(answered, 0);
        let now_ns = clock.now_ns();
        match received {
            Ok((stream, size_bytes)) => {
                self.tally.bytes_received += size_bytes as u64;
                match stream {
                    _ if self.plan.new_connections && answered > 0 => connection.reset(),
                    Stream::Open => {}
                    Stream::Ended if is_quiet => connection.close(),
                    Stream::Ended => self.fail(place, Fault::Reset, now_ns),
                }
            }
            // Kept-alive connections may end when nobody waits for anything.
            Err(ReadFault::Broken) if is_quiet => connection.close(),
            Err(ReadFault::Broken) => self.fail(place, Fault::Reset, now_ns),
            Err(ReadFault::Reply(error)) if error.is_unsupported() => {
                return Err(LoadError::Unsupported(error));
            }
            Err(ReadFault::Reply(_)) => self.fail(place, Fault::Malformed, now_ns),
        }
        self.go_on(place, now_ns);
        Ok(())
    }

    /// Gives a client its next requests, if it may have any.
    fn go_on(&mut self, place: usize, now_ns: u64) {
        let mut has_begun = false;
        while self.connections[place].can_take(self.plan.pipeline_depth) {
            let Some(intended_ns) = self.next_for_free(now_ns) else { break };
            self.begin(place, UnderWay { intended_ns, sent_ns: now_ns });
            has_begun = true;
        }
        if has_begun {
            self.send(place, now_ns);
        }
        self.list(place);
    }

    /// When the next request of a client that is free was meant to be sent: the one that has waited for longest, or
    /// in a closed loop a new one.
    fn next_for_free(&mut self, now_ns: u64) -> Option<u64> {
        if let Some(line) = &mut self.line {
            return line.waiting.pop_front();
        }
        let may_begin = self.may_begin(now_ns);
        self.left -= u64::from(may_begin);
        may_begin.then_some(now_ns)
    }

    fn list(&mut self, place: usize) {
        let connection = &mut self.connections[place];
        if let Some(line) = self.line.as_mut().filter(|_| connection.can_take(self.plan.pipeline_depth)) {
            line.list(place, connection);
        }
    }

    fn begin(&mut self, place: usize, request: UnderWay) {
        let connection = &mut self.connections[place];
        if connection.out.is_empty() {
            connection.out = std::mem::take(&mut self.out);
        }
        self.source.next(&mut connection.out);
        connection.under_way.push_back(request);
        self.under_way += 1;
        self.tally.sent(request.intended_ns);
    }

    /// Makes the connection if there is none, and writes what the kernel takes.
    fn send(&mut self, place: usize, now_ns: u64) {
        let connection = &mut self.connections[place];
        if !connection.is_open() && !connection.under_way.is_empty() {
            let connecting = connection.connect(self.plan.target, (self.poll.registry(), Token(place)));
            if let Err(error) = connecting {
                return self.fail(place, connect_fault(&error), now_ns);
            }
        }
        if !connection.is_connected() {
            return;
        }
        match connection.flush() {
            Ok(size_bytes) => self.tally.bytes_sent += size_bytes as u64,
            Err(_) => return self.fail(place, Fault::Reset, now_ns),
        }
        if connection.out.is_empty() && connection.out.capacity() > 0 {
            self.out = std::mem::take(&mut connection.out);
        }
    }

    /// Ends a connection; what was under way on it failed.
    fn fail(&mut self, place: usize, fault: Fault, now_ns: u64) {
        let connection = &mut self.connections[place];
        let failed = connection.under_way.len();
        for request in connection.under_way.drain(..) {
            self.tally.failed(request.intended_ns, fault);
        }
        connection.reset();
        self.under_way -= failed;
        self.watch.add(0, failed);
        if !connection.is_resting {
            connection.is_resting = true;
            self.resting.push_back((now_ns + REST_NS, place));
        }
    }

    fn wake_rested(&mut self, now_ns: u64) {
        while let Some((_, place)) = self.resting.pop_front_if(|(until_ns, _)| *until_ns <= now_ns) {
            self.connections[place].is_resting = false;
            self.go_on(place, now_ns);
        }
    }

    fn sweep(&mut self, now_ns: u64) {
        if now_ns < self.swept_ns + SWEEP_NS {
            return;
        }
        self.swept_ns = now_ns;
        let timeout_ns = nanos(self.plan.timeout);
        for place in 0..self.connections.len() {
            let oldest = self.connections[place].under_way.front();
            if oldest.is_some_and(|request| request.sent_ns + timeout_ns <= now_ns) {
                self.fail(place, Fault::Timeout, now_ns);
            }
        }
    }

    /// Whatever has no answer yet has had its time.
    fn give_up(&mut self, now_ns: u64) {
        self.tally.cpu.end(now_ns);
        for place in 0..self.connections.len() {
            if !self.connections[place].under_way.is_empty() {
                self.fail(place, Fault::Timeout, now_ns);
            }
        }
        let Some(mut line) = self.line.take() else { return };
        // If the thread stood still for too long, some requests are due that it never came to.
        while self.left > 0 && line.arrivals.next_ns() < self.tally.window.end_ns {
            self.left -= 1;
            self.tally.dropped(line.arrivals.next_ns());
            line.arrivals.advance();
        }
        self.watch.add(0, line.waiting.len());
        for intended_ns in line.waiting {
            self.tally.sent(intended_ns);
            self.tally.failed(intended_ns, Fault::Timeout);
        }
    }
}

/// Whose fault it is that there is no connection.
fn connect_fault(error: &io::Error) -> Fault {
    match Errno::from_io_error(error) {
        Some(Errno::ADDRNOTAVAIL | Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => {
            Fault::Local
        }
        _ => Fault::Connect,
    }
}
