//! `cargo xtask dist`: builds what is shipped and measured. First the programs are built so that they count what they do,
//! then they do a server's usual work (`bench train`), then they are built anew by those counts: profile-guided optimization
//! (<https://doc.rust-lang.org/rustc/profile-guided-optimization.html>, ADR 0019).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::step;

/// What is built: the server, and what it is measured beside and by.
const PACKAGES: [&str; 3] = ["onrush", "peer", "bench"];
/// Code that changed since, or that the work never reached, is built as if there were no profile.
const FLAGS_OF_USE: &str = "-Cllvm-args=-pgo-warn-missing-function=false -Cllvm-args=-no-pgo-warn-mismatch";

/// Folders and programs of such a build.
struct Site<'a> {
    root: &'a Path,
    folder: PathBuf,
    host: String,
}

/// Counts anew and builds by that.
///
/// # Errors
/// When something cannot be built, or does not do its work.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let site = Site::new(root)?;
    site.train()?;
    let programs = site.build()?;
    println!("built {}", programs.join("onrush").display());
    Ok(())
}

/// Brings the programs up to date by the counts that there are, or by new ones when there are none; says where they are.
///
/// # Errors
/// When something cannot be built, or does not do its work.
pub(crate) fn bring_up_to_date(root: &Path) -> anyhow::Result<PathBuf> {
    let site = Site::new(root)?;
    if !site.profile().is_file() {
        site.train()?;
    }
    site.build()
}

impl Site<'_> {
    fn new(root: &Path) -> anyhow::Result<Site<'_>> {
        let version = printed(Command::new(rustc()).arg("-vV"))?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.context("rustc does not say what it builds for")?.to_owned();
        Ok(Site { root, folder: step::target_folder(root).join("pgo"), host })
    }

    fn profile(&self) -> PathBuf {
        self.folder.join("onrush.profdata")
    }

    /// Builds programs that count, has them do their work, and puts the counts together.
    fn train(&self) -> anyhow::Result<()> {
        let merge = merge_program()?;
        let counts = self.folder.join("counts");
        if counts.is_dir() {
            fs::remove_dir_all(&counts).context("cannot remove the counts of the last time")?;
        }
        let programs = self.cargo("counting", &format!("-Cprofile-generate={}", text(&counts)?))?;
        println!("   bench train");
        let onrush = programs.join("onrush");
        let trained = Command::new(programs.join("bench")).arg("train").arg("--bin").arg(onrush).status();
        let trained = trained.context("the programs that count could not be started")?;
        if !trained.success() {
            bail!("the programs that count did not do their work: {trained}");
        }
        printed(Command::new(merge).arg("merge").arg("--output").arg(self.profile()).arg(&counts))?;
        Ok(())
    }

    fn build(&self) -> anyhow::Result<PathBuf> {
        self.cargo("trained", &format!("-Cprofile-use={} {FLAGS_OF_USE}", text(&self.profile())?))
    }

    /// Builds all programs with these flags, into a folder of its own, since no other build can use what is in it.
    fn cargo(&self, name: &str, flags: &str) -> anyhow::Result<PathBuf> {
        let folder = self.folder.join(name);
        let usual = std::env::var("RUSTFLAGS").unwrap_or_default();
        let flags = [usual.as_str(), flags].join(" ");
        // With a target of its own, the flags do not reach what only the build itself runs.
        let mut words =
            ["build", "--profile", "dist", "--quiet", "--target", &self.host].map(str::to_owned).to_vec();
        words.extend(["--target-dir".to_owned(), text(&folder)?.to_owned()]);
        words.extend(PACKAGES.iter().flat_map(|package| ["--package".to_owned(), (*package).to_owned()]));
        step::cargo(&words, &[("RUSTFLAGS", flags.trim_start())], self.root)?;
        Ok(folder.join(&self.host).join("dist"))
    }
}

/// `llvm-profdata` of rustc's own LLVM: counts of one version are not for another.
fn merge_program() -> anyhow::Result<PathBuf> {
    let libraries = printed(Command::new(rustc()).args(["--print", "target-libdir"]))?;
    let program = Path::new(libraries.trim()).with_file_name("bin").join("llvm-profdata");
    if !program.is_file() {
        let added = printed(Command::new("rustup").args(["component", "add", "llvm-tools"]));
        added.context("llvm-profdata of rustc's own LLVM is needed: rustup component add llvm-tools")?;
    }
    Ok(program)
}

fn rustc() -> std::ffi::OsString {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

/// What a program printed that ended well.
fn printed(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("{name} could not be started"))?;
    if !output.status.success() {
        bail!("{name}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("the target folder's name is not UTF-8")
}
