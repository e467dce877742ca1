//! The usual token, checked without building values: every order carries one.
//!
//! Only what issuers commonly make is taken here; anything unusual goes to `jsonwebtoken`, which decides. Both agree
//! on every token (a test), so this is only a shorter way: the key is prepared once, the claims are read once.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::buyer::ClaimsRead;

/// `{"typ":"JWT","alg":"HS256"}` and `{"alg":"HS256","typ":"JWT"}`: what the common libraries write.
const HEADS: [&str; 2] = ["eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"];
const SIGNATURE_SIZE_BYTES: usize = 32;
/// Claims that are longer go the long way.
pub(super) const CLAIMS_SIZE_BYTES_MAX: usize = 512;

/// Checks the usual HS256 token.
pub(super) struct Hs256 {
    key: hmac::Key,
}

/// The claims as they commonly are. The library reads `aud` and `iss` whether they count or not, and refuses a token
/// that says one of them twice.
#[derive(Deserialize)]
struct UsualClaims<'a> {
    sub: &'a str,
    exp: f64,
    nbf: Option<f64>,
    #[serde(rename = "aud")]
    _aud: Option<&'a str>,
    #[serde(rename = "iss")]
    _iss: Option<&'a str>,
}

/// The token is unusual, or not believed: the library has the word.
#[derive(Debug)]
pub(super) struct Unusual;

impl Hs256 {
    pub(super) fn new(secret: &[u8]) -> Hs256 {
        Hs256 { key: hmac::Key::new(hmac::HMAC_SHA256, secret) }
    }

    /// The claims of a token whose signature is right; `buffer` is where they are decoded.
    pub(super) fn claims<'a>(
        &self,
        token: &str,
        buffer: &'a mut [u8; CLAIMS_SIZE_BYTES_MAX],
    ) -> Result<ClaimsRead<&'a str>, Unusual> {
        let (signed, signature) = token.rsplit_once('.').ok_or(Unusual)?;
        let (head, claims) = signed.split_once('.').ok_or(Unusual)?;
        if !HEADS.contains(&head) {
            return Err(Unusual);
        }
        let mut signature_bytes = [0; SIGNATURE_SIZE_BYTES];
        let size_bytes =
            URL_SAFE_NO_PAD.decode_slice(signature, &mut signature_bytes).map_err(|_| Unusual)?;
        hmac::verify(&self.key, signed.as_bytes(), &signature_bytes[..size_bytes]).map_err(|_| Unusual)?;
        let size_bytes = URL_SAFE_NO_PAD.decode_slice(claims, buffer).map_err(|_| Unusual)?;
        // serde would take a list for a struct as well.
        let object @ [b'{', ..] = &buffer[..size_bytes] else { return Err(Unusual) };
        let UsualClaims { sub, exp, nbf, .. } = serde_json::from_slice(object).map_err(|_| Unusual)?;
        Ok(ClaimsRead { sub, exp, nbf })
    }
}
