//! The server of a store, on a folder and a socket of its own.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use tempfile::TempDir;

use crate::process::{Process, log_tail};
use crate::site::Site;

/// A store that runs; ended when it goes out of scope.
pub(crate) struct StoreServer {
    process: Process,
    log: PathBuf,
    /// What the front is told.
    pub(crate) address: PathBuf,
    /// Connections that the front opens.
    pub(crate) connections: u32,
    /// Kept until the server has ended.
    _folder: TempDir,
}

/// A user of this machine, for servers that refuse to run as root.
#[derive(Clone, Copy)]
pub(crate) struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// The user of that name, when this process is root and may become it.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn to_become(name: &str) -> anyhow::Result<Option<User>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let users = std::fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        find(&users, name).map(Some).with_context(|| format!("there is no user {name}"))
    }

    /// Has a command run as this user.
    pub(crate) fn run(user: Option<User>, command: &mut Command) -> &mut Command {
        match user {
            Some(User { uid, gid }) => command.uid(uid).gid(gid),
            None => command,
        }
    }
}

/// `name:password:uid:gid:…` (passwd(5)).
fn find(users: &str, name: &str) -> Option<User> {
    let mut lines = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let fields = lines.find(|fields| fields.first() == Some(&name))?;
    Some(User { uid: fields.get(2)?.parse().ok()?, gid: fields.get(3)?.parse().ok()? })
}

/// A new folder for a store, which belongs to its user.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn folder(site: &Site, user: Option<User>) -> anyhow::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("store-").tempdir_in(site.folder())?;
    if let Some(User { uid, gid }) = user {
        chown(folder.path(), Some(uid), Some(gid)).context("cannot give a folder away")?;
    }
    Ok(folder)
}

impl StoreServer {
    /// Starts a store in that folder.
    ///
    /// # Errors
    /// When there is no such program.
    pub(crate) fn start(
        command: &mut Command,
        folder: TempDir,
        address: PathBuf,
        connections: u32,
    ) -> anyhow::Result<StoreServer> {
        let log = folder.path().join("store.log");
        let process = Process::start_logged(command.current_dir(folder.path()), &log)?;
        Ok(StoreServer { process, log, address, connections, _folder: folder })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub(crate) fn log_tail(&self) -> String {
        log_tail(&self.log)
    }

    /// Asks it to end and waits until it has.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        self.process.stop().map(|_status| ())
    }
}

/// Copies a folder with all that is in it; a database that was made once serves every run.
///
/// # Errors
/// When that fails.
pub(crate) fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let mut copy = Command::new("cp");
    crate::site::run(copy.arg("--archive").arg(from).arg(to)).map(|_output| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_is_found_by_its_whole_name() {
        let users = "root:x:0:0:root:/root:/bin/bash\npostgres:x:101:104:,,,:/var/lib/postgresql:/bin/bash\n";
        let user = find(users, "postgres").unwrap();
        assert_eq!((user.uid, user.gid), (101, 104));
        assert!(find(users, "post").is_none());
    }
}
