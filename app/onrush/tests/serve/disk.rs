//! Disks that take no more: the server says so and ends, has promised nothing that is not there, and starts
//! again when there is room.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Resource, Rlimit, geteuid, prlimit};

use super::support::http::Ask;
use super::support::onrush::{BINARY, ran};
use super::support::sale::{Shop, basket, definition};
use super::support::server::{House, Server, verified};

const SMALL: [&str; 1] = ["journal.segment_size_bytes=1048576"];

/// Stands in for a full disk everywhere: writes beyond the limit fail. The signal that comes with it is
/// ignored by the shell and so by the server, which then sees the error.
fn without_signal(house: &House, settings: &[&str]) -> Command {
    let mut command = house.command(settings);
    let words: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", BINARY]).args(words);
    for (name, value) in command.stdin(std::process::Stdio::null()).get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

fn limit_files(server: &Server, size_bytes: Option<u64>) {
    let limit = Rlimit { current: size_bytes, maximum: None };
    prlimit(Some(server.pid()), Resource::Fsize, limit).expect("it is our child");
}

// covers: I5
#[test]
fn disk_that_takes_no_more_ends_the_server_and_no_promise_is_broken() {
    let house = House::new();
    let server = house.serve_as(without_signal(&house, &SMALL));
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 100, 600)));
    let tokens = super::support::onrush::tokens(&house.data(), "b", 20);
    let asks: Vec<Ask> = tokens.iter().map(|token| shop.order(token, ("k", &basket(1)))).collect();
    let (before, after) = asks.split_at(10);
    let told: Vec<String> = before.iter().map(|ask| server.ask(ask).expect(201).body).collect();
    limit_files(&server, Some(4_096));
    for ask in after {
        // The first is answered that it cannot be; then nobody is there.
        if let Ok(reply) = server.connect_or_gone().and_then(|mut connection| connection.ask(ask)) {
            assert_eq!(reply.status, 503, "{reply:?}");
            assert!(reply.header("retry-after").is_some());
        }
    }
    assert_stopped(server, "the journal cannot be written and stops");
    start_again(&house, (before, &told), "gig");
}

#[test]
fn full_file_system_ends_the_server_and_no_promise_is_broken() {
    let house = House::new();
    let Some(_mounted) = Mounted::small(&house.data()) else {
        println!("no file system can be mounted here; the test with a limit on files stands in for it");
        return;
    };
    let server = house.serve(&SMALL);
    let shop = Shop::open(&house, &server, ("gig", &definition("gig", 5_000, 600)));
    let tokens = super::support::onrush::tokens(&house.data(), "b", 5_000);
    let asks: Vec<Ask> = tokens.iter().map(|token| shop.order(token, ("k", &basket(1)))).collect();
    let mut told = Vec::new();
    for ask in &asks {
        match server.connect_or_gone().and_then(|mut connection| connection.ask(ask)) {
            Ok(reply) if reply.status == 201 => told.push(reply.body),
            Ok(reply) => assert_eq!(reply.status, 503, "{reply:?}"),
            Err(_gone) => break,
        }
    }
    assert!(!told.is_empty() && told.len() < asks.len(), "{} orders fit", told.len());
    assert_stopped(server, "No space left on device");
    assert!(Mounted::grow(&house.data()), "the mount can be made larger");
    start_again(&house, (&asks[..told.len()], &told), "gig");
}

#[test]
fn full_disk_is_said_at_the_start() {
    let house = House::new();
    house.serve(&SMALL).stop();
    let mut command = Command::new("prlimit");
    command.arg("--fsize=4096").arg("sh").args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", BINARY]);
    let fresh = House::new();
    let refused = ran(command.args(fresh.words(&SMALL)).output().unwrap());
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(refused.stderr.contains("File too large"), "{refused:?}");
    assert!(!refused.stdout.contains("listening"), "{refused:?}");
    let server = fresh.serve(&SMALL);
    server.stop();
}

#[test]
fn read_only_folder_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, Permissions::from_mode(0o555)).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let mut command = command_without_rights(folder.path());
    let data = data.to_str().unwrap();
    command.args(["serve", "--data", data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    let refused = ran(command.output().unwrap());
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(refused.stderr.contains("Permission denied") && refused.stderr.contains(data), "{refused:?}");
}

/// The binary as somebody whom permissions stop: root reads and writes everything.
fn command_without_rights(folder: &Path) -> Command {
    const NOBODY: u32 = 65_534;
    if !geteuid().is_root() {
        return Command::new(BINARY);
    }
    let copy = folder.join("onrush");
    // In a process of its own: a file that this one has open for writing is inherited by whatever another test starts in
    // that moment, and nobody can run it until that has ended.
    let copied = Command::new("cp").args([Path::new(BINARY), &copy]).status().unwrap();
    assert!(copied.success(), "{copied}");
    let mut command = Command::new(copy);
    command.uid(NOBODY).gid(NOBODY).current_dir("/");
    command
}

#[track_caller]
fn assert_stopped(server: Server, reason: &str) {
    let (status, log) = server.ended();
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("the server cannot go on; what was confirmed is durable"), "{log}");
    assert!(log.contains(reason), "{log}");
}

/// With room again all that was told is there, and nothing besides.
#[track_caller]
fn start_again(house: &House, (asks, told): (&[Ask], &[String]), sale: &'static str) {
    let server = house.serve(&SMALL);
    let shop = Shop { server: &server, admin_key: house.admin_key(), sale };
    let (orders, units) = shop.books();
    // The last one may have become durable while its answer did not get out.
    assert!((asks.len()..=asks.len() + 1).contains(&orders.len()), "{} of {}", orders.len(), asks.len());
    assert_eq!(units.held, u64::try_from(orders.len()).unwrap());
    let mut connection = server.connect();
    for (ask, first) in asks.iter().zip(told) {
        assert_eq!(connection.ask(ask).unwrap().expect(201).body, *first);
    }
    server.stop();
    assert!(verified(&house.data()).ends_with("clean\n"));
}

/// A small file system in memory; only root can have one.
struct Mounted(PathBuf);

impl Mounted {
    fn small(folder: &Path) -> Option<Mounted> {
        fs::create_dir(folder).unwrap();
        mount(&["-t", "tmpfs", "-o", "size=6m", "tmpfs"], folder).then(|| Mounted(folder.to_owned()))
    }

    fn grow(folder: &Path) -> bool {
        mount(&["-o", "remount,size=64m"], folder)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: a server of a failed test may still be in it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(words: &[&str], folder: &Path) -> bool {
    Command::new("mount").args(words).arg(folder).output().is_ok_and(|output| output.status.success())
}
