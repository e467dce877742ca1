//! The one binary: command line, configuration, roles, wiring, threads.
//!
//! All business is in the rooms below; here they are joined and run. Start with [`cli`], then [`serve`].

pub mod cli;
mod client;
pub mod config;
pub mod demo;
pub mod explain_cmd;
pub mod installation;
pub mod journal_cmd;
pub mod key_cmd;
pub mod load_cmd;
mod logging;
pub mod sale_apply;
pub mod serve;
mod settings;
mod story;
pub mod token;
pub mod verify_cmd;
