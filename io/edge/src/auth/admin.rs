//! Admin keys: 256 random bits, kept only as their SHA-256.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::{Choice, ConstantTimeEq};

const PREFIX: &str = "onrush_admin_";
const SECRET_SIZE_BYTES: usize = 32;
const HASH_SIZE_BYTES: usize = 32;

/// An admin key: `onrush_admin_` and 43 characters. It is shown once, when it is made.
#[derive(Clone)]
pub struct AdminKey(String);

impl AdminKey {
    /// A new key.
    ///
    /// # Panics
    /// When the system has no randomness.
    pub fn generate() -> AdminKey {
        let mut secret = [0; SECRET_SIZE_BYTES];
        aws_lc_rs::rand::fill(&mut secret).expect("the system gives random bytes");
        AdminKey(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(secret)))
    }

    /// `None` when the text is not an admin key.
    pub fn parse(text: &str) -> Option<AdminKey> {
        let secret = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        (secret.len() == SECRET_SIZE_BYTES).then(|| AdminKey(text.to_owned()))
    }

    /// The text that its holder sends.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is stored of it. The key has 256 random bits, so a plain digest is enough: there is nothing to guess.
    pub fn hash(&self) -> AdminKeyHash {
        hash_of(&self.0)
    }

    /// Whether a bearer token is meant as an admin key.
    pub(super) fn looks_like(bearer: &str) -> bool {
        bearer.starts_with(PREFIX)
    }
}

impl fmt::Debug for AdminKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminKey(…)")
    }
}

/// The SHA-256 of an admin key; as text, 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AdminKeyHash([u8; HASH_SIZE_BYTES]);

/// The text is not 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the hash of an admin key has 64 hexadecimal digits")]
pub struct HashInvalid;

impl FromStr for AdminKeyHash {
    type Err = HashInvalid;

    fn from_str(text: &str) -> Result<AdminKeyHash, HashInvalid> {
        let digits = text.as_bytes();
        if digits.len() != 2 * HASH_SIZE_BYTES || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(HashInvalid);
        }
        let mut hash = [0; HASH_SIZE_BYTES];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).expect("hexadecimal digits are ASCII");
            *byte = u8::from_str_radix(pair, 16).expect("two hexadecimal digits");
        }
        Ok(AdminKeyHash(hash))
    }
}

impl fmt::Display for AdminKeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for AdminKeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AdminKeyHash({self})")
    }
}

/// The admin keys that count.
#[derive(Clone, Debug, Default)]
pub struct AdminKeys(Vec<AdminKeyHash>);

impl AdminKeys {
    /// From what is stored.
    pub fn new(hashes: Vec<AdminKeyHash>) -> AdminKeys {
        AdminKeys(hashes)
    }

    /// Whether a key counts. Takes the same time whichever it is and wherever it differs.
    pub fn knows(&self, key: &str) -> bool {
        let hash = hash_of(key);
        let hit = |any: Choice, known: &AdminKeyHash| any | known.0.ct_eq(&hash.0);
        self.0.iter().fold(Choice::from(0), hit).into()
    }
}

fn hash_of(key: &str) -> AdminKeyHash {
    let digest = digest::digest(&digest::SHA256, key.as_bytes());
    AdminKeyHash(digest.as_ref().try_into().expect("a SHA-256 has 32 bytes"))
}
