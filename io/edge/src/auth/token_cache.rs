//! Tokens whose signature was checked before.

use std::collections::HashMap;

use aws_lc_rs::digest;
use domain::BuyerId;
use parking_lot::Mutex;

use super::AuthFault;

/// What a token says, its signature being right. The times are compared anew each time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Believed {
    pub(super) buyer: BuyerId,
    pub(super) exp_ms: u64,
    pub(super) nbf_ms: u64,
}

/// Remembers believed tokens by their SHA-256: two generations of bounded size, of which the older one is
/// dropped when the newer one is full. A token that is asked for goes on living.
#[derive(Default)]
pub(super) struct TokenCache(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    newer: HashMap<[u8; 32], Believed>,
    older: HashMap<[u8; 32], Believed>,
}

/// Tokens in one generation: some 7 MiB.
const GENERATION_LEN_MAX: usize = 1 << 16;

impl TokenCache {
    /// What is remembered of a token, or what `check` says of it. Tokens that are not believed are not kept:
    /// anybody can make those up.
    pub(super) fn get_or_check(
        &self,
        token: &str,
        check: impl FnOnce() -> Result<Believed, AuthFault>,
    ) -> Result<Believed, AuthFault> {
        let digest = digest::digest(&digest::SHA256, token.as_bytes());
        let key: [u8; 32] = digest.as_ref().try_into().expect("a SHA-256 has 32 bytes");
        if let Some(believed) = self.0.lock().get(key) {
            return Ok(believed);
        }
        let believed = check()?;
        self.0.lock().keep(key, believed);
        Ok(believed)
    }
}

impl Generations {
    fn get(&mut self, key: [u8; 32]) -> Option<Believed> {
        if let Some(believed) = self.newer.get(&key) {
            return Some(*believed);
        }
        let believed = self.older.remove(&key)?;
        self.keep(key, believed);
        Some(believed)
    }

    fn keep(&mut self, key: [u8; 32], believed: Believed) {
        if self.newer.len() >= GENERATION_LEN_MAX {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(key, believed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn believed(number: usize) -> Believed {
        Believed { buyer: BuyerId::from_text(&number.to_string()), exp_ms: 2, nbf_ms: 1 }
    }

    #[test]
    fn a_believed_token_is_checked_once_and_another_one_each_time() {
        let cache = TokenCache::default();
        assert_eq!(cache.get_or_check("a", || Ok(believed(1))), Ok(believed(1)));
        assert_eq!(cache.get_or_check("a", || unreachable!("checked before")), Ok(believed(1)));
        let wrong = || Err(AuthFault::TokenInvalid);
        assert_eq!(cache.get_or_check("b", wrong), Err(AuthFault::TokenInvalid));
        assert_eq!(cache.get_or_check("b", || Ok(believed(2))), Ok(believed(2)));
    }

    #[test]
    fn the_cache_is_bounded_and_keeps_what_is_asked_for() {
        let cache = TokenCache::default();
        for number in 0..3 * GENERATION_LEN_MAX {
            cache.get_or_check(&number.to_string(), || Ok(believed(number))).unwrap();
            cache
                .get_or_check("regular", || if number == 0 { Ok(believed(0)) } else { unreachable!() })
                .unwrap();
        }
        let generations = cache.0.lock();
        assert!(generations.newer.len() + generations.older.len() <= 2 * GENERATION_LEN_MAX);
    }
}
