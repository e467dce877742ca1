//! Secrets that the first start makes: there is no default secret anywhere.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, bail};

const SIZE_BYTES: usize = 32;

/// The secrets of an installation, 32 random bytes each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SecretName {
    /// Under which order numbers become codes. Whoever loses it cannot read old codes any more.
    OrderCodes,
    /// Under which buyers' tokens are signed, unless the configuration names another key.
    BuyerTokens,
    /// Under which payment callbacks are signed, unless the configuration names another.
    Payments,
}

impl SecretName {
    const ALL: [SecretName; 3] = [SecretName::OrderCodes, SecretName::BuyerTokens, SecretName::Payments];

    fn file(self) -> &'static str {
        match self {
            SecretName::OrderCodes => "order-codes.key",
            SecretName::BuyerTokens => "buyer-tokens.key",
            SecretName::Payments => "payments.key",
        }
    }
}

pub(super) fn make_missing(dir: &Path) -> anyhow::Result<()> {
    let made = DirBuilder::new().mode(0o700).recursive(true).create(dir);
    made.with_context(|| format!("cannot make {}", dir.display()))?;
    for name in SecretName::ALL {
        let mut secret = [0; SIZE_BYTES];
        getrandom::fill(&mut secret)
            .map_err(|error| anyhow::anyhow!("the system gives no random bytes: {error}"))?;
        let path = dir.join(name.file());
        match write_new(&path, format!("{}\n", hex(&secret)).as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(error).with_context(|| format!("cannot write {}", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn read(dir: &Path, name: SecretName) -> anyhow::Result<Vec<u8>> {
    let path = dir.join(name.file());
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let secret = text.trim().as_bytes().to_vec();
    match unhex(&secret) {
        Some(bytes) if bytes.len() == SIZE_BYTES => Ok(secret),
        _ => bail!("{} is damaged: it must hold {} hexadecimal digits", path.display(), 2 * SIZE_BYTES),
    }
}

/// Writes a file that does not exist yet, for its owner's eyes only: whole and durable, or not at all.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if path.try_exists()? {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let temporary = path.with_extension("tmp");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    let synced = File::open(path.parent().expect("a file is in a folder")).and_then(|dir| dir.sync_all());
    if synced.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(path);
    }
    synced
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that hexadecimal digits stand for.
pub(super) fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks_exact(2).map(pair).collect()
}
