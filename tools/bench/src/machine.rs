//! The machine, in the words that a reader of figures needs; no names.

use std::fs;
use std::path::Path;

use serde::Serialize;

/// Facts about the machine.
#[derive(Serialize)]
pub(crate) struct Facts {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) memory_gib: u64,
    pub(crate) kernel: String,
    /// Whether it is a guest of another machine.
    pub(crate) is_virtual: bool,
    /// The file system that the journal is on.
    pub(crate) file_system: String,
}

impl Facts {
    /// Reads them; what cannot be read is empty.
    pub(crate) fn read(data: &Path) -> Facts {
        let text = |path| fs::read_to_string(path).unwrap_or_default();
        let cpu = text("/proc/cpuinfo");
        let memory_kib = field(&text("/proc/meminfo"), "MemTotal").unwrap_or_default();
        let memory_kib: u64 = memory_kib.trim_end_matches(" kB").parse().unwrap_or(0);
        Facts {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_gib: (memory_kib + (1 << 19)) >> 20,
            kernel: text("/proc/sys/kernel/osrelease").trim().to_owned(),
            is_virtual: field(&cpu, "flags").is_some_and(|flags| flags.contains(" hypervisor")),
            cpu: field(&cpu, "model name").unwrap_or_default(),
            file_system: file_system(&text("/proc/self/mounts"), data).unwrap_or_default(),
        }
    }
}

/// The first value of that name in a file of `name : value` lines.
fn field(text: &str, name: &str) -> Option<String> {
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    fields.map(|(key, value)| (key.trim(), value.trim())).find(|(key, _)| *key == name).map(|(_, v)| v.into())
}

/// The type of the file system that holds `path`: of the mount points above it, the deepest.
fn file_system(mounts: &str, path: &Path) -> Option<String> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((Path::new(words.next()?), words.next()?))
    });
    let above = mounts.filter(|(point, _)| path.starts_with(point));
    above.max_by_key(|(point, _)| point.components().count()).map(|(_, kind)| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deepest_mount_point_says_the_file_system() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n";
        assert_eq!(file_system(mounts, Path::new("/tmp/x")).as_deref(), Some("tmpfs"));
        assert_eq!(file_system(mounts, Path::new("/tmpx")).as_deref(), Some("ext4"));
    }
}
