//! The flags of every command that needs the server's configuration.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::config::{File, Layers, Loaded, load, split_setting};

/// Where the configuration comes from; see docs/configuration.md.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct SettingsArgs {
    /// The folder with journals, snapshots and secrets.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where buyers and organisers are served.
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Where metrics and health are served.
    #[arg(long, value_name = "ADDR")]
    admin_listen: Option<SocketAddr>,
    /// A configuration file (TOML).
    #[arg(long, value_name = "FILE", env = "ONRUSH_CONFIG")]
    config: Option<PathBuf>,
    /// Any other key of the configuration; may be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = split_setting)]
    set: Vec<(String, String)>,
}

impl SettingsArgs {
    /// The effective configuration: defaults, file, environment, command line.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub(crate) fn load(&self) -> anyhow::Result<Loaded> {
        let file = match &self.config {
            None => None,
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                Some(File { name: path.display().to_string(), text })
            }
        };
        let environment = std::env::vars_os().collect();
        Ok(load(Layers { file, environment, command_line: self.command_line() })?)
    }

    fn command_line(&self) -> Vec<(String, String)> {
        let data = self.data.as_ref().map(|path| path.display().to_string());
        let addresses = [("listen", self.listen), ("admin_listen", self.admin_listen)];
        let named =
            addresses.into_iter().filter_map(|(key, address)| Some((key.to_owned(), address?.to_string())));
        data.into_iter()
            .map(|data| ("data".to_owned(), data))
            .chain(named)
            .chain(self.set.iter().cloned())
            .collect()
    }
}
