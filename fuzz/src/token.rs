//! Buyers' tokens: the short way for HS256 and the library agree on every token, and none is believed that was not
//! signed with the key. A short token is believed exactly when it is the one that is issued for what it says.

use std::sync::LazyLock;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{BuyerId, UnixMs};
use edge::auth::{AuthFault, BuyerTokens, IssueKey, TokenAlgorithm, TokenClaims, TokenRules};
use edge::fuzzing::verify_slowly;
use serde_json::Value;

const NOW: UnixMs = UnixMs(1_796_151_600_000);
const SHORT_PREFIX: &str = "o1.";
const SECRET: &[u8] = b"a secret that the fuzzer does not know";
/// What the common libraries write, chosen by one digit.
const HEADS: [&str; 2] = [r#"{"typ":"JWT","alg":"HS256"}"#, r#"{"alg":"HS256","typ":"JWT"}"#];

static KEY: LazyLock<hmac::Key> = LazyLock::new(|| hmac::Key::new(hmac::HMAC_SHA256, SECRET));
static TOKENS: LazyLock<BuyerTokens> = LazyLock::new(|| {
    let algorithm = TokenAlgorithm::Hs256 { secret: SECRET.to_vec() };
    BuyerTokens::new(&TokenRules { algorithm, audience: None, issuer: None }).expect("long enough")
});

static SHORT: LazyLock<IssueKey> = LazyLock::new(|| IssueKey::short(SECRET).expect("long enough"));

/// A token as it is; taken apart at the first line feed, a head and claims to sign; and the name and the end of a short one.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if text.starts_with(SHORT_PREFIX) {
        check_short(text);
        return;
    }
    let _ = check_any(text);
    let (head, claims) = text.split_once('\n').unwrap_or(("0", text));
    let head = head.parse::<usize>().ok().and_then(|index| HEADS.get(index)).unwrap_or(&head);
    check_signed(head, claims);
}

/// Both ways agree, and a believed token was signed.
fn check_any(token: &str) -> Result<BuyerId, AuthFault> {
    let verified = TOKENS.verify(token, NOW);
    assert_eq!(verified, verify_slowly(&TOKENS, token, NOW), "the two ways differ about {token:?}");
    if matches!(verified, Ok(_) | Err(AuthFault::TokenExpired)) {
        assert!(is_signed(token), "{token:?} was never signed");
    }
    verified
}

/// What is behind the prefix is a name and an end: the token for them is believed, any other with them is not.
fn check_short(text: &str) {
    assert_eq!(TOKENS.verify(text, NOW), Err(AuthFault::TokenInvalid), "nobody issued {text:?}");
    let Some((sub, exp)) = text[SHORT_PREFIX.len()..].rsplit_once('.') else { return };
    let Ok(exp) = exp.parse() else { return };
    let claims = TokenClaims { sub: sub.to_owned(), exp, aud: None, iss: None };
    let Ok(token) = SHORT.issue(&claims) else { return };
    let over = exp.saturating_mul(1_000) <= NOW.0;
    let right = if over { Err(AuthFault::TokenExpired) } else { Ok(BuyerId::from_text(sub)) };
    assert_eq!(TOKENS.verify(&token, NOW), right, "{token}");
    let last = if token.ends_with('A') { 'B' } else { 'A' };
    let forged = format!("{}{last}", &token[..token.len() - 1]);
    assert_eq!(TOKENS.verify(&forged, NOW), Err(AuthFault::TokenInvalid), "a changed MAC is believed");
}

fn is_signed(token: &str) -> bool {
    let Some((signed, signature)) = token.rsplit_once('.') else { return false };
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
    hmac::verify(&KEY, signed.as_bytes(), &signature).is_ok()
}

/// A right signature is believed exactly when the claims allow it, and a wrong one never.
fn check_signed(head: &str, claims: &str) {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims));
    let signature = hmac::sign(&KEY, signed.as_bytes());
    let verified = check_any(&format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&signature)));
    if HEADS.contains(&head) {
        check_claims(verified, claims);
    }
    let mut forged = signature.as_ref().to_vec();
    let place = claims.len() % forged.len();
    forged[place] ^= 1;
    let forged = check_any(&format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&forged)));
    assert_eq!(forged, Err(AuthFault::TokenInvalid), "a changed signature is believed");
}

/// What the claims say by themselves, as far as JSON read another way can tell.
fn check_claims(verified: Result<BuyerId, AuthFault>, claims: &str) {
    let value = serde_json::from_str::<Value>(claims);
    match (&verified, value.as_ref().map(|value| (value["sub"].as_str(), value["exp"].as_f64()))) {
        (Ok(buyer), Ok((Some(sub), Some(exp)))) => {
            assert_eq!(*buyer, BuyerId::from_text(sub));
            assert!(exp * 1_000.0 > 1_796_151_600_000.0, "{claims} is over");
        }
        (Ok(_), Ok(read)) => panic!("{claims} is believed and reads as {read:?}"),
        // What serde skips need not be sound: numbers too large, halves of surrogates.
        (Ok(_), Err(_)) => {}
        (Err(fault), _) => assert!(matches!(fault, AuthFault::TokenInvalid | AuthFault::TokenExpired)),
    }
}
