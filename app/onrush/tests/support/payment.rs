//! A payment provider's word, from a test that plays the provider.

use domain::UnixMs;
use payments::Signer;
use serde_json::json;

use super::http::Ask;
use super::server::{House, WITH_SIMULATOR};

/// The simulator is there and never calls back: the test does.
pub(crate) const BY_HAND: [&str; 3] =
    [WITH_SIMULATOR[0], WITH_SIMULATOR[1], "payments.simulator.never_percent=100"];

/// Signs callbacks with the folder's secret.
pub(crate) struct Provider {
    signer: Signer,
}

impl Provider {
    pub(crate) fn new(house: &House) -> Provider {
        let secret = std::fs::read_to_string(house.data().join("secrets/payments.key")).expect("a secret");
        Provider { signer: Signer::new(secret.trim().as_bytes()).expect("it is long enough") }
    }

    /// The word that a payment came.
    pub(crate) fn paid(&self, (order, payment, amount): (&str, &str, u64)) -> Ask {
        let body = json!({
            "payment": payment, "order": order, "amount": amount, "currency": "EUR", "result": "succeeded",
        });
        let now = u64::try_from(jiff::Timestamp::now().as_millisecond()).expect("after 1970");
        let signature = self.signer.sign(body.to_string().as_bytes(), UnixMs(now));
        Ask::post("/v1/payments/simulator/callback").header("Onrush-Signature", &signature).json(&body)
    }
}
