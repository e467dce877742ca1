//! Buyers' tokens: JSON web tokens (RFC 7519), whose algorithm is fixed by the configuration, never by the token; and, where a
//! secret is shared, short ones.

use domain::{BuyerId, UnixMs, limits};
use jsonwebtoken::errors::Error as JwtError;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use super::AuthFault;
use super::hs256::{self, Hs256};
use super::short::Short;
use super::token_cache::{Believed, TokenCache};
use crate::request;

/// How buyers' tokens are signed, and with what they are checked.
#[derive(Clone)]
pub enum TokenAlgorithm {
    /// HMAC with SHA-256, under a secret that is shared with whoever issues tokens.
    Hs256 {
        /// The secret, at least [`BuyerTokens::SECRET_SIZE_BYTES_MIN`] bytes.
        secret: Vec<u8>,
    },
    /// Ed25519.
    EdDsa {
        /// The issuer's public key.
        public_key_pem: Vec<u8>,
    },
    /// ECDSA on P-256.
    Es256 {
        /// The issuer's public key.
        public_key_pem: Vec<u8>,
    },
}

/// Which tokens are believed.
#[derive(Clone)]
pub struct TokenRules {
    /// How they are signed.
    pub algorithm: TokenAlgorithm,
    /// `aud` must be or contain this; `None`: it is not looked at.
    pub audience: Option<String>,
    /// `iss` must be this; `None`: it is not looked at.
    pub issuer: Option<String>,
}

/// A key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenKeyError {
    /// The secret could be guessed.
    #[error("the secret for buyer tokens has {size_bytes} bytes and needs at least {size_bytes_min}")]
    SecretTooShort {
        /// What it has.
        size_bytes: usize,
        /// What it needs.
        size_bytes_min: usize,
    },
    /// The key file is not one for this algorithm.
    #[error("the key for buyer tokens is not a PEM file that fits the algorithm")]
    Pem(#[source] JwtError),
    /// A token cannot be signed.
    #[error("the token cannot be signed")]
    Sign(#[source] JwtError),
    /// A short token cannot say so.
    #[error(
        "a short token has a name of visible ASCII characters and an end before the year 33658, and neither audience nor issuer"
    )]
    NotShort,
}

/// Checks buyers' tokens.
pub struct BuyerTokens {
    /// The short way for the usual token; not when there is more to check than its signature.
    usual: Option<Hs256>,
    /// Short tokens, which say neither audience nor issuer.
    short: Option<Short>,
    key: DecodingKey,
    validation: Validation,
    /// Only for signatures with a public key, which take tens of microseconds to check. Checking an HMAC costs
    /// about as much as looking it up.
    checked: Option<TokenCache>,
}

/// What is read of a token.
#[derive(Deserialize)]
pub(super) struct ClaimsRead<S> {
    pub(super) sub: S,
    /// NumericDate of RFC 7519: seconds, perhaps with a fraction.
    pub(super) exp: f64,
    pub(super) nbf: Option<f64>,
}

impl BuyerTokens {
    /// The least length of a shared secret: that of the digest (RFC 7518, section 3.2).
    pub const SECRET_SIZE_BYTES_MIN: usize = 32;

    /// A checker by those rules.
    ///
    /// # Errors
    /// When the key does not fit.
    pub fn new(rules: &TokenRules) -> Result<BuyerTokens, TokenKeyError> {
        let (key, algorithm) = match &rules.algorithm {
            TokenAlgorithm::Hs256 { secret } => {
                (DecodingKey::from_secret(long_enough(secret)?), Algorithm::HS256)
            }
            TokenAlgorithm::EdDsa { public_key_pem } => {
                (DecodingKey::from_ed_pem(public_key_pem).map_err(TokenKeyError::Pem)?, Algorithm::EdDSA)
            }
            TokenAlgorithm::Es256 { public_key_pem } => {
                (DecodingKey::from_ec_pem(public_key_pem).map_err(TokenKeyError::Pem)?, Algorithm::ES256)
            }
        };
        let checked = (algorithm != Algorithm::HS256).then(TokenCache::default);
        let mut validation = Validation::new(algorithm);
        // Times are compared with the server's clock below: the library would read another one.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let mut required = vec!["sub", "exp"];
        validation.validate_aud = rules.audience.is_some();
        if let Some(audience) = &rules.audience {
            validation.set_audience(&[audience]);
            required.push("aud");
        }
        if let Some(issuer) = &rules.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        validation.set_required_spec_claims(&required);
        let secret = match &rules.algorithm {
            TokenAlgorithm::Hs256 { secret } if rules.audience.is_none() && rules.issuer.is_none() => {
                Some(secret)
            }
            _ => None,
        };
        let (usual, short) =
            (secret.map(|secret| Hs256::new(secret)), secret.map(|secret| Short::new(secret)));
        Ok(BuyerTokens { usual, short, key, validation, checked })
    }

    /// The buyer of a token.
    ///
    /// # Errors
    /// When it is not believed, or over.
    pub fn verify(&self, token: impl AsRef<[u8]>, now: UnixMs) -> Result<BuyerId, AuthFault> {
        let token = token.as_ref();
        let believed = match &self.short {
            Some(short) if Short::looks_like(token) => short.check(token)?,
            _ => {
                let token = request::text(token).ok_or(AuthFault::TokenInvalid)?;
                let check = || self.check(token);
                self.checked.as_ref().map_or_else(check, |cache| cache.get_or_check(token, check))?
            }
        };
        in_time(believed, now)
    }

    /// The same for a JSON Web Token by the library alone: what the short way has to agree with.
    pub(crate) fn verify_slowly(&self, token: &str, now: UnixMs) -> Result<BuyerId, AuthFault> {
        in_time(self.check_slowly(token)?, now)
    }

    /// Everything but the times.
    pub(super) fn check(&self, token: &str) -> Result<Believed, AuthFault> {
        let mut buffer = [0; hs256::CLAIMS_SIZE_BYTES_MAX];
        match self.usual.as_ref().map(|usual| usual.claims(token, &mut buffer)) {
            Some(Ok(claims)) => believe(claims),
            _ => self.check_slowly(token),
        }
    }

    /// The same for every token.
    pub(super) fn check_slowly(&self, token: &str) -> Result<Believed, AuthFault> {
        let data = jsonwebtoken::decode::<ClaimsRead<String>>(token, &self.key, &self.validation);
        believe(data.map_err(|_why| AuthFault::TokenInvalid)?.claims)
    }
}

/// The buyer, when the token is neither over nor to come.
fn in_time(believed: Believed, now: UnixMs) -> Result<BuyerId, AuthFault> {
    if believed.exp_ms <= now.0 {
        return Err(AuthFault::TokenExpired);
    }
    if believed.nbf_ms <= now.0 { Ok(believed.buyer) } else { Err(AuthFault::TokenInvalid) }
}

fn believe<S: AsRef<str>>(claims: ClaimsRead<S>) -> Result<Believed, AuthFault> {
    let exp_ms = seconds_to_ms(claims.exp).ok_or(AuthFault::TokenInvalid)?;
    let nbf_ms = seconds_to_ms(claims.nbf.unwrap_or(0.0)).ok_or(AuthFault::TokenInvalid)?;
    let name = claims.sub.as_ref();
    let named = (1..=limits::LABEL_SIZE_BYTES_MAX).contains(&name.len());
    let believed = Believed { buyer: BuyerId::from_text(name), exp_ms, nbf_ms };
    if named { Ok(believed) } else { Err(AuthFault::TokenInvalid) }
}

fn long_enough(secret: &[u8]) -> Result<&[u8], TokenKeyError> {
    let (size_bytes, size_bytes_min) = (secret.len(), BuyerTokens::SECRET_SIZE_BYTES_MIN);
    if size_bytes < size_bytes_min {
        return Err(TokenKeyError::SecretTooShort { size_bytes, size_bytes_min });
    }
    Ok(secret)
}

/// `None` when it is no instant from 1970 to some 280,000 years later.
fn seconds_to_ms(seconds: f64) -> Option<u64> {
    const SECONDS_MAX: f64 = 8_796_093_022_207.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    (0.0..=SECONDS_MAX).contains(&seconds).then_some((seconds * 1_000.0) as u64)
}

/// What a token says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TokenClaims {
    /// The buyer.
    pub sub: String,
    /// Until when, in seconds since 1970.
    pub exp: u64,
    /// For whom it is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
    /// Who issued it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
}

/// Signs tokens: for trying things out, and for tests. A shop signs its own.
pub struct IssueKey(Signer);

enum Signer {
    Jwt { key: EncodingKey, header: Header },
    Short(Short),
}

impl IssueKey {
    /// Signs with the shared secret.
    ///
    /// # Errors
    /// When the secret is too short.
    pub fn hs256(secret: &[u8]) -> Result<IssueKey, TokenKeyError> {
        let key = EncodingKey::from_secret(long_enough(secret)?);
        Ok(IssueKey::jwt(key, Algorithm::HS256))
    }

    /// Makes short tokens by the shared secret.
    ///
    /// # Errors
    /// When the secret is too short.
    pub fn short(secret: &[u8]) -> Result<IssueKey, TokenKeyError> {
        Ok(IssueKey(Signer::Short(Short::new(long_enough(secret)?))))
    }

    /// Signs with an Ed25519 private key in PEM.
    ///
    /// # Errors
    /// When it is not such a key.
    pub fn ed_dsa(private_key_pem: &[u8]) -> Result<IssueKey, TokenKeyError> {
        let key = EncodingKey::from_ed_pem(private_key_pem).map_err(TokenKeyError::Pem)?;
        Ok(IssueKey::jwt(key, Algorithm::EdDSA))
    }

    /// Signs with a P-256 private key in PEM.
    ///
    /// # Errors
    /// When it is not such a key.
    pub fn es256(private_key_pem: &[u8]) -> Result<IssueKey, TokenKeyError> {
        let key = EncodingKey::from_ec_pem(private_key_pem).map_err(TokenKeyError::Pem)?;
        Ok(IssueKey::jwt(key, Algorithm::ES256))
    }

    fn jwt(key: EncodingKey, algorithm: Algorithm) -> IssueKey {
        IssueKey(Signer::Jwt { key, header: Header::new(algorithm) })
    }

    /// A token that says so.
    ///
    /// # Errors
    /// When the library cannot sign, or a short token cannot say so.
    pub fn issue(&self, claims: &TokenClaims) -> Result<String, TokenKeyError> {
        match (&self.0, claims) {
            (Signer::Jwt { key, header }, claims) => {
                jsonwebtoken::encode(header, claims, key).map_err(TokenKeyError::Sign)
            }
            (Signer::Short(short), TokenClaims { sub, exp, aud: None, iss: None }) => {
                short.issue(sub, *exp).ok_or(TokenKeyError::NotShort)
            }
            (Signer::Short(_), _) => Err(TokenKeyError::NotShort),
        }
    }
}
