//! `onrush serve`.

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::{Running, io, start};
use crate::config::Config;
use crate::settings::SettingsArgs;

/// Runs a server until SIGTERM or SIGINT.
#[derive(Args, Debug)]
pub struct ServeArgs {
    #[command(flatten)]
    settings: SettingsArgs,
}

/// Runs `onrush serve`.
///
/// # Errors
/// When the server cannot start, or fails while it runs.
pub fn serve(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    let loaded = args.settings.load()?;
    crate::logging::start(&loaded.config.log);
    serve_until_signal(&loaded.config)
}

fn serve_until_signal(config: &Config) -> anyhow::Result<ExitCode> {
    let runtime = io::runtime()?;
    // Before anything is started, so that no signal is missed.
    let (mut terminate, mut interrupt) = {
        let _entered = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    let mut running = start(config)?;
    announce(&running);
    let failure = runtime.block_on(async {
        tokio::select! {
            _ = terminate.recv() => None,
            _ = interrupt.recv() => None,
            failure = running.failed() => Some(failure),
        }
    });
    if let Some(failure) = failure {
        let (thread, reason) = (&failure.thread, &failure.reason);
        tracing::error!(
            thread,
            reason,
            "the server cannot go on; what was confirmed is durable, nothing else was promised"
        );
        // Not a stop with its last writes: what failed must not be asked for more.
        std::process::exit(1);
    }
    tracing::info!("stopping: finishing what was taken");
    running.stop().context("the server did not stop in order")?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// What a person at the terminal needs to know. The key is shown this once.
#[expect(clippy::print_stdout, reason = "the terminal is asked for; the log goes to stderr")]
fn announce(running: &Running) {
    if let Some(key) = running.new_admin_key() {
        println!("admin key, shown this once: {}", key.as_str());
    }
    println!(
        "listening on http://{}, metrics on http://{}/metrics",
        running.listen_addr(),
        running.admin_addr()
    );
}
