//! Structured logs on stderr: one line for each change of a process or a sale, nothing per request above DEBUG.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Starts logging as configured. A second call changes nothing.
pub(crate) fn start(config: &Log) {
    let filter = EnvFilter::new(config.level.word());
    let colours = std::io::stderr().is_terminal();
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    let started = match config.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    // An error says that a test or a demo has started it already.
    drop(started);
}
