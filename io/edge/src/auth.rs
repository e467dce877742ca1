//! Who asks: a buyer with a token, the organiser with an admin key, or a trusted integrator with a key of its own. All
//! come as `Authorization: Bearer …`.

mod buyer;
mod hs256;
mod role_key;
mod short;
#[cfg(test)]
mod tests;
mod token_cache;

use domain::{Actor, BuyerId, UnixMs};
use http::{HeaderMap, HeaderValue, header};

use role_key::is_one_of;

pub use buyer::{BuyerTokens, IssueKey, TokenAlgorithm, TokenClaims, TokenKeyError, TokenRules};
pub use role_key::{
    Admin, AdminKey, HashInvalid, Integrator, IntegratorKey, KeyHash, Role, RoleKey, RoleKeys,
};

/// Before a token.
const BEARER: &[u8] = b"Bearer ";

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
    /// An integrator key that was never given out, or was taken back.
    #[error("the integrator key is not known")]
    IntegratorKeyUnknown,
    /// Somebody else asked for what only the organiser may.
    #[error("only the organiser may do this, with an admin key")]
    OrganiserOnly,
    /// Somebody else asked for what only a buyer can.
    #[error("only a buyer can do this, with a buyer's token")]
    BuyerOnly,
    /// An integrator asked for what is the buyer's or the organiser's.
    #[error("only a buyer or the organiser may do this, with a buyer's token or an admin key")]
    BuyerOrOrganiserOnly,
    /// Somebody else asked for what only a trusted integrator may.
    #[error("only a trusted integrator may do this, with an integrator key")]
    IntegratorOnly,
}

/// Tells who asks.
pub struct Auth {
    buyers: BuyerTokens,
    keys: RoleKeys,
}

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Caller {
    Buyer(BuyerId),
    Organiser,
    Integrator,
}

impl Auth {
    /// From the rules for tokens and the keys that count.
    pub fn new(buyers: BuyerTokens, keys: RoleKeys) -> Auth {
        Auth { buyers, keys }
    }

    /// The buyer or the organiser who asks.
    ///
    /// # Errors
    /// When nobody is named, or who is named is not believed, or is an integrator.
    pub fn actor(&self, headers: &HeaderMap, now: UnixMs) -> Result<Actor, AuthFault> {
        match self.caller(authorization_of(headers), now)? {
            Caller::Buyer(buyer) => Ok(Actor::Buyer(buyer)),
            Caller::Organiser => Ok(Actor::Organiser),
            Caller::Integrator => Err(AuthFault::BuyerOrOrganiserOnly),
        }
    }

    /// The buyer who asks, by the value of `Authorization`.
    ///
    /// # Errors
    /// When it is not a buyer.
    pub fn buyer(&self, authorization: Option<&[u8]>, now: UnixMs) -> Result<BuyerId, AuthFault> {
        match self.caller(authorization, now)? {
            Caller::Buyer(buyer) => Ok(buyer),
            Caller::Organiser | Caller::Integrator => Err(AuthFault::BuyerOnly),
        }
    }

    /// Makes sure that the organiser asks.
    ///
    /// # Errors
    /// When it is somebody else.
    pub fn organiser(&self, headers: &HeaderMap, now: UnixMs) -> Result<(), AuthFault> {
        match self.caller(authorization_of(headers), now)? {
            Caller::Organiser => Ok(()),
            Caller::Buyer(_) | Caller::Integrator => Err(AuthFault::OrganiserOnly),
        }
    }

    /// Makes sure that a trusted integrator asks.
    ///
    /// # Errors
    /// When it is somebody else.
    pub fn integrator(&self, headers: &HeaderMap, now: UnixMs) -> Result<(), AuthFault> {
        match self.caller(authorization_of(headers), now)? {
            Caller::Integrator => Ok(()),
            Caller::Buyer(_) | Caller::Organiser => Err(AuthFault::IntegratorOnly),
        }
    }

    fn caller(&self, authorization: Option<&[u8]>, now: UnixMs) -> Result<Caller, AuthFault> {
        let bearer = bearer(authorization.ok_or(AuthFault::Missing)?)?;
        let known = |keys, caller, unknown| if is_one_of(keys, bearer) { Ok(caller) } else { Err(unknown) };
        if AdminKey::looks_like(bearer) {
            known(&self.keys.admins, Caller::Organiser, AuthFault::AdminKeyUnknown)
        } else if IntegratorKey::looks_like(bearer) {
            known(&self.keys.integrators, Caller::Integrator, AuthFault::IntegratorKeyUnknown)
        } else {
            self.buyers.verify(bearer, now).map(Caller::Buyer)
        }
    }
}

fn authorization_of(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes)
}

/// The bearer token of RFC 6750, section 2.1; the scheme's case does not matter (RFC 9110, section 11.1).
fn bearer(authorization: &[u8]) -> Result<&[u8], AuthFault> {
    // As nearly everybody writes it; or in another case.
    let token = authorization.strip_prefix(BEARER).or_else(|| {
        let (scheme, token) = authorization.split_at_checked(BEARER.len())?;
        scheme.eq_ignore_ascii_case(BEARER).then_some(token)
    });
    token.map(<[u8]>::trim_ascii).ok_or(AuthFault::Missing)
}
