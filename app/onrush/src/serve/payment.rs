//! Where buyers pay: the payment simulator, when it is switched on.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context;
use edge::PaymentDesk;
use payments::simulator::{self, SimulatorClientConfig, SimulatorConfig};
use payments::{Signer, Simulator};
use tokio::sync::watch;

use super::io;
use crate::config::Config;
use crate::installation::{Installation, SecretName};

/// Charges asked of a payment provider at one time, and how long one may take.
const CHARGE_COUNT_MAX: usize = 64;
const CHARGE_TIMEOUT_MS: u64 = 5_000;

/// Starts the simulator on a thread of its own; returns the way to it. It calls back at `listen_addr`.
pub(super) fn start_simulator(
    config: &Config,
    installation: &Installation,
    (listen_addr, stop): (SocketAddr, watch::Receiver<bool>),
) -> anyhow::Result<(PaymentDesk, JoinHandle<()>)> {
    let secret = secret(config, installation)?;
    let signer = Signer::new(&secret).context("the secret for payment callbacks is too short")?;
    let settings = &config.payments.simulator;
    let simulated = SimulatorConfig {
        seed: settings.seed,
        fail_percent: settings.fail_percent,
        delay_ms: settings.delay_ms,
        late_percent: settings.late_percent,
        late_ms: settings.late_ms,
        twice_percent: settings.twice_percent,
        never_percent: settings.never_percent,
        ..SimulatorConfig::new(signer.clone())
    };
    let (address, mut listeners) = io::bind(settings.listen, 1)?;
    let listener = listeners.pop().expect("one was asked for");
    let thread = io::start_aside("payments", listener, stop, async move |listener, stopped| {
        simulator::serve(listener, simulated, stopped).await;
    })?;
    tracing::warn!(%address, "the payment simulator runs: everybody can pay without money");
    let client = SimulatorClientConfig {
        url: format!("http://{}", reachable(address)),
        signer,
        connection_count_max: CHARGE_COUNT_MAX,
        timeout_ms: CHARGE_TIMEOUT_MS,
    };
    let callback_url = format!("http://{}/v1/payments/simulator/callback", reachable(listen_addr));
    Ok((PaymentDesk { provider: Arc::new(Simulator::new(client)?), callback_url }, thread))
}

/// Under which secret payment callbacks are signed.
fn secret(config: &Config, installation: &Installation) -> anyhow::Result<Vec<u8>> {
    match (&config.payments.secret, &config.payments.secret_file) {
        (Some(secret), _) => Ok(secret.reveal().as_bytes().to_vec()),
        (None, Some(path)) => {
            let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            Ok(text.trim_ascii().to_vec())
        }
        (None, None) => installation.secret(SecretName::Payments),
    }
}

/// An address that this machine reaches: "everywhere" is listened on, not connected to.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => (Ipv4Addr::LOCALHOST, v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => (Ipv6Addr::LOCALHOST, v6.port()).into(),
        address => address,
    }
}
