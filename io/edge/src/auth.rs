//! Who asks: a buyer with a token, or the organiser with an admin key. Both come as `Authorization: Bearer …`.

mod admin;
mod buyer;
mod hs256;
#[cfg(test)]
mod tests;
mod token_cache;

use domain::{Actor, BuyerId, UnixMs};
use http::{HeaderMap, HeaderValue, header};

use crate::request;

pub use admin::{AdminKey, AdminKeyHash, AdminKeys, HashInvalid};
pub use buyer::{BuyerTokens, IssueKey, TokenAlgorithm, TokenClaims, TokenKeyError, TokenRules};

/// Why somebody may not ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AuthFault {
    /// Nobody said who asks.
    #[error("the header Authorization must carry a bearer token")]
    Missing,
    /// The buyer's token is over.
    #[error("the token has expired")]
    TokenExpired,
    /// The token is not one that this server believes.
    #[error("the token cannot be believed: wrong form, algorithm, signature or claims")]
    TokenInvalid,
    /// An admin key that was never given out, or was taken back.
    #[error("the admin key is not known")]
    AdminKeyUnknown,
    /// A buyer asked for what only the organiser may.
    #[error("only the organiser may do this, with an admin key")]
    OrganiserOnly,
    /// The organiser asked for what only a buyer can.
    #[error("only a buyer can do this, with a buyer's token")]
    BuyerOnly,
}

/// Tells who asks.
pub struct Auth {
    buyers: BuyerTokens,
    admins: AdminKeys,
}

impl Auth {
    /// From the rules for tokens and the admin keys.
    pub fn new(buyers: BuyerTokens, admins: AdminKeys) -> Auth {
        Auth { buyers, admins }
    }

    /// Who asks, whoever it is.
    ///
    /// # Errors
    /// When nobody is named, or who is named is not believed.
    pub fn actor(&self, headers: &HeaderMap, now: UnixMs) -> Result<Actor, AuthFault> {
        self.actor_of(headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes), now)
    }

    /// Who asks, by the value of `Authorization`.
    fn actor_of(&self, authorization: Option<&[u8]>, now: UnixMs) -> Result<Actor, AuthFault> {
        let bearer = bearer(authorization.ok_or(AuthFault::Missing)?)?;
        if AdminKey::looks_like(bearer) {
            return if self.admins.knows(bearer) {
                Ok(Actor::Organiser)
            } else {
                Err(AuthFault::AdminKeyUnknown)
            };
        }
        self.buyers.verify(bearer, now).map(Actor::Buyer)
    }

    /// The buyer who asks, by the value of `Authorization`.
    ///
    /// # Errors
    /// When it is not a buyer.
    pub fn buyer(&self, authorization: Option<&[u8]>, now: UnixMs) -> Result<BuyerId, AuthFault> {
        match self.actor_of(authorization, now)? {
            Actor::Buyer(buyer) => Ok(buyer),
            Actor::Organiser => Err(AuthFault::BuyerOnly),
        }
    }

    /// Makes sure that the organiser asks.
    ///
    /// # Errors
    /// When it is somebody else.
    pub fn organiser(&self, headers: &HeaderMap, now: UnixMs) -> Result<(), AuthFault> {
        match self.actor(headers, now)? {
            Actor::Organiser => Ok(()),
            Actor::Buyer(_) => Err(AuthFault::OrganiserOnly),
        }
    }
}

/// The bearer token of RFC 6750, section 2.1; the scheme's case does not matter (RFC 9110, section 11.1).
fn bearer(authorization: &[u8]) -> Result<&str, AuthFault> {
    let value = request::text(authorization).ok_or(AuthFault::TokenInvalid)?;
    let (scheme, token) = value.split_once(' ').ok_or(AuthFault::Missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(AuthFault::Missing) }
}
