//! An arm that is up: its server, the store behind it, and how both are ended and checked.

mod mariadb;
mod nginx;
pub(crate) mod onrush;
mod postgres;
mod redis;
mod store;

use std::net::SocketAddr;
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::arm::{Arm, Behind, Program, Shape};
use crate::http_client::Client;
use crate::ledger::Ledger;
use crate::server::Server;
use crate::site::Site;
use nginx::Nginx;
use onrush::House;
use store::StoreServer;

/// An arm that is up; ended when it goes out of scope.
pub(crate) struct Stand<'a> {
    arm: Arm,
    running: Running<'a>,
}

enum Running<'a> {
    Plain(Server),
    Nginx(Nginx),
    Onrush(House<'a>),
    /// The front goes down before the store.
    Front(Server, Option<StoreServer>),
}

impl<'a> Stand<'a> {
    /// Starts an arm, with nothing sold yet.
    ///
    /// # Errors
    /// When one of its programs does not start.
    pub(crate) fn open(site: &'a Site, arm: Arm) -> anyhow::Result<Stand<'a>> {
        let running = match arm.program() {
            Program::Hello => Running::Plain(Server::start(&mut own("hello")?)?),
            Program::Axum => Running::Plain(Server::start(Command::new(&site.programs.peer).arg("axum"))?),
            Program::Nginx => Running::Nginx(Nginx::start(site)?),
            Program::Onrush => Running::Onrush(House::open(site, &mut site.serve(arm)?, arm)?),
            Program::Front(behind) => front(site, arm, behind)?,
        };
        Ok(Stand { arm, running })
    }

    /// Where it is asked.
    pub(crate) fn address(&self) -> SocketAddr {
        match &self.running {
            Running::Plain(server) | Running::Front(server, _) => server.address,
            Running::Nginx(nginx) => nginx.address,
            Running::Onrush(house) => house.server.address,
        }
    }

    /// Its processes; what these started counts as well.
    pub(crate) fn pids(&self) -> Vec<u32> {
        match &self.running {
            Running::Plain(server) => vec![server.pid()],
            Running::Nginx(nginx) => vec![nginx.pid()],
            Running::Onrush(house) => vec![house.server.pid()],
            Running::Front(server, store) => {
                [server.pid()].into_iter().chain(store.as_ref().map(StoreServer::pid)).collect()
            }
        }
    }

    /// Sends one request and makes sure that its answer is the arm's.
    ///
    /// # Errors
    /// When it is not.
    pub(crate) fn try_once(&self, shape: &Shape, token: &str) -> anyhow::Result<()> {
        let expected = self.arm.expected();
        let mut client = Client::connect(self.address())?;
        client.send(&shape.request(token, "first"))?;
        let reply = client.receive()?;
        let is_right = reply.status == expected.status && reply.body.contains(expected.mark);
        ensure!(is_right, "arm {}: the answer is {} {}", self.arm.name(), reply.status, reply.body);
        Ok(())
    }

    /// Ends it. With what was sold, where anything is.
    ///
    /// # Errors
    /// When it did not end in order, or what it wrote is not sound.
    pub(crate) fn close(self) -> anyhow::Result<Option<Ledger>> {
        match self.running {
            Running::Plain(server) => server.stop().map(|_ended_by_the_signal| None),
            Running::Nginx(nginx) => nginx.stop().map(|()| None),
            Running::Onrush(house) => house.close().map(Some),
            Running::Front(server, store) => {
                let (status, printed) = server.stop()?;
                ensure!(status.success(), "the front did not stop in order: {status}");
                let json = printed.lines().find_map(|line| line.strip_prefix("ledger "));
                let ledger = json.context("the front did not say what was sold")?;
                let ledger = serde_json::from_str(ledger)?;
                let Some(store) = store else { return Ok(None) };
                store.stop()?;
                Ok(Some(ledger))
            }
        }
    }
}

/// This program with one of its commands.
pub(crate) fn own(command: &str) -> anyhow::Result<Command> {
    let mut own = Command::new(std::env::current_exe().context("cannot tell where this program is")?);
    own.arg(command);
    Ok(own)
}

fn front<'a>(site: &'a Site, arm: Arm, behind: Behind) -> anyhow::Result<Running<'a>> {
    let mut front = Command::new(&site.programs.peer);
    let store = match behind {
        Behind::Full => None,
        Behind::Redis(appendfsync) => Some(redis::start(site, appendfsync)?),
        Behind::Mariadb => Some(mariadb::start(site)?),
        Behind::Postgres => Some(postgres::start(site)?),
    };
    let command = match behind {
        Behind::Full => "full",
        Behind::Redis(_) => "redis",
        Behind::Mariadb => "mariadb",
        Behind::Postgres => "postgres",
    };
    front.args(["front", command]).arg("--secret-file").arg(site.secret_file());
    front.args(["--items", &arm.items().to_string(), "--stock", &arm.stock().to_string()]);
    if let Some(store) = &store {
        front.arg("--address").arg(&store.address);
        front.args(["--connections", &store.connections.to_string()]);
    }
    let server = Server::start(&mut front);
    let server = server.with_context(|| store.as_ref().map(StoreServer::log_tail).unwrap_or_default())?;
    Ok(Running::Front(server, store))
}
