//! Keys of those who are no buyers: 256 random bits, kept only as their SHA-256. What a key's holder may do is its
//! role, which everybody can read in its first letters.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::{Choice, ConstantTimeEq};

const SECRET_SIZE_BYTES: usize = 32;
const HASH_SIZE_BYTES: usize = 32;

/// What the holder of a key may do.
pub trait Role {
    /// With what a key of this role begins.
    const PREFIX: &'static str;
}

/// Makes sales and sees everything.
#[derive(Clone, Copy, Debug)]
pub struct Admin;

/// Places orders for buyers, in bulk, and nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Integrator;

impl Role for Admin {
    const PREFIX: &'static str = "onrush_admin_";
}

impl Role for Integrator {
    const PREFIX: &'static str = "onrush_integrator_";
}

/// A key of the organiser: `onrush_admin_` and 43 characters.
pub type AdminKey = RoleKey<Admin>;
/// A key of a trusted integrator: `onrush_integrator_` and 43 characters.
pub type IntegratorKey = RoleKey<Integrator>;

/// A key: its role's first letters and 43 characters. It is shown once, when it is made.
#[derive(Clone)]
pub struct RoleKey<R> {
    text: String,
    role: PhantomData<R>,
}

impl<R: Role> RoleKey<R> {
    /// A new key.
    ///
    /// # Panics
    /// When the system has no randomness.
    pub fn generate() -> RoleKey<R> {
        let mut secret = [0; SECRET_SIZE_BYTES];
        aws_lc_rs::rand::fill(&mut secret).expect("the system gives random bytes");
        RoleKey { text: format!("{}{}", R::PREFIX, URL_SAFE_NO_PAD.encode(secret)), role: PhantomData }
    }

    /// `None` when the text is not a key of this role.
    pub fn parse(text: &str) -> Option<RoleKey<R>> {
        let secret = URL_SAFE_NO_PAD.decode(text.strip_prefix(R::PREFIX)?).ok()?;
        (secret.len() == SECRET_SIZE_BYTES).then(|| RoleKey { text: text.to_owned(), role: PhantomData })
    }

    /// The text that its holder sends.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What is stored of it. The key has 256 random bits, so a plain digest is enough: there is nothing to guess.
    pub fn hash(&self) -> KeyHash {
        hash_of(self.text.as_bytes())
    }

    /// Whether a bearer token is meant as a key of this role.
    pub(super) fn looks_like(bearer: &[u8]) -> bool {
        bearer.starts_with(R::PREFIX.as_bytes())
    }
}

impl<R> fmt::Debug for RoleKey<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoleKey(…)")
    }
}

/// The SHA-256 of a key, with its first letters; as text, 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyHash([u8; HASH_SIZE_BYTES]);

/// The text is not 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the hash of a key has 64 hexadecimal digits")]
pub struct HashInvalid;

impl FromStr for KeyHash {
    type Err = HashInvalid;

    fn from_str(text: &str) -> Result<KeyHash, HashInvalid> {
        let digits = text.as_bytes();
        if digits.len() != 2 * HASH_SIZE_BYTES || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(HashInvalid);
        }
        let mut hash = [0; HASH_SIZE_BYTES];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).expect("hexadecimal digits are ASCII");
            *byte = u8::from_str_radix(pair, 16).expect("two hexadecimal digits");
        }
        Ok(KeyHash(hash))
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyHash({self})")
    }
}

/// The keys that count, by what is stored of them. Keys of two roles never have one hash: their first letters differ.
#[derive(Clone, Debug, Default)]
pub struct RoleKeys {
    /// The organiser's.
    pub admins: Vec<KeyHash>,
    /// Those of trusted integrators.
    pub integrators: Vec<KeyHash>,
}

/// Whether a key is one of those. Takes the same time whichever it is and wherever it differs.
pub(super) fn is_one_of(known: &[KeyHash], key: &[u8]) -> bool {
    let hash = hash_of(key);
    let hit = |any: Choice, known: &KeyHash| any | known.0.ct_eq(&hash.0);
    known.iter().fold(Choice::from(0), hit).into()
}

fn hash_of(key: &[u8]) -> KeyHash {
    let digest = digest::digest(&digest::SHA256, key);
    KeyHash(digest.as_ref().try_into().expect("a SHA-256 has 32 bytes"))
}
