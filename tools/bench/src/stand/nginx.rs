//! nginx with a fixed answer: what a web server costs that does nothing at all.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::num::NonZero;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{bail, ensure};
use tempfile::TempDir;

use crate::process::{Process, log_tail};
use crate::site::Site;

const START_TRIES: u32 = 500;
const START_PAUSE: Duration = Duration::from_millis(10);

/// A master process and its workers.
pub(crate) struct Nginx {
    process: Process,
    pub(crate) address: SocketAddr,
    _folder: TempDir,
}

impl Nginx {
    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn start(site: &Site) -> anyhow::Result<Nginx> {
        let folder = tempfile::Builder::new().prefix("nginx-").tempdir_in(site.folder())?;
        // nginx cannot be asked for any free port; between here and its start somebody else may take this one.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, configuration(address, thread::available_parallelism()?))?;
        let log: PathBuf = folder.path().join("nginx.log");
        let mut nginx = Command::new("nginx");
        nginx.arg("-p").arg(folder.path()).arg("-c").arg(&file).args(["-e", "stderr"]);
        let mut process = Process::start_logged(&mut nginx, &log)?;
        for _ in 0..START_TRIES {
            if TcpStream::connect(address).is_ok() {
                return Ok(Nginx { process, address, _folder: folder });
            }
            ensure!(!process.has_ended()?, "nginx ended at its start:\n{}", log_tail(&log));
            thread::sleep(START_PAUSE);
        }
        bail!("nginx does not listen:\n{}", log_tail(&log))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it does not end.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        self.process.stop().map(|_status| ())
    }
}

/// As it is set up for many small answers: a worker for each core that it may have, connections that stay open, no log of requests.
fn configuration(address: SocketAddr, core_count: NonZero<usize>) -> String {
    let answer = edge::hello::BODY;
    format!(
        "daemon off;\nworker_processes {core_count};\nerror_log stderr error;\npid nginx.pid;\n\
         events {{ worker_connections 4096; }}\n\
         http {{\n  access_log off;\n  keepalive_requests 1000000000;\n  tcp_nodelay on;\n  server_tokens off;\n  \
         default_type application/json;\n  client_body_temp_path body;\n  proxy_temp_path proxy;\n  \
         fastcgi_temp_path fastcgi;\n  uwsgi_temp_path uwsgi;\n  scgi_temp_path scgi;\n  \
         server {{ listen {address} backlog=4096; location / {{ return 200 '{answer}'; }} }}\n}}\n"
    )
}
