//! Which room may import which, as `ARCHITECTURE.md` draws it.

use super::Problem;
use super::tree::Tree;

/// A room and what it may import.
struct Room {
    path: &'static str,
    imports: &'static [&'static str],
    /// Whether it may know HTTP.
    http: bool,
}

/// The table. A new room comes with a decision record and a row in `ARCHITECTURE.md`.
const ROOMS: &[Room] = &[
    Room { path: "core/domain", imports: &[], http: false },
    Room { path: "core/engine", imports: &["domain"], http: false },
    Room { path: "core/gate", imports: &["domain"], http: false },
    Room { path: "core/codec", imports: &["domain", "engine"], http: false },
    Room { path: "core/sequencer", imports: &["domain", "engine"], http: false },
    Room { path: "io/journal", imports: &["domain"], http: false },
    Room { path: "io/views", imports: &["domain", "engine", "codec", "journal"], http: false },
    Room {
        path: "io/shard",
        imports: &["domain", "engine", "codec", "sequencer", "journal", "views"],
        http: false,
    },
    Room { path: "io/payments", imports: &["domain"], http: true },
    Room { path: "io/edge", imports: &["domain", "gate", "views", "payments"], http: true },
    Room { path: "io/load", imports: &[], http: true },
    Room { path: "app/onrush", imports: ALL, http: true },
    // An integrator's program: knows what docs/api.md says, and nothing of ours.
    Room { path: "examples/batch-client", imports: &[], http: true },
];

const ALL: &[&str] = &[
    "domain",
    "engine",
    "gate",
    "codec",
    "sequencer",
    "journal",
    "views",
    "shard",
    "payments",
    "edge",
    "load",
];
const TOOLS: &str = "tools/";
const HTTP_LIBRARIES: [&str; 9] =
    ["axum", "http", "http-body-util", "httparse", "hyper", "hyper-util", "reqwest", "tower", "tower-http"];
const SECTIONS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Checks every `Cargo.toml` two folders deep against the table.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let manifests = tree.files_ending("/Cargo.toml").filter(|(path, _)| path.matches('/').count() == 2);
    manifests.flat_map(|(path, text)| check_manifest(tree, path, text)).collect()
}

fn check_manifest(tree: &Tree, path: &str, text: &str) -> Vec<Problem> {
    let folder = path.trim_end_matches("/Cargo.toml");
    let room = ROOMS.iter().find(|room| room.path == folder);
    if room.is_none() && !folder.starts_with(TOOLS) {
        return vec![problem(
            path,
            1,
            format!("the room `{folder}` has no row in the table of imports"),
            NEW_ROOM,
        )];
    }
    let manifest: toml::Table = match text.parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![problem(path, 1, format!("is not TOML: {error}"), "write it as TOML")],
    };
    let mut problems = Vec::new();
    for section in SECTIONS {
        let Some(table) = manifest.get(section).and_then(toml::Value::as_table) else { continue };
        for (name, value) in table {
            let line = line_of(text, section, name);
            let shared = value.get("workspace").and_then(toml::Value::as_bool) == Some(true);
            // A crate may import itself with another feature for its tests.
            let itself = value.get("path").and_then(toml::Value::as_str) == Some(".");
            if !shared && !itself {
                problems.push(problem(
                    path,
                    line,
                    format!("`{name}` has a version of its own"),
                    SHARE_VERSION,
                ));
            }
            if let Some((what, remedy)) = refused(tree, folder, room, name) {
                problems.push(problem(path, line, what, remedy));
            }
        }
    }
    if manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool)
        != Some(true)
    {
        problems.push(problem(
            path,
            1,
            "does not take the workspace's lints".into(),
            "add `[lints] workspace = true`",
        ));
    }
    problems
}

const NEW_ROOM: &str = "write a decision record in docs/adr, a row in ARCHITECTURE.md and a row in tools/xtask/src/tidy/imports.rs";
const SHARE_VERSION: &str =
    "put the version under [workspace.dependencies] and write `.workspace = true` here";

/// Why the room may not import `name`, if it may not.
fn refused(tree: &Tree, folder: &str, room: Option<&Room>, name: &str) -> Option<(String, &'static str)> {
    if tree.has(&format!("tools/{name}/Cargo.toml")) {
        return Some((
            format!("imports the tool `{name}`"),
            "nobody imports tools: move what is needed into a room",
        ));
    }
    let room = room?;
    let is_room = name == "onrush" || ALL.contains(&name);
    if is_room && !room.imports.contains(&name) && !folder.ends_with(&format!("/{name}")) {
        let what = format!("`{folder}` may not import `{name}`, only: {}", list(room.imports));
        return Some((what, "imports run one way (ARCHITECTURE.md): move the code, or pass the value in"));
    }
    if HTTP_LIBRARIES.contains(&name) && !room.http {
        let what = format!("`{folder}` may not know HTTP, and `{name}` is HTTP");
        return Some((
            what,
            "only io/edge, io/payments, io/load and the app speak HTTP: give them what they need to say",
        ));
    }
    None
}

fn list(imports: &[&str]) -> String {
    if imports.is_empty() { "no room".into() } else { imports.join(", ") }
}

/// The line on which a section names a dependency; 1 when it is written in a way that this does not find.
fn line_of(text: &str, section: &str, name: &str) -> usize {
    let header = format!("[{section}]");
    let own_section = format!("[{section}.{name}]");
    let names = |line: &str| {
        let rest = line.strip_prefix(name).unwrap_or("x");
        rest.starts_with([' ', '.', '='])
    };
    let mut inside = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line == own_section || inside && names(line) {
            return index + 1;
        }
        inside = line == header || inside && !line.starts_with('[');
    }
    1
}

fn problem(path: &str, line: usize, what: String, remedy: &'static str) -> Problem {
    Problem { path: path.into(), line, what, remedy }
}
