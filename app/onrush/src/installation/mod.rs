//! What a data folder holds besides the shards: its form, its secrets, its admin keys.
//!
//! ```text
//! DIR/LOCK                     one process at a time
//! DIR/installation.toml        format and number of shards; never changes
//! DIR/secrets/*.key            made by the first start, readable by the owner only
//! DIR/secrets/admin-keys       SHA-256 of each admin key, one per line
//! DIR/secrets/integrator-keys  SHA-256 of each integrator key, one per line; only where there is one
//! DIR/shard-0000/              journal and snapshots of the first shard
//! ```

mod role_keys;
mod secrets;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use domain::{OrderCodec, ShardId};
use edge::auth::{AdminKey, KeyHash, Role, RoleKey};
use journal::DirLock;
use serde::{Deserialize, Serialize};

pub use secrets::SecretName;

const FORMAT: u32 = 1;
const FORM_FILE: &str = "installation.toml";
const ADMIN_KEYS: &str = "admin-keys";
const INTEGRATOR_KEYS: &str = "integrator-keys";

/// A data folder. Opening it for reading takes no lock and makes nothing.
#[derive(Clone, Debug)]
pub struct Installation {
    dir: PathBuf,
    form: Form,
}

/// What `installation.toml` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    /// Of this folder, not of the files in it, which have their own.
    format: u32,
    shards: u16,
}

/// A data folder that this process alone writes to, and what its first start made.
#[derive(Debug)]
pub struct Owned {
    /// The folder.
    pub installation: Installation,
    /// The admin key, when this start made it: to be shown once, since only its hash is kept.
    pub new_admin_key: Option<AdminKey>,
    /// Whether the start came to its end, so that the key is shown.
    is_started: bool,
    _lock: DirLock,
}

impl Installation {
    /// A folder that exists, for reading.
    ///
    /// # Errors
    /// When it is not a data folder, or one of a later version.
    pub fn open(dir: &Path) -> anyhow::Result<Installation> {
        let path = dir.join(FORM_FILE);
        let text = fs::read_to_string(&path)
            .with_context(|| format!("{} is not a data folder: cannot read {FORM_FILE}", dir.display()))?;
        let form: Form = toml::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?;
        if form.format != FORMAT {
            bail!("{} has format {}, this program knows {FORMAT}", path.display(), form.format);
        }
        Ok(Installation { dir: dir.to_owned(), form })
    }

    /// Takes the folder for this process, and makes what is missing.
    ///
    /// # Errors
    /// When another process has it, it cannot be written, or it has another number of shards.
    pub fn own(dir: &Path, shards: u16) -> anyhow::Result<Owned> {
        fs::create_dir_all(dir).with_context(|| format!("cannot make the data folder {}", dir.display()))?;
        let lock = DirLock::acquire(dir)?;
        if !dir.join(FORM_FILE).try_exists()? {
            let text = toml::to_string(&Form { format: FORMAT, shards }).expect("two numbers can be written");
            let path = dir.join(FORM_FILE);
            secrets::write_new(&path, text.as_bytes())
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        let installation = Installation::open(dir)?;
        if installation.form.shards != shards {
            bail!(
                "{} was made with shards = {}, and is started with shards = {shards}: the number cannot change",
                dir.display(),
                installation.form.shards
            );
        }
        secrets::make_missing(&installation.secrets_dir())?;
        Ok(Owned { installation, new_admin_key: None, is_started: false, _lock: lock })
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its shards, in order.
    pub fn shards(&self) -> impl Iterator<Item = ShardId> {
        (0..self.form.shards).map(|number| ShardId::new(number).expect("the configuration bounds the shards"))
    }

    /// The folder of a shard.
    pub fn shard_dir(&self, shard: ShardId) -> PathBuf {
        self.dir.join(format!("shard-{:04}", shard.get()))
    }

    /// One of its secrets: the text of its file, 64 hexadecimal digits, which is what goes into HMAC as it stands, so
    /// that the file can be handed to a shop that signs tokens.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged.
    pub fn secret(&self, name: SecretName) -> anyhow::Result<Vec<u8>> {
        secrets::read(&self.secrets_dir(), name)
    }

    /// What turns order numbers into the codes that buyers see.
    ///
    /// # Errors
    /// As [`Installation::secret`].
    pub fn order_codec(&self) -> anyhow::Result<OrderCodec> {
        let secret = secrets::unhex(&self.secret(SecretName::OrderCodes)?);
        let key = secret.as_ref().and_then(|secret| secret.first_chunk::<16>());
        Ok(OrderCodec::new(*key.context("the secret for order codes is damaged")?))
    }

    /// The admin keys that count.
    ///
    /// # Errors
    /// When the file cannot be read, or a line is not a hash.
    pub fn admin_keys(&self) -> anyhow::Result<Vec<KeyHash>> {
        role_keys::read(&self.secrets_dir().join(ADMIN_KEYS))
    }

    /// The keys of trusted integrators that count; none when none was ever made.
    ///
    /// # Errors
    /// As [`Installation::admin_keys`].
    pub fn integrator_keys(&self) -> anyhow::Result<Vec<KeyHash>> {
        let path = self.secrets_dir().join(INTEGRATOR_KEYS);
        if path.try_exists()? { role_keys::read(&path) } else { Ok(Vec::new()) }
    }

    /// Makes a key of that role, which counts from the server's next start on. Only its hash is stored.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub fn create_key<R: NamedRole>(&self) -> anyhow::Result<RoleKey<R>> {
        let key = RoleKey::generate();
        role_keys::append(&self.secrets_dir().join(R::FILE), key.hash())?;
        Ok(key)
    }

    fn make_admin_key(&self) -> anyhow::Result<Option<AdminKey>> {
        let key = AdminKey::generate();
        let path = self.secrets_dir().join(ADMIN_KEYS);
        match secrets::write_new(&path, format!("{}\n", key.hash()).as_bytes()) {
            Ok(()) => Ok(Some(key)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot write {}", path.display())),
        }
    }

    fn secrets_dir(&self) -> PathBuf {
        self.dir.join("secrets")
    }
}

/// A role whose keys are in a file of their own.
pub trait NamedRole: Role {
    /// The file, in the folder of the secrets.
    const FILE: &'static str;
}

impl NamedRole for edge::auth::Admin {
    const FILE: &'static str = ADMIN_KEYS;
}

impl NamedRole for edge::auth::Integrator {
    const FILE: &'static str = INTEGRATOR_KEYS;
}

impl Owned {
    /// Makes an admin key if there is none. It is taken back if the start fails after that: nobody was shown it, and
    /// nobody could administer the folder.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub fn ensure_admin_key(&mut self) -> anyhow::Result<()> {
        self.new_admin_key = self.installation.make_admin_key()?;
        Ok(())
    }

    /// The start has come to its end: what it made stays.
    pub fn started(&mut self) {
        self.is_started = true;
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if self.new_admin_key.is_some() && !self.is_started {
            // If this fails too, the operator has to remove the file; the start has told its own reason already.
            let _ = fs::remove_file(self.installation.secrets_dir().join(ADMIN_KEYS));
        }
    }
}

#[cfg(test)]
mod tests;
