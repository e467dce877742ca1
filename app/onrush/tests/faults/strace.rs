//! Calling strace, and reading what it wrote.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::matrix::{Call, Place};
use crate::support::onrush::wrapped;
use crate::support::until;

/// A fault that struck.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Strike {
    /// The thread's name.
    pub(crate) thread: String,
    /// The last part of the file's name.
    pub(crate) file: String,
}

/// The server's command under strace. With `-D` the server stays our child and strace is beside it: signals reach
/// it, and its exit status is its own.
pub(crate) fn command(inner: &Command, place: Option<&Place>, files: (&[PathBuf], &Path)) -> Command {
    let (paths, trace) = files;
    let calls: Vec<&str> = Call::ALL.iter().map(|call| call.name()).collect();
    let mut words: Vec<String> = ["-D", "-f", "-q", "-y", "-Y", "--seccomp-bpf"].map(str::to_owned).into();
    words.extend(["-o".to_owned(), trace.display().to_string()]);
    words.push(format!("--trace={}", calls.join(",")));
    if let Some(Place { call, fault, number, .. }) = place {
        let fault = fault.injected_into(*call).expect("the matrix knows what can be");
        words.push(format!("--inject={}:{fault}:when={number}", call.name()));
    }
    words.extend(paths.iter().flat_map(|path| ["-P".to_owned(), path.display().to_string()]));
    wrapped("strace", &words, inner)
}

/// What strace wrote, once it has written all of it: it ends a moment after the server.
pub(crate) fn read(trace: &Path) -> String {
    until("strace to end", || {
        let text = std::fs::read_to_string(trace).ok()?;
        let main = text.split_whitespace().next()?.split('<').next()?.to_owned();
        let ends = |line: &str| line.starts_with(&main) && line.contains(" +++ exited with ");
        text.lines().last().is_some_and(ends).then_some(text)
    })
}

/// How often the thread that does so most calls it.
pub(crate) fn count_max(text: &str, call: Call) -> usize {
    let begin = format!("{}(", call.name());
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for (thread, rest) in text.lines().filter_map(|line| line.split_once("> ")) {
        *counts.entry(thread).or_default() += usize::from(rest.starts_with(&begin));
    }
    counts.into_values().max().unwrap_or(0)
}

/// The faults that struck, in their order.
pub(crate) fn strikes(text: &str, data: &Path) -> Vec<Strike> {
    let data = data.to_str().unwrap();
    let mut strikes = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| line.ends_with("(INJECTED)")) {
        let (thread, _) = line.split_once("> ").unwrap();
        // A call during which another thread made one is written in two lines.
        let begun = |line: &&str| line.starts_with(thread) && line.contains(data);
        let mut before = text.lines().take(index + 1).collect::<Vec<_>>().into_iter().rev();
        let line = before.find(begun).expect("every call names a file");
        let path = line.split(data).nth(1).unwrap();
        let path = path.split(['"', '>', ',']).next().unwrap();
        let file = match path.rsplit('/').next().unwrap() {
            "" => data.rsplit('/').next().unwrap(),
            file => file,
        };
        let (_, name) = thread.split_once('<').unwrap();
        strikes.push(Strike { thread: name.to_owned(), file: file.to_owned() });
    }
    strikes
}

#[test]
fn strikes_are_read_from_whole_lines_and_from_halves() {
    let text = "7<onrush> openat(AT_FDCWD</x>, \"/d/LOCK\", O_RDWR) = 9</d/LOCK>\n\
        9<writer-0> fdatasync(17</d/shard-0000/journal-1.seg> <unfinished ...>\n\
        7<onrush> fsync(20</d/secrets>) = -1 EIO (Input/output error) (INJECTED)\n\
        9<writer-0> <... fdatasync resumed>) = -1 EIO (Input/output error) (INJECTED)\n";
    let strike = |thread: &str, file: &str| Strike { thread: thread.to_owned(), file: file.to_owned() };
    let expected = [strike("onrush", "secrets"), strike("writer-0", "journal-1.seg")];
    assert_eq!(strikes(text, Path::new("/d")), expected);
    assert_eq!((count_max(text, Call::Fdatasync), count_max(text, Call::Rename)), (1, 0));
}
