//! What every run shares: the programs, the folder for whatever a run writes, and the buyers' tokens.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

use crate::arm::Arm;
use crate::stand::onrush::House;

const SECRET_SIZE_BYTES: usize = 32;

/// The programs that are built here.
pub(crate) struct Programs {
    pub(crate) onrush: PathBuf,
    /// Another build of it, where two are compared.
    pub(crate) before: Option<PathBuf>,
    pub(crate) peer: PathBuf,
}

/// A place for runs.
pub(crate) struct Site {
    pub(crate) programs: Programs,
    /// Holds what a run writes, on the disk that is to be measured.
    folder: TempDir,
    /// The same where nothing is ever written to a disk.
    memory: TempDir,
}

impl Site {
    /// A place under `parent`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn new(programs: Programs, parent: &Path) -> anyhow::Result<Site> {
        let folder = |parent: &Path| {
            let made = tempfile::Builder::new().prefix("onrush-bench-").tempdir_in(parent);
            made.with_context(|| format!("cannot write in {}", parent.display()))
        };
        let shared_memory = Path::new("/dev/shm");
        let memory = folder(if shared_memory.is_dir() { shared_memory } else { parent })?;
        let site = Site { programs, folder: folder(parent)?, memory };
        // Database servers run as users of their own, and have their folders inside.
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(site.folder(), std::fs::Permissions::from_mode(0o711))?;
        let mut random = [0; SECRET_SIZE_BYTES];
        std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut random)?;
        let secret: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        std::fs::write(site.secret_file(), secret)?;
        Ok(site)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A new folder for an arm's data.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn data_folder(&self, arm: Arm) -> anyhow::Result<TempDir> {
        let parent = if arm == Arm::OrderInMemory { self.memory.path() } else { self.folder() };
        Ok(tempfile::Builder::new().prefix("data-").tempdir_in(parent)?)
    }

    pub(crate) fn secret_file(&self) -> PathBuf {
        self.folder().join("tokens.key")
    }

    /// Writes so many tokens of different buyers, one per line, into a file for each name and count.
    ///
    /// # Errors
    /// When `onrush token` fails.
    pub(crate) fn tokens<const N: usize>(&self, files: [(&str, u32); N]) -> anyhow::Result<[PathBuf; N]> {
        // The command wants a data folder, as it stands after a first start.
        let house = House::open(self, &mut self.command("serve"), Arm::SoldOut)?;
        let data = house.data.path().to_owned();
        let paths = files.map(|(name, _)| self.folder().join(format!("{name}.tokens")));
        for ((name, count), path) in files.iter().zip(&paths) {
            let mut command = self.command("token");
            command.arg("--data").arg(&data).args([
                "--short",
                "--buyer",
                name,
                "--count",
                &count.to_string(),
            ]);
            let file = std::fs::File::create(path);
            let file = file.with_context(|| format!("cannot write {}", path.display()))?;
            let status = command.stdout(file).status().context("cannot start onrush")?;
            ensure!(status.success(), "`onrush token` failed: {status}");
        }
        house.close()?;
        Ok(paths)
    }

    /// Onrush with one of its commands, told which secret signs tokens, and nothing by this process's environment.
    pub(crate) fn command(&self, name: &str) -> Command {
        self.wrapped::<&str>(&[], name)
    }

    /// The server that answers for an arm.
    ///
    /// # Errors
    /// When nobody said which other build there is.
    pub(crate) fn serve(&self, arm: Arm) -> anyhow::Result<Command> {
        if arm != Arm::OrderBefore {
            return Ok(self.command("serve"));
        }
        let before = self.programs.before.as_ref().context("name the other build: --before")?;
        Ok(self.called(&[before], "serve"))
    }

    /// The same, called by another program: `wrapper` and then the command.
    pub(crate) fn wrapped<S: AsRef<OsStr>>(&self, wrapper: &[S], name: &str) -> Command {
        let words: Vec<&OsStr> =
            wrapper.iter().map(AsRef::as_ref).chain([self.programs.onrush.as_os_str()]).collect();
        self.called(&words, name)
    }

    fn called<S: AsRef<OsStr>>(&self, words: &[S], name: &str) -> Command {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg(name);
        if matches!(name, "serve" | "token") {
            command.arg("--set").arg(format!("tokens.secret_file={}", self.secret_file().display()));
        }
        let ours = |key: &std::ffi::OsString| key.as_encoded_bytes().starts_with(b"ONRUSH_");
        for (key, _) in std::env::vars_os().filter(|(key, _)| ours(key)) {
            command.env_remove(key);
        }
        command
    }
}

/// Runs a program to its end.
///
/// # Errors
/// When it fails; with what it printed.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<Output> {
    let program = command.get_program().to_owned();
    let program = Path::new(&program).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot start {program}"))?;
    if !output.status.success() {
        let words: Vec<_> = command.get_args().take(2).map(OsStr::to_string_lossy).collect();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        bail!("`{program} {}` failed: {}\n{out}{err}", words.join(" "), output.status);
    }
    Ok(output)
}
