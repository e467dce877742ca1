//! `onrush serve` as a child process on free ports.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::http::{Ask, Connection, Reply};
use super::onrush::{self, wait};
use super::{PATIENCE, until};

/// Other tests use the same disk, and may hold up a write for longer than anybody should wait: only a test that sets a bound
/// of its own is about this.
const BUSY_MACHINE: &str = "inbox_wait_ms_max=600000";

/// A data folder and who may administer it, over many starts.
pub(crate) struct House {
    dir: TempDir,
    admin_key: RefCell<Option<String>>,
}

/// A server that runs. It is killed when dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) admin_address: SocketAddr,
    log: PathBuf,
}

/// What the two lines at a start say.
struct Announced {
    admin_key: Option<String>,
    address: SocketAddr,
    admin_address: SocketAddr,
}

/// Switches the payment simulator on, at a free port.
pub(crate) const WITH_SIMULATOR: [&str; 3] = [
    "payments.simulator.enabled=true",
    "payments.simulator.listen=127.0.0.1:0",
    "payments.simulator.delay_ms=20",
];

impl House {
    pub(crate) fn new() -> House {
        House { dir: TempDir::new().expect("a temporary folder"), admin_key: RefCell::new(None) }
    }

    /// Another house with a copy of the data folder as it is, and the same key.
    pub(crate) fn copy(&self) -> House {
        let copy = House { admin_key: self.admin_key.clone(), ..House::new() };
        copy_folder(&self.data(), &copy.data());
        copy
    }

    /// A file of the test's, beside the data folder.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The key that the first start showed.
    pub(crate) fn admin_key(&self) -> String {
        self.admin_key.borrow().clone().expect("the first start shows a key")
    }

    pub(crate) fn token(&self, buyer: &str) -> String {
        onrush::token(&self.data(), buyer)
    }

    /// The words that start a server here, with further settings.
    pub(crate) fn words(&self, settings: &[&str]) -> Vec<String> {
        let data = self.data().display().to_string();
        let fixed = ["serve", "--data", &data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
        let set = [BUSY_MACHINE].iter().chain(settings).flat_map(|setting| ["--set", setting]);
        fixed.into_iter().chain(set).map(str::to_owned).collect()
    }

    pub(crate) fn command(&self, settings: &[&str]) -> Command {
        let words = self.words(settings);
        onrush::command(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Starts a server and waits until it listens.
    #[track_caller]
    pub(crate) fn serve(&self, settings: &[&str]) -> Server {
        self.serve_as(self.command(settings))
    }

    /// The same, from a command of one's own.
    #[track_caller]
    pub(crate) fn serve_as(&self, command: Command) -> Server {
        self.try_serve_as(command)
            .unwrap_or_else(|(status, log)| panic!("the server did not start ({status}): {log}"))
    }

    /// The same, when it may not start: how it ended then, and the log.
    #[track_caller]
    pub(crate) fn try_serve_as(&self, mut command: Command) -> Result<Server, (ExitStatus, String)> {
        let log = self.beside("log");
        let stderr = File::create(&log).expect("a log file");
        let mut child =
            command.stdout(Stdio::piped()).stderr(stderr).spawn().expect("the binary can be started");
        let Some(announced) = listen(&mut child) else {
            let status = wait(&mut child);
            return Err((status, fs::read_to_string(&log).unwrap_or_default()));
        };
        if announced.admin_key.is_some() {
            *self.admin_key.borrow_mut() = announced.admin_key;
        }
        Ok(Server { child, address: announced.address, admin_address: announced.admin_address, log })
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a new folder");
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry")) {
        let to = to.join(entry.file_name());
        match entry.file_type().expect("a file or a folder").is_dir() {
            true => copy_folder(&entry.path(), &to),
            false => fs::copy(entry.path(), to).map(drop).expect("there is room"),
        }
    }
}

/// Reads what a start prints. `None` when it ends without.
fn listen(child: &mut Child) -> Option<Announced> {
    let stdout = child.stdout.take().expect("it is piped");
    let (sender, announced) = mpsc::channel();
    // Reads on to the end, so that the server never waits for a reader.
    thread::spawn(move || {
        let mut admin_key = None;
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(key) = line.strip_prefix("admin key, shown this once: ") {
                admin_key = Some(key.to_owned());
            } else if let Some((address, admin_address)) = addresses(&line) {
                let _ = sender.send(Announced { admin_key: admin_key.take(), address, admin_address });
            }
        }
    });
    announced.recv_timeout(PATIENCE).ok()
}

fn addresses(line: &str) -> Option<(SocketAddr, SocketAddr)> {
    let rest = line.strip_prefix("listening on http://")?;
    let (address, rest) = rest.split_once(", metrics on http://")?;
    Some((address.parse().ok()?, rest.strip_suffix("/metrics")?.parse().ok()?))
}

impl Server {
    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.address).expect("the server listens")
    }

    /// A connection, if the server is still there.
    pub(crate) fn connect_or_gone(&self) -> io::Result<Connection> {
        Connection::open(self.address)
    }

    /// Asks on a connection of its own.
    #[track_caller]
    pub(crate) fn ask(&self, ask: &Ask) -> Reply {
        self.connect().ask(ask).unwrap_or_else(|error| panic!("{error}: {ask:?}; log: {}", self.log()))
    }

    #[track_caller]
    pub(crate) fn ask_admin(&self, path: &str) -> Reply {
        let mut connection = Connection::open(self.admin_address).expect("the admin listener is there");
        connection.ask(&Ask::get(path)).expect("it answers")
    }

    /// The sum of a metric over its labels.
    #[track_caller]
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let metrics = self.ask_admin("/metrics").body;
        let values = metrics.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            rest.starts_with([' ', '{']).then(|| rest.rsplit(' ').next()?.parse::<u64>().ok())?
        });
        values.sum()
    }

    /// The most memory that it ever had, in bytes.
    #[track_caller]
    pub(crate) fn memory_bytes_max(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says it");
        let kib = line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number");
        kib << 10
    }

    /// The log so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("the log can be read")
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        kill_process(self.pid(), Signal::TERM).expect("it is our child");
    }

    /// SIGTERM, unless it has ended by itself.
    pub(crate) fn terminate_if_there(&self) {
        // Until it is waited for, its number is nobody else's: an ended one takes the signal without harm.
        let _ = kill_process(self.pid(), Signal::TERM);
    }

    /// Waits for the end; returns how it ended and the log.
    #[track_caller]
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        let status = wait(&mut self.child);
        (status, self.log())
    }

    /// SIGTERM, and a good end.
    #[track_caller]
    pub(crate) fn stop(self) -> String {
        self.terminate();
        let (status, log) = self.ended();
        assert!(status.success(), "{status}: {log}");
        log
    }

    /// SIGKILL: the end without a word.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it is our child");
        wait(&mut self.child);
    }

    /// Waits until the log says so.
    #[track_caller]
    pub(crate) fn says(&self, words: &str) {
        until(words, || self.log().contains(words).then_some(()));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error says that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `onrush journal verify`: must be clean; returns what it says.
#[track_caller]
pub(crate) fn verified(data: &Path) -> String {
    onrush::run_well(&["journal", "verify", data.to_str().expect("a text")])
}
