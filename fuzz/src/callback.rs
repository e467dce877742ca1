//! Payment callbacks: a body is believed only under a signature that was made with the shared secret, and what is
//! believed says what the JSON says.

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use domain::{Currency, PaymentId, PaymentResult, UnixMs};
use payments::provider::Provider;
use payments::simulator::SimulatorClientConfig;
use payments::{CallbackError, Event, Signer, Simulator};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

const NOW: UnixMs = UnixMs(1_800_000_000_500);
const SECRET: &[u8] = b"a secret that the fuzzer does not know";

static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::new(SECRET).expect("long enough"));
static PROVIDER: LazyLock<Simulator> = LazyLock::new(|| {
    let url = "http://127.0.0.1:1".to_owned();
    let config =
        SimulatorClientConfig { url, signer: SIGNER.clone(), connection_count_max: 1, timeout_ms: 1 };
    Simulator::new(config).expect("an address")
});

/// The header's value up to the first line feed, then the body.
pub fn run(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (header, body) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    check_foreign(header, body);
    check_signed(body, header.first().copied().unwrap_or_default());
}

/// A header that was not made here.
fn check_foreign(header: &[u8], body: &[u8]) {
    for header in [None, Some(header)] {
        match PROVIDER.verify(header, body, NOW) {
            Ok(_) | Err(CallbackError::BodyMalformed(_) | CallbackError::BodyField { .. }) => {
                assert!(holds_right_mac(header.unwrap_or_default(), body), "a forged signature is believed");
            }
            Err(error) => {
                assert!(error.code().starts_with("signature_") || error.code() == "callback_too_large")
            }
        }
    }
}

/// Whether the header holds the MAC of the body and of the instant that it names.
fn holds_right_mac(header: &[u8], body: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(header) else { return false };
    let instant = text.split(',').find_map(|part| part.trim().strip_prefix("t="));
    let Some(seconds) = instant.and_then(|digits| digits.parse::<u64>().ok()) else { return false };
    let right = SIGNER.sign(body, UnixMs(seconds * 1_000));
    let mac = right.split_once("v1=").expect("a signature has a MAC").1;
    text.to_ascii_lowercase().contains(mac)
}

/// The body under a right signature, and under one that is wrong in one place.
fn check_signed(body: &[u8], place: u8) {
    let header = SIGNER.sign(body, NOW);
    match PROVIDER.verify(Some(header.as_bytes()), body, NOW) {
        Ok(event) => match read_slowly(body) {
            Some(read) => assert_eq!(event, read, "the event is not what the JSON says"),
            None => assert!(!is_plain(body), "believed: {}", String::from_utf8_lossy(body)),
        },
        Err(CallbackError::BodyTooLarge { .. }) => return,
        Err(error) => {
            assert_eq!(error.code(), "callback_malformed");
            assert!(says_twice(body) || read_slowly(body).is_none(), "{error}");
        }
    }
    let mut forged = header.into_bytes();
    let digit_at = forged.len() - 1 - usize::from(place % 64);
    forged[digit_at] = if forged[digit_at] == b'0' { b'1' } else { b'0' };
    let refused = PROVIDER.verify(Some(&forged), body, NOW).expect_err("a changed MAC is believed");
    assert_eq!(refused.code(), "signature_mismatch");
}

/// Whether the body is an object whose result is a text. serde takes a list and `{"succeeded":null}` as well, which a
/// provider that knows the secret may write if it likes.
fn is_plain(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok_and(|value| value["result"].is_string())
}

/// Whether some member stands twice: then the last one may be right where serde stopped at the first.
fn says_twice(body: &[u8]) -> bool {
    serde_json::from_slice::<Names>(body).is_ok_and(|Names { has_one_twice }| has_one_twice)
}

/// The names of an object's members.
struct Names {
    has_one_twice: bool,
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Names, D::Error> {
        deserializer.deserialize_map(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Names, A::Error> {
        let (mut names, mut has_one_twice) = (HashSet::new(), false);
        while let Some((name, _)) = members.next_entry::<String, IgnoredAny>()? {
            has_one_twice |= !names.insert(name);
        }
        Ok(Names { has_one_twice })
    }
}

/// What a body says, read by hand. Members that are not known are left alone; of one that comes twice, serde refuses.
fn read_slowly(body: &[u8]) -> Option<Event> {
    let Value::Object(members) = serde_json::from_slice(body).ok()? else { return None };
    let text = |name: &str| members.get(name)?.as_str();
    let payment = text("payment").filter(|payment| (1..=255).contains(&payment.len()))?;
    Some(Event {
        payment: PaymentId::from_text(payment),
        order_code: text("order")?.to_owned(),
        amount: domain::Amount(members.get("amount")?.as_u64()?),
        currency: Currency::new(text("currency")?)?,
        result: match text("result")? {
            "succeeded" => PaymentResult::Succeeded,
            "failed" => PaymentResult::Failed,
            _ => return None,
        },
    })
}
