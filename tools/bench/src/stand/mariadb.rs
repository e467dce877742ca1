//! MariaDB with InnoDB, each commit synced; without a binary log, which nobody here would read.

use std::path::PathBuf;
use std::process::Command;

use crate::site::{Site, run};
use crate::stand::store::{StoreServer, User, copy, folder};

/// As many as the target says.
const CONNECTIONS: u32 = 16;

/// Starts a server on a new database.
///
/// # Errors
/// When it does not start.
pub(crate) fn start(site: &Site) -> anyhow::Result<StoreServer> {
    let user = User::to_become("mysql")?;
    let template = template(site, user)?;
    let folder = folder(site, user)?;
    let data = folder.path().join("data");
    copy(&template, &data)?;
    let socket = folder.path().join("mariadb.sock");
    let mut mariadb = Command::new("mariadbd");
    mariadb.arg("--no-defaults").arg(format!("--datadir={}", data.display()));
    mariadb.arg(format!("--socket={}", socket.display())).args([
        "--skip-networking",
        "--skip-grant-tables",
        "--innodb-flush-log-at-trx-commit=1",
        "--innodb-buffer-pool-size=1G",
        "--innodb-log-file-size=1G",
        "--transaction-isolation=READ-COMMITTED",
        "--max-connections=100",
    ]);
    StoreServer::start(User::run(user, &mut mariadb), folder, socket, CONNECTIONS)
}

/// A database that is made once.
fn template(site: &Site, user: Option<User>) -> anyhow::Result<PathBuf> {
    let template = site.folder().join("mariadb");
    if !template.exists() {
        let folder = folder(site, user)?;
        let data = folder.path().join("data");
        let mut install = Command::new("mariadb-install-db");
        install.arg("--no-defaults").arg(format!("--datadir={}", data.display()));
        install.args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
        run(User::run(user, install.current_dir("/")))?;
        copy(&data, &template)?;
    }
    Ok(template)
}
