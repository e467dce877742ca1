//! PostgreSQL with what it has by itself, and as much memory as a run needs: every commit is durable.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

use crate::site::{Site, run};
use crate::stand::store::{StoreServer, User, copy, folder};

/// As many as the target says.
const CONNECTIONS: u32 = 64;
/// Where Debian puts the programs, one folder for each version.
const INSTALLED: &str = "/usr/lib/postgresql";

/// Starts a server on a new database.
///
/// # Errors
/// When it does not start.
pub(crate) fn start(site: &Site) -> anyhow::Result<StoreServer> {
    let user = User::to_become("postgres")?;
    let template = template(site, user)?;
    let folder = folder(site, user)?;
    let data = folder.path().join("data");
    copy(&template, &data)?;
    let mut postgres = Command::new(program("postgres")?);
    postgres.arg("-D").arg(&data).arg("-k").arg(folder.path());
    for setting in [
        "listen_addresses=",
        "max_connections=100",
        "shared_buffers=512MB",
        "max_wal_size=8GB",
        "synchronous_commit=on",
        "fsync=on",
    ] {
        postgres.args(["-c", setting]);
    }
    let address = folder.path().to_owned();
    StoreServer::start(User::run(user, &mut postgres), folder, address, CONNECTIONS)
}

/// A database that is made once.
fn template(site: &Site, user: Option<User>) -> anyhow::Result<PathBuf> {
    let template = site.folder().join("postgres");
    if !template.exists() {
        let folder = folder(site, user)?;
        let data = folder.path().join("data");
        let mut initdb = Command::new(program("initdb")?);
        initdb.arg("-D").arg(&data).args(["--username=bench", "--auth=trust", "--no-sync"]);
        run(User::run(user, initdb.current_dir("/")))?;
        copy(&data, &template)?;
    }
    Ok(template)
}

/// The program of that name: of the newest version that is installed.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let folders = std::fs::read_dir(INSTALLED).into_iter().flatten().flatten().map(|entry| entry.path());
    let version = |folder: &PathBuf| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = folders.filter(|folder| folder.join("bin").join(name).is_file()).max_by_key(version);
    let folder =
        newest.with_context(|| format!("PostgreSQL is not installed: no {name} under {INSTALLED}"))?;
    Ok(folder.join("bin").join(name))
}
