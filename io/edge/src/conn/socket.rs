//! Listening sockets, with the options that short answers want.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that the kernel keeps for us while we are busy.
const BACKLOG: i32 = 4_096;

/// How the kernel paces what leaves: Reno (RFC 5681). An answer of the crowd's routes is one segment of the first window, so there
/// is nothing to pace; a model of the way to each buyer, as BBR keeps it, costs CPU with every segment and is never asked.
const CONGESTION_CONTROL: &[u8] = b"reno";

/// A socket that listens there and does not block. Several may listen on one address: the kernel spreads connections over them
/// (`SO_REUSEPORT`).
///
/// # Errors
/// When the address cannot be had.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    // A kernel may be built without it, and then goes on with its own.
    let _ = socket.set_tcp_congestion(CONGESTION_CONTROL);
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
