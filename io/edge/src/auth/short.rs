//! Short tokens, for a rush: `o1.SUB.EXP.MAC`, checked in a sixth of the instructions that a JSON Web Token takes.
//!
//! SUB is the buyer's name, EXP the second since 1970 until which the token is good, in decimal digits, and MAC the first 16 bytes
//! of keyed BLAKE3 over all before it but the point, as base64url without padding (RFC 4648, section 5). The key is derived from the
//! secret that HS256 uses, so that neither kind says anything about the other. (O'Connor, Aumasson, Neves and
//! Wilcox-O'Hearn, "BLAKE3", 2020, sections 2.3 and 6.)

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{BuyerId, limits};
use subtle::ConstantTimeEq;

use super::AuthFault;
use super::token_cache::Believed;
use crate::ascii;

/// With what a short token begins: no JSON Web Token does, whose first letters are those of a JSON object.
const PREFIX: &str = "o1.";
/// Separates the key from every other use of the secret.
const KEY_CONTEXT: &str = "Onrush 2026-11-21 short tokens of buyers";
const MAC_SIZE_BYTES: usize = 16;
const MAC_SIZE_CHARS: usize = 22;
/// Up to the year 33,658.
const EXP_DIGIT_COUNT_MAX: usize = 12;

/// Makes and checks short tokens.
pub(super) struct Short {
    key: [u8; 32],
}

impl Short {
    /// By the secret that is shared with whoever issues tokens.
    pub(super) fn new(secret: &[u8]) -> Short {
        Short { key: blake3::derive_key(KEY_CONTEXT, secret) }
    }

    /// Whether a token can only be a short one.
    pub(super) fn looks_like(token: &[u8]) -> bool {
        token.starts_with(PREFIX.as_bytes())
    }

    /// What a token says; the times are not compared.
    ///
    /// # Errors
    /// When it has another form, or its MAC is not right.
    pub(super) fn check(&self, token: &[u8]) -> Result<Believed, AuthFault> {
        let (signed, mac) = token.split_last_chunk().ok_or(AuthFault::TokenInvalid)?;
        let signed = signed.strip_suffix(b".").ok_or(AuthFault::TokenInvalid)?;
        if !is_same(&self.mac(signed), mac) {
            return Err(AuthFault::TokenInvalid);
        }
        let (sub, exp) = Short::claims(signed).ok_or(AuthFault::TokenInvalid)?;
        let buyer = BuyerId::from_ascii(sub).ok_or(AuthFault::TokenInvalid)?;
        Ok(Believed { buyer, exp_ms: exp * 1_000, nbf_ms: 0 })
    }

    /// A token; `None` when the name is not one that a short token can have.
    pub(super) fn issue(&self, sub: &str, exp: u64) -> Option<String> {
        let mut token = format!("{PREFIX}{sub}.{exp}");
        Short::claims(token.as_bytes())?;
        let mac = self.mac(token.as_bytes());
        token.push('.');
        token.push_str(std::str::from_utf8(&mac).expect("base 64 is ASCII"));
        Some(token)
    }

    /// Name and end of what is before the MAC.
    fn claims(signed: &[u8]) -> Option<(&[u8], u64)> {
        let claims = signed.strip_prefix(PREFIX.as_bytes())?;
        // From behind: a name may have points too.
        let (sub, exp) = claims.split_at(claims.iter().rposition(|byte| *byte == b'.')?);
        let digits = &exp[1..];
        let is_whole = digits.len() <= EXP_DIGIT_COUNT_MAX && matches!(digits, [_] | [b'1'..=b'9', ..]);
        let (mut exp, mut is_number) = (0, is_whole);
        for digit in digits.iter().map(|byte| byte.wrapping_sub(b'0')) {
            is_number &= digit < 10;
            exp = if is_number { exp * 10 + u64::from(digit) } else { 0 };
        }
        let is_name = (1..=limits::LABEL_SIZE_BYTES_MAX).contains(&sub.len()) && ascii::is_graphic(sub);
        (is_number && is_name).then_some((sub, exp))
    }

    fn mac(&self, signed: &[u8]) -> [u8; MAC_SIZE_CHARS] {
        let hash = blake3::keyed_hash(&self.key, signed);
        let mut mac = [0; MAC_SIZE_CHARS];
        let result = URL_SAFE_NO_PAD.encode_slice(&hash.as_bytes()[..MAC_SIZE_BYTES], &mut mac);
        debug_assert_eq!(result, Ok(MAC_SIZE_CHARS));
        mac
    }
}

/// Takes the same time wherever they differ. Two words that overlap, and not one byte after the other.
fn is_same(a: &[u8; MAC_SIZE_CHARS], b: &[u8; MAC_SIZE_CHARS]) -> bool {
    let words = |mac: &[u8; MAC_SIZE_CHARS]| {
        let first = mac.first_chunk().map(|bytes| u128::from_le_bytes(*bytes));
        let last = mac.last_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        (first.expect("16 of 22"), last.expect("8 of 22"))
    };
    let ((a_first, a_last), (b_first, b_last)) = (words(a), words(b));
    bool::from(a_first.ct_eq(&b_first) & a_last.ct_eq(&b_last))
}
