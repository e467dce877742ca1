//! The connections that a run begins with.

use std::net::TcpStream;

use crate::plan::Plan;
use crate::requests::Share;
use crate::run::LoadError;

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
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    });
    opened.map_err(|source| LoadError::Connect { target: plan.target, source })
}
