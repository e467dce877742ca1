//! `onrush key create`: a further key of the organiser's, or one for a trusted integrator.

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use edge::auth::{Admin, Integrator};

use crate::installation::Installation;
use crate::settings::SettingsArgs;

/// Make a key. It is shown this once; the server knows it from its next start on.
#[derive(Args, Debug)]
pub struct KeyCreateArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    /// What its holder may do.
    #[arg(long, value_enum)]
    role: KeyRole,
}

/// What the holder of a key may do.
#[derive(ValueEnum, Clone, Copy, Debug)]
enum KeyRole {
    /// Make sales and see everything, as the first start's key.
    Admin,
    /// Place orders for buyers, in bulk, and nothing else.
    Integrator,
}

/// Runs the command.
///
/// # Errors
/// When there is no data folder, or the key cannot be stored in it.
#[expect(clippy::print_stdout, reason = "printing is what was asked for")]
pub fn create(args: &KeyCreateArgs) -> anyhow::Result<()> {
    let installation = Installation::open(&args.settings.load()?.config.data);
    let installation = installation.context("start the server first, or name its data folder with --data")?;
    let key = match args.role {
        KeyRole::Admin => installation.create_key::<Admin>()?.as_str().to_owned(),
        KeyRole::Integrator => installation.create_key::<Integrator>()?.as_str().to_owned(),
    };
    println!("{key}");
    Ok(())
}
