//! Connections that are open and ask nothing.

use std::net::SocketAddr;

use anyhow::{Context as _, ensure};

use crate::arm::Arm;
use crate::http_client::Client;

/// Connections that are kept open until this goes out of scope.
pub(crate) struct Idlers {
    _clients: Vec<Client>,
}

impl Idlers {
    /// Opens so many. Each asks once, so that it counts as one that may come back, not as one that never spoke.
    ///
    /// # Errors
    /// When the server, or this machine, does not let in so many.
    pub(crate) fn connect(address: SocketAddr, count: u32) -> anyhow::Result<Idlers> {
        let shape = Arm::Stock.shape().context("a page is asked for by a path")?;
        let mut clients = Vec::new();
        for number in 0..count {
            let mut client = Client::connect(address).with_context(|| format!("connection {number}"))?;
            client.send(&shape.request("nobody", "none"))?;
            let reply = client.receive()?;
            ensure!(reply.status < 500, "connection {number}: the answer is {} {}", reply.status, reply.body);
            clients.push(client);
        }
        Ok(Idlers { _clients: clients })
    }
}
