//! Redis, as it is set up to keep what it says: an append-only file, synced before each answer or once a second.

use std::process::Command;

use crate::site::Site;
use crate::stand::store::{StoreServer, folder};

/// Starts a server on a folder of its own. It never rewrites its file: a run is shorter than that pays, and the
/// peer is the faster for it.
///
/// # Errors
/// When it does not start.
pub(crate) fn start(site: &Site, appendfsync: &str) -> anyhow::Result<StoreServer> {
    let folder = folder(site, None)?;
    let socket = folder.path().join("redis.sock");
    let mut redis = Command::new("redis-server");
    redis.args(["--port", "0", "--unixsocket"]).arg(&socket).arg("--dir").arg(folder.path());
    redis.args(["--appendonly", "yes", "--appendfsync", appendfsync]);
    redis.args(["--auto-aof-rewrite-percentage", "0", "--save", "", "--daemonize", "no"]);
    StoreServer::start(&mut redis, folder, socket, 1)
}
