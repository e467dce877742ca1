//! The connections that a run begins with.

use std::io;
use std::net::TcpStream;

use socket2::SockRef;

use crate::plan::Plan;
use crate::requests::Share;
use crate::run::LoadError;

/// Requests and answers are short: there is nothing to pace. A model of the way, as BBR keeps it, would be charged to the server
/// where both are on one machine: the kernel updates it while the answer is being sent. So clients use Reno (RFC 5681), as the
/// edge does.
const CONGESTION_CONTROL: &[u8] = b"reno";

/// Opens each thread's connections, so that the first requests need not wait for them. When each request makes its
/// own, one is tried and given up: whether anybody listens is known before the run.
pub(crate) fn open(plan: &Plan) -> Result<Vec<Vec<TcpStream>>, LoadError> {
    if plan.new_connections {
        connect(plan)?;
    }
    let shares = (0..plan.thread_count).map(|index| Share { index, count: plan.thread_count });
    shares
        .map(|share| {
            let count = if plan.new_connections { 0 } else { share.part_len(plan.connection_count) };
            (0..count).map(|_| connect(plan)).collect()
        })
        .collect()
}

fn connect(plan: &Plan) -> Result<TcpStream, LoadError> {
    let opened = TcpStream::connect_timeout(&plan.target, plan.timeout).and_then(|stream| {
        set_options(&SockRef::from(&stream))?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    });
    opened.map_err(|source| LoadError::Connect { target: plan.target, source })
}

/// What every client's socket has.
pub(crate) fn set_options(socket: &SockRef<'_>) -> io::Result<()> {
    // A kernel may be built without it, and then goes on with its own.
    let _ = socket.set_tcp_congestion(CONGESTION_CONTROL);
    socket.set_tcp_nodelay(true)
}
