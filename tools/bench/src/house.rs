//! The Onrush that is measured: a real server on a data folder of its own, with one sale; and what its journal
//! says afterwards.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

use crate::arm::{Arm, ITEM, SALE};
use crate::http_client::Client;
use crate::server::Server;

const ADMIN_KEY: &str = "admin key, shown this once: ";
/// Longer than any run.
const HOLD_TTL_SECONDS: u32 = 3_600;
const SECRET_SIZE_BYTES: usize = 32;

/// What every house of a run shares: the program and the secret of the buyers' tokens.
pub(crate) struct Site {
    bin: PathBuf,
    /// Holds everything that a run writes.
    folder: TempDir,
}

/// A server with an open sale.
pub(crate) struct House<'a> {
    site: &'a Site,
    data: TempDir,
    pub(crate) server: Server,
}

/// What a journal says that was sold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Sold {
    pub(crate) orders: u64,
    pub(crate) units: u64,
    pub(crate) stock: u64,
    pub(crate) free: u64,
    pub(crate) held: u64,
}

impl Site {
    /// A place under `parent` for runs of that program.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn new(bin: PathBuf, parent: &Path) -> anyhow::Result<Site> {
        let folder = tempfile::Builder::new().prefix("onrush-bench-").tempdir_in(parent);
        let folder = folder.with_context(|| format!("cannot write in {}", parent.display()))?;
        let site = Site { bin, folder };
        let mut random = [0; SECRET_SIZE_BYTES];
        std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut random)?;
        let secret: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        std::fs::write(site.secret_file(), secret)?;
        Ok(site)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn secret_file(&self) -> PathBuf {
        self.folder().join("tokens.key")
    }

    /// Writes so many tokens of different buyers, one per line, into a file for each name and count.
    ///
    /// # Errors
    /// When `onrush token` fails.
    pub(crate) fn tokens<const N: usize>(&self, files: [(&str, u32); N]) -> anyhow::Result<[PathBuf; N]> {
        // The command wants a data folder, as it stands after a first start.
        let house = self.open(&mut self.command("serve"), Arm::Order)?;
        house.server.stop()?;
        let paths = files.map(|(name, _)| self.folder().join(format!("{name}.tokens")));
        for ((name, count), path) in files.iter().zip(&paths) {
            let mut command = self.command("token");
            command.arg("--data").arg(house.data.path()).args([
                "--buyer",
                name,
                "--count",
                &count.to_string(),
            ]);
            let output = run(&mut command)?;
            std::fs::write(path, output.stdout)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(paths)
    }

    /// The program with one of its commands, told which secret signs tokens, and nothing by this process's environment.
    pub(crate) fn command(&self, name: &str) -> Command {
        self.wrapped::<&str>(&[], name)
    }

    /// The same, called by another program: `wrapper` and then the command.
    pub(crate) fn wrapped<S: AsRef<OsStr>>(&self, wrapper: &[S], name: &str) -> Command {
        let mut words = wrapper.iter().map(AsRef::as_ref).chain([self.bin.as_os_str()]);
        let mut command = Command::new(words.next().expect("there is the program itself"));
        command.args(words).arg(name);
        if matches!(name, "serve" | "token") {
            command.arg("--set").arg(format!("tokens.secret_file={}", self.secret_file().display()));
        }
        for (key, _) in std::env::vars_os().filter(|(key, _)| key.as_encoded_bytes().starts_with(b"ONRUSH_"))
        {
            command.env_remove(key);
        }
        command
    }

    /// Starts a server by `command` (serve) on a new data folder, and opens the sale that the arm needs.
    ///
    /// # Errors
    /// When any of that fails.
    pub(crate) fn open(&self, command: &mut Command, arm: Arm) -> anyhow::Result<House<'_>> {
        let data = tempfile::Builder::new().prefix("data-").tempdir_in(self.folder())?;
        command.arg("--data").arg(data.path());
        command.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--set", "log.level=warn"]);
        let server = Server::start(command)?;
        let key = server.greeting.iter().find_map(|line| line.strip_prefix(ADMIN_KEY));
        let key = key.context("a new server did not print its admin key")?.to_owned();
        let file = self.folder().join("sale.toml");
        std::fs::write(&file, sale_definition(arm.stock()))?;
        let mut apply = self.command("sale");
        apply.arg("apply").arg(file).arg("--yes").args(["--url", &format!("http://{}", server.address)]);
        run(apply.args(["--admin-key", &key]))?;
        Ok(House { site: self, data, server })
    }
}

impl House<'_> {
    /// Sends one request and makes sure that its answer is the arm's.
    ///
    /// # Errors
    /// When it is not.
    pub(crate) fn try_once(&self, arm: Arm, token: &str) -> anyhow::Result<()> {
        try_once(self.server.address, arm, token)
    }

    /// Stops the server, has `onrush journal verify` read everything it wrote, and says what was sold.
    ///
    /// # Errors
    /// When the server did not stop in order, or the journal is not sound.
    pub(crate) fn close(self) -> anyhow::Result<Sold> {
        let status = self.server.stop()?;
        ensure!(status.success(), "the server did not stop in order: {status}");
        let mut verify = self.site.command("journal");
        let output = run(verify.arg("verify").arg(self.data.path()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        sold(&text).with_context(|| format!("cannot understand what `onrush journal verify` says:\n{text}"))
    }
}

fn try_once(address: SocketAddr, arm: Arm, token: &str) -> anyhow::Result<()> {
    let mut client = Client::connect(address)?;
    client.send(&arm.shape().request(token, "first"))?;
    let reply = client.receive()?;
    let is_right = reply.status == arm.status() && reply.body.contains(arm.mark());
    ensure!(is_right, "arm {}: the answer is {} {}", arm.name(), reply.status, reply.body);
    Ok(())
}

fn run(command: &mut Command) -> anyhow::Result<Output> {
    let output = command.output().context("cannot start onrush")?;
    if !output.status.success() {
        let words: Vec<_> = command.get_args().take(2).map(OsStr::to_string_lossy).collect();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        bail!("`onrush {}` failed: {}\n{out}{err}", words.join(" "), output.status);
    }
    Ok(output)
}

/// Limits as in an ordinary sale, so that they are checked; open since long ago.
fn sale_definition(stock: u32) -> String {
    format!(
        "sale = \"{SALE}\"\nname = \"Bench\"\ncurrency = \"EUR\"\nopens_at = 2026-01-01T00:00:00Z\n\
         hold_ttl_seconds = {HOLD_TTL_SECONDS}\n[limits]\nper_order = 4\nper_buyer = 4\n\
         [[items]]\nitem = \"{ITEM}\"\nname = \"General admission\"\nunit_price = 12000\nstock = {stock}\n"
    )
}

/// Reads `item ga: stock 9 = free 7 + held 2 + …` and `held: 2 orders, 2 units, …`.
fn sold(text: &str) -> Option<Sold> {
    let numbers = |start: &str| {
        let line = text.lines().map(str::trim).find(|line| line.starts_with(start))?;
        let words = line[start.len()..].split(|c: char| !c.is_ascii_digit());
        Some(words.filter_map(|word| word.parse().ok()).collect::<Vec<u64>>())
    };
    let levels = numbers(&format!("item {ITEM}: "))?;
    let (stock, free, held) = (*levels.first()?, *levels.get(1)?, *levels.get(2)?);
    let (orders, units) = match numbers("held: ") {
        Some(sums) => (*sums.first()?, *sums.get(1)?),
        None => (0, 0),
    };
    Some(Sold { orders, units, stock, free, held })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sold_is_read_from_the_words() {
        let text = "x\n    item ga: stock 9 = free 7 + held 2 + paid 0 + withdrawn 0\n    held: 2 orders, 2 units, 24000 EUR in minor units\n";
        let expected = Sold { orders: 2, units: 2, stock: 9, free: 7, held: 2 };
        assert_eq!(sold(text), Some(expected));
        let nothing = "    item ga: stock 0 = free 0 + held 0 + paid 0 + withdrawn 0\n";
        assert_eq!(sold(nothing), Some(Sold { orders: 0, units: 0, stock: 0, free: 0, held: 0 }));
        assert_eq!(sold("invariants: all hold"), None);
    }
}
