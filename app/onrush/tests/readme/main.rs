//! Every command in the README works: its blocks of `sh` are run as they stand there.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

mod fit;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use fit::Curl;
use support::http::Ask;
use support::onrush::{BINARY, ran, root, run};
use support::server::{House, Server};
use support::until;

/// The commands for a fresh clone. The demo is run smaller; the other one is what runs this test.
const SETUP: [&str; 2] = ["cargo run --release -- demo", "cargo xtask test"];
const ADDRESS: &str = "http://127.0.0.1:8080";
const KEY: &str = "the key that the server showed";

/// A fenced block: its language and its text.
struct Block {
    language: String,
    text: String,
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).expect("there is a README")
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(language), None) => {
                open = Some(Block { language: language.to_owned(), text: String::new() })
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.text.push_str(&format!("{line}\n")),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

fn commands() -> Vec<String> {
    let blocks = blocks(&readme());
    for block in &blocks {
        assert!(["sh", "text"].contains(&block.language.as_str()), "this test would not run: {}", block.text);
    }
    blocks.into_iter().filter(|block| block.language == "sh").map(|block| block.text).collect()
}

#[test]
fn readme_opens_with_the_two_commands() {
    let first = commands().swap_remove(0);
    assert_eq!(first.lines().collect::<Vec<_>>(), SETUP);
    let alias = fs::read_to_string(root().join(".cargo/config.toml")).unwrap();
    assert!(alias.contains("xtask ="), "{alias}");
}

#[test]
fn demo_of_the_readme_shows_what_the_readme_shows() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("demo.json");
    let words = SETUP[0].split_whitespace().skip_while(|word| *word != "--").skip(1);
    let smaller =
        ["--exit", "--buyers", "1000", "--units", "100", "--rate", "2000", "--json", file.to_str().unwrap()];
    let ran = run(&words.chain(smaller).collect::<Vec<_>>());
    assert!(ran.status.success(), "{ran:?}");
    let report: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let shown =
        blocks(&readme()).into_iter().find(|block| block.text.contains("units paid")).expect("it is shown");
    let checks = report["checks"].as_array().unwrap();
    for check in checks {
        let name = check["name"].as_str().unwrap();
        assert!(shown.text.contains(name), "the README does not show the check {name:?}");
    }
    assert!(shown.text.contains(&format!("All {} checks held.", checks.len())));
}

#[test]
fn tour_of_the_readme_works_as_it_stands() {
    let folder = place();
    let house = House::new();
    let mut scripts = commands().into_iter().skip(1);
    let server = serve(&house, (&scripts.next().expect("the tour begins with a server"), folder.path()));
    let script = format!("set -eu\n{}", scripts.collect::<Vec<_>>().join("\n"));
    assert_eq!(
        (script.matches(ADDRESS).count(), script.matches(KEY).count()),
        (1, 1),
        "what stands for others"
    );
    let script =
        script.replace(ADDRESS, &format!("http://{}", server.address)).replace(KEY, &house.admin_key());
    assert_curls_fail_loudly(&script);
    // At the end the shell says what the tour has found out.
    let script = format!("{script}\necho \"ORDER=$ORDER\" >&2\necho \"TOKEN=$TOKEN\" >&2\n");
    let mut shell = Command::new("sh");
    let ran =
        ran(shell.args(["-c", &script]).current_dir(folder.path()).stdin(Stdio::null()).output().unwrap());
    assert!(ran.status.success(), "{ran:?}");
    for word in [
        r#""status":"open""#,
        r#""state":"held","lines":[{"item":"ga","quantity":2,"unit_price":6000}],"total":{"amount":12000,"currency":"EUR"}"#,
        r#""payment":{"provider":"simulator""#,
        r#"{"sale":"lanterns","items":[{"item":"ga","stock":200,"free":198"#,
        r#""buyer":"ada""#,
        "IN THE JOURNAL of shard 0",
        "buyer ada asked for 2 × ga at 6000 in lanterns",
        "free 200 → 198, held 0 → 2",
        "sale sneaker-drop is created",
    ] {
        assert!(ran.stdout.contains(word), "{word} is not in {}", ran.stdout);
    }
    assert!(ran.stdout.ends_with("clean\n"), "the journal: {}", ran.stdout);
    let told = |name: &str| {
        ran.stderr.lines().find_map(|line| line.strip_prefix(name)).expect("it is told").to_owned()
    };
    let look = Ask::get(&format!("/v1/orders/{}", told("ORDER="))).bearer(&told("TOKEN="));
    until("the bank's word", || (server.ask(&look).expect(200).json()["state"] == "paid").then_some(()));
    let stock = server.ask(&Ask::get("/v1/sales/lanterns/stock")).expect(200).json();
    assert_eq!(stock["items"][0]["paid"], 2);
    server.stop();
}

#[test]
fn requests_and_answers_of_the_readme_fit_the_api() {
    let house = House::new();
    let server = house.serve(&[]);
    let api = server.ask(&Ask::get("/v1/openapi.json")).expect(200).json();
    server.stop();
    let requests = Curl::all(&commands().join("\n"));
    assert!(requests.len() >= 7, "the tour has a request for each step");
    requests.iter().for_each(|request| request.assert_fits(&api));
    let shown: String = blocks(&readme()).into_iter().map(|block| block.text).collect();
    let answers: Vec<Value> = shown.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert!(answers.len() >= 3, "an order, the same paid, the stock");
    for answer in answers {
        let name = if answer["order"].is_string() { "Order" } else { "Stock" };
        fit::assert_value_fits(&api, &api["components"]["schemas"][name], &answer);
    }
}

/// A folder that looks like a clone in which the demo was run.
fn place() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("target/release")).unwrap();
    symlink(BINARY, folder.path().join("target/release/onrush")).unwrap();
    symlink(root().join("examples"), folder.path().join("examples")).unwrap();
    folder
}

/// Starts the server as the block says, but at free ports.
fn serve(house: &House, (script, folder): (&str, &Path)) -> Server {
    let (lines, last) = script.trim_end().rsplit_once('\n').expect("two lines");
    let mut shell = Command::new("sh");
    // `exec`, so that the server is our child and not the shell's.
    shell.args(["-c", &format!("set -eu\n{lines}\nexec {last}\n")]).current_dir(folder).stdin(Stdio::null());
    for name in ["ONRUSH_LISTEN", "ONRUSH_ADMIN_LISTEN", "ONRUSH_PAYMENTS_SIMULATOR_LISTEN"] {
        shell.env(name, "127.0.0.1:0");
    }
    house.serve_as(shell)
}

/// `-f` makes curl fail when the answer is not good, and the script with it.
fn assert_curls_fail_loudly(script: &str) {
    for command in script.split("curl ").skip(1) {
        assert!(command.starts_with("-fsS "), "curl {command}");
        assert!(
            !command.contains("| ") || command.contains("| tee order.json"),
            "a pipe hides a failure: {command}"
        );
    }
}
