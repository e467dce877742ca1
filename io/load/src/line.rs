//! In an open loop: when the next request is due, who waits for a connection, and which connections are free.

use std::collections::VecDeque;

use crate::arrivals::Arrivals;
use crate::clock::Alarm;
use crate::connection::Connection;

/// One thread's arrivals and the line in front of its connections. If somebody waits, no connection is free.
pub(crate) struct Line {
    pub(crate) arrivals: Arrivals,
    pub(crate) alarm: Alarm,
    /// The intended times of requests that found no connection.
    pub(crate) waiting: VecDeque<u64>,
    waiting_len_max: usize,
    /// In turn, so that all are used alike; some may have got another request or a fault since they were listed.
    free: VecDeque<usize>,
}

impl Line {
    pub(crate) fn new(arrivals: Arrivals, waiting_len_max: usize) -> std::io::Result<Line> {
        let (waiting, free) = (VecDeque::new(), VecDeque::new());
        Ok(Line { arrivals, alarm: Alarm::new()?, waiting, waiting_len_max, free })
    }

    /// Says that a connection can take a request.
    pub(crate) fn list(&mut self, place: usize, connection: &mut Connection) {
        if !connection.is_listed {
            connection.is_listed = true;
            self.free.push_back(place);
        }
    }

    /// The connection that was free for longest.
    pub(crate) fn take_free(&mut self, connections: &mut [Connection], depth: usize) -> Option<usize> {
        loop {
            let place = self.free.pop_front()?;
            let connection = &mut connections[place];
            connection.is_listed = false;
            if connection.can_take(depth) {
                return Some(place);
            }
        }
    }

    /// Lets a request wait. `false` if there is no room.
    pub(crate) fn wait(&mut self, intended_ns: u64) -> bool {
        let has_room = self.waiting.len() < self.waiting_len_max;
        if has_room {
            self.waiting.push_back(intended_ns);
        }
        has_room
    }
}
