//! The signature on callbacks: `Onrush-Signature: t=<unix seconds>,v1=<hex HMAC-SHA-256(secret, "<t>." + body)>`.
//!
//! The instant is signed with the body, so that an old callback cannot be sent again after the window. Within
//! the window a copy is believed again and is harmless: it names the same payment. A header may carry several
//! `v1`, one of which must fit, so that a secret can be changed without a gap.

use std::fmt;

use aws_lc_rs::hmac;
use domain::UnixMs;

/// The header's name.
pub const SIGNATURE_HEADER: &str = "onrush-signature";
/// How far the signed instant may be from now, unless configured otherwise.
pub const WINDOW_S_DEFAULT: u64 = 300;
/// Bytes of a callback's body.
pub const CALLBACK_BODY_SIZE_BYTES_MAX: usize = 16 * 1024;
/// Shorter secrets are refused: they could be guessed.
pub const SECRET_SIZE_BYTES_MIN: usize = 16;
const HEADER_SIZE_BYTES_MAX: usize = 1_024;
const MAC_SIZE_BYTES: usize = 32;

/// Signs and checks under one secret.
#[derive(Clone)]
pub struct Signer {
    key: hmac::Key,
    window_s: u64,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("window_s", &self.window_s).finish_non_exhaustive()
    }
}

/// Why a callback is not believed.
#[derive(Debug, thiserror::Error)]
pub enum CallbackError {
    /// The header is not there.
    #[error("the header Onrush-Signature is missing")]
    SignatureMissing,
    /// The header cannot be read.
    #[error("the header Onrush-Signature cannot be read: {detail}")]
    SignatureMalformed {
        /// What is wrong with it.
        detail: &'static str,
    },
    /// It was signed too long ago, or in the future.
    #[error("signed at {signed_at_s}, which is not within {window_s} s of {now_s}")]
    SignatureOutsideWindow {
        /// The instant in the header, in Unix seconds.
        signed_at_s: u64,
        /// The clock here, in Unix seconds.
        now_s: u64,
        /// The window.
        window_s: u64,
    },
    /// It was signed with another secret, or the body or the instant was changed.
    #[error("the signature does not fit the body under the shared secret")]
    SignatureMismatch,
    /// The body is too big to be a callback.
    #[error("the body has {size_bytes} bytes, at most {size_bytes_max} are read")]
    BodyTooLarge {
        /// Its size.
        size_bytes: usize,
        /// The bound.
        size_bytes_max: usize,
    },
    /// Signed, but not a callback's JSON.
    #[error("the body is not a callback")]
    BodyMalformed(#[source] serde_json::Error),
    /// Signed JSON with a value that cannot be.
    #[error("the body's field {field} cannot be {value:?}")]
    BodyField {
        /// Which field.
        field: &'static str,
        /// Its value.
        value: String,
    },
}

impl CallbackError {
    /// The stable code: in answers, metrics and documents.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SignatureMissing => "signature_missing",
            Self::SignatureMalformed { .. } => "signature_malformed",
            Self::SignatureOutsideWindow { .. } => "signature_outside_window",
            Self::SignatureMismatch => "signature_mismatch",
            Self::BodyTooLarge { .. } => "callback_too_large",
            Self::BodyMalformed(_) | Self::BodyField { .. } => "callback_malformed",
        }
    }
}

impl Signer {
    /// A signer under `secret`, with a window of [`WINDOW_S_DEFAULT`].
    /// `None` when the secret is shorter than [`SECRET_SIZE_BYTES_MIN`].
    pub fn new(secret: &[u8]) -> Option<Signer> {
        let key = || hmac::Key::new(hmac::HMAC_SHA256, secret);
        (secret.len() >= SECRET_SIZE_BYTES_MIN).then(|| Signer { key: key(), window_s: WINDOW_S_DEFAULT })
    }

    /// The same signer with another window.
    #[must_use]
    pub fn with_window_s(self, window_s: u64) -> Signer {
        Signer { window_s, ..self }
    }

    /// The header's value for a body that is sent now.
    pub fn sign(&self, body: &[u8], now: UnixMs) -> String {
        let signed_at_s = now.0 / 1_000;
        let mut context = hmac::Context::with_key(&self.key);
        context.update(format!("{signed_at_s}.").as_bytes());
        context.update(body);
        format!("t={signed_at_s},v1={}", hex(context.sign().as_ref()))
    }

    /// Checks a header against the body as it came. The comparison takes the same time wherever it fails.
    ///
    /// # Errors
    /// What was wrong.
    pub fn check(&self, header: Option<&[u8]>, body: &[u8], now: UnixMs) -> Result<(), CallbackError> {
        if body.len() > CALLBACK_BODY_SIZE_BYTES_MAX {
            let size_bytes_max = CALLBACK_BODY_SIZE_BYTES_MAX;
            return Err(CallbackError::BodyTooLarge { size_bytes: body.len(), size_bytes_max });
        }
        let signature = Signature::parse(header.ok_or(CallbackError::SignatureMissing)?)?;
        let (signed_at_s, now_s, window_s) = (signature.signed_at_s, now.0 / 1_000, self.window_s);
        if signed_at_s.abs_diff(now_s) > window_s {
            return Err(CallbackError::SignatureOutsideWindow { signed_at_s, now_s, window_s });
        }
        let signed = [signature.signed_at.as_bytes(), b".", body].concat();
        let fits = |mac: &[u8; MAC_SIZE_BYTES]| hmac::verify(&self.key, &signed, mac).is_ok();
        if signature.macs.iter().any(fits) { Ok(()) } else { Err(CallbackError::SignatureMismatch) }
    }
}

struct Signature<'a> {
    /// As it stands in the header: these bytes were signed.
    signed_at: &'a str,
    signed_at_s: u64,
    macs: Vec<[u8; MAC_SIZE_BYTES]>,
}

impl<'a> Signature<'a> {
    fn parse(header: &'a [u8]) -> Result<Signature<'a>, CallbackError> {
        let malformed = |detail| CallbackError::SignatureMalformed { detail };
        if header.len() > HEADER_SIZE_BYTES_MAX {
            return Err(malformed("it is longer than 1,024 bytes"));
        }
        let header = std::str::from_utf8(header).map_err(|_| malformed("it is not text"))?;
        let (mut signed_at, mut macs) = (None, Vec::new());
        for part in header.split(',') {
            match part.trim().split_once('=') {
                Some(("t", _)) if signed_at.is_some() => return Err(malformed("t stands in it twice")),
                Some(("t", value)) => signed_at = Some(value),
                Some(("v1", value)) => macs.push(unhex(value).ok_or(malformed("v1 is not 64 hex digits"))?),
                Some(_) => {} // a scheme of another version
                None => return Err(malformed("it is not a list of name=value")),
            }
        }
        let signed_at = signed_at.ok_or(malformed("t is missing"))?;
        if macs.is_empty() {
            return Err(malformed("v1 is missing"));
        }
        let digits = signed_at.bytes().all(|byte| byte.is_ascii_digit());
        let signed_at_s = signed_at.parse().ok().filter(|_| digits);
        let signed_at_s = signed_at_s.ok_or(malformed("t is not a number of seconds"))?;
        Ok(Signature { signed_at, signed_at_s, macs })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; MAC_SIZE_BYTES]> {
    let digits: Vec<u8> = text.chars().map(hex_digit).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).unwrap_or(&0)).collect();
    if digits.len() == MAC_SIZE_BYTES * 2 { bytes.try_into().ok() } else { None }
}

fn hex_digit(digit: char) -> Option<u8> {
    digit.to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"payment":"p"}"#;
    const NOW: UnixMs = UnixMs(1_800_000_000_500);

    fn signer() -> Signer {
        Signer::new(b"a secret of some length").unwrap()
    }

    fn code(header: Option<&str>, body: &[u8], now: UnixMs) -> &'static str {
        match signer().check(header.map(str::as_bytes), body, now) {
            Ok(()) => "ok",
            Err(error) => error.code(),
        }
    }

    fn later(seconds: u64) -> UnixMs {
        UnixMs(NOW.0 + seconds * 1_000)
    }

    #[test]
    fn signature_is_that_of_the_documented_bytes() {
        // printf '1800000000.{"payment":"p"}' | openssl dgst -sha256 -hmac 'a secret of some length'
        let expected = "t=1800000000,v1=de604ba950ca2dda6c477bfc12169ecb1d9d2ac243b6c349d413c8712e8643f0";
        assert_eq!(signer().sign(BODY, NOW), expected);
        assert_eq!(code(Some(expected), BODY, NOW), "ok");
    }

    #[test]
    fn short_secret_is_refused() {
        assert!(Signer::new(b"fifteen bytes !").is_none());
        assert!(Signer::new(b"sixteen bytes !!").is_some());
    }

    #[test]
    fn copy_is_believed_within_the_window_only() {
        let header = signer().sign(BODY, NOW);
        assert_eq!(code(Some(&header), BODY, NOW), "ok");
        assert_eq!(code(Some(&header), BODY, later(300)), "ok");
        assert_eq!(code(Some(&header), BODY, later(301)), "signature_outside_window");
        let from_the_future = signer().sign(BODY, later(301));
        assert_eq!(code(Some(&from_the_future), BODY, NOW), "signature_outside_window");
    }

    #[test]
    fn forged_signature_is_refused() {
        let other = Signer::new(b"another secret of some length").unwrap();
        assert_eq!(code(Some(&other.sign(BODY, NOW)), BODY, NOW), "signature_mismatch");
        let header = signer().sign(BODY, NOW);
        assert_eq!(code(Some(&header), br#"{"payment":"q"}"#, NOW), "signature_mismatch");
        let moved = header.replace("t=1800000000", "t=1800000001");
        assert_eq!(code(Some(&moved), BODY, NOW), "signature_mismatch");
        let zeros = format!("t=1800000000,v1={}", "0".repeat(64));
        assert_eq!(code(Some(&zeros), BODY, NOW), "signature_mismatch");
    }

    #[test]
    fn one_fitting_signature_of_several_is_enough() {
        let other = Signer::new(b"another secret of some length").unwrap();
        let (right, wrong) = (signer().sign(BODY, NOW), other.sign(BODY, NOW));
        let mac = |header: &str| header.split_once(',').unwrap().1.to_owned();
        let header = format!("t=1800000000,v0=x,{},{}", mac(&wrong), mac(&right));
        assert_eq!(code(Some(&header), BODY, NOW), "ok");
    }

    #[test]
    fn missing_or_malformed_header_says_what_is_wrong() {
        assert_eq!(code(None, BODY, NOW), "signature_missing");
        let mac = "0".repeat(64);
        let wrong = [
            String::new(),
            "t=1800000000".to_owned(),
            format!("v1={mac}"),
            format!("t=,v1={mac}"),
            format!("t=+1800000000,v1={mac}"),
            format!("t=1800000000,t=1800000000,v1={mac}"),
            format!("t=1800000000,v1={mac}0"),
            format!("t=1800000000,v1={}", "g".repeat(64)),
            format!("t=99999999999999999999,v1={mac}"),
            "x".repeat(2_000),
        ];
        for header in wrong {
            assert_eq!(code(Some(&header), BODY, NOW), "signature_malformed", "{header}");
        }
        let bytes = signer().check(Some(b"\xFF"), BODY, NOW).unwrap_err();
        assert_eq!(bytes.code(), "signature_malformed");
    }

    #[test]
    fn oversized_body_is_not_even_hashed() {
        let body = vec![b' '; CALLBACK_BODY_SIZE_BYTES_MAX + 1];
        assert_eq!(code(Some(&signer().sign(&body, NOW)), &body, NOW), "callback_too_large");
    }
}
