//! The layers, their faults, and the page of documentation.

use std::path::Path;

use super::*;

const FILE_NAME: &str = "onrush.toml";

/// The layers of a test: what the file says, and pairs of names and values.
#[derive(Default)]
struct Given<'a> {
    file: &'a str,
    environment: &'a [(&'a str, &'a str)],
    command_line: &'a [(&'a str, &'a str)],
}

fn given(given: Given<'_>) -> Result<Loaded, ConfigError> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    load(Layers {
        file: Some(File { name: FILE_NAME.into(), text: given.file.into() }),
        environment: given.environment.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        command_line: given.command_line.iter().map(own).collect(),
    })
}

/// The faults of a configuration file, as they are shown.
fn faults_of_file(file: &str) -> Vec<String> {
    faults(Given { file, ..Given::default() })
}

fn faults(layers: Given<'_>) -> Vec<String> {
    let error = given(layers).expect_err("refused");
    error.faults.iter().map(ToString::to_string).collect()
}

fn check_file(file: &str, expected: &str) {
    assert_eq!(faults_of_file(file), [expected], "{file}");
}

#[test]
fn nothing_set_gives_the_defaults() {
    let loaded = load(Layers::default()).unwrap();
    assert_eq!(loaded.config.listen, "127.0.0.1:8080".parse().unwrap());
    assert!(loaded.config.admin_listen.ip().is_loopback());
    assert_eq!(loaded.config.data, Path::new("onrush-data"));
    assert_eq!(loaded.config.tokens.secret, None, "there is no default secret");
    assert_eq!(loaded.config.payments.secret, None, "there is no default secret");
    assert!(!loaded.config.payments.simulator.enabled);
    assert_eq!(loaded.source("listen"), Some(&Source::Default));
    assert_eq!(loaded.source("gone"), None);
}

#[test]
fn every_default_and_both_bounds_of_every_key_are_allowed() {
    for key in keys() {
        assert!(key.accepts(key.default), "{}", key.name);
        if let Allowed::Integer { min, max } = key.allowed {
            assert!(key.accepts(&min.to_string()) && key.accepts(&max.to_string()), "{}", key.name);
            assert!(!key.accepts(&(max + 1).to_string()), "{}", key.name);
        }
        if let Allowed::Choice(words) = key.allowed {
            assert!(words.iter().all(|word| key.accepts(word)) && !key.accepts("x"), "{}", key.name);
        }
    }
}

#[test]
fn no_two_keys_share_a_name_or_a_variable() {
    let mut variables: Vec<String> = keys().into_iter().map(Key::variable).collect();
    let count = variables.len();
    variables.sort();
    variables.dedup();
    assert_eq!(variables.len(), count);
    assert!(variables.contains(&"ONRUSH_HTTP_BODY_SIZE_BYTES_MAX".into()));
    assert!(variables.contains(&"ONRUSH_PAYMENTS_SIMULATOR_FAIL_PERCENT".into()));
}

#[test]
fn later_layer_wins_and_is_named_as_the_source() {
    let file = "listen = \"127.0.0.1:1\"\n\n[log]\nlevel = \"error\"\nformat = \"json\"\n[http]\nidle_timeout_ms = 5_000\n";
    let loaded = given(Given {
        file,
        environment: &[("ONRUSH_LOG_LEVEL", "warn"), ("ONRUSH_LISTEN", "127.0.0.1:2"), ("PATH", "/bin")],
        command_line: &[("listen", "127.0.0.1:3"), ("listen", "127.0.0.1:4")],
    })
    .unwrap();
    let Config { listen, log, http, .. } = &loaded.config;
    assert_eq!((listen.port(), log.level, log.format), (4, LogLevel::Warn, LogFormat::Json));
    assert_eq!(http.idle_timeout_ms, 5_000);
    let source = |name| loaded.source(name).unwrap().to_string();
    assert_eq!(source("listen"), "command line");
    assert_eq!(source("log.level"), "environment ONRUSH_LOG_LEVEL");
    assert_eq!(source("log.format"), "onrush.toml:5");
    assert_eq!(source("http.idle_timeout_ms"), "onrush.toml:7");
    assert_eq!(source("http.body_timeout_ms"), "default");
}

#[test]
fn wrong_value_names_key_value_source_and_what_is_allowed() {
    check_file(
        "[snapshot]\nevery_facts = 1\n",
        "onrush.toml:2: `snapshot.every_facts` is \"1\", and must be a whole number from 1,000 to 1,000,000,000",
    );
    check_file(
        "shards = -1",
        "onrush.toml:1: `shards` is \"-1\", and must be a whole number from 1 to 1,024",
    );
    check_file(
        "tokens.alg = \"none\"",
        "onrush.toml:1: `tokens.alg` is \"none\", and must be one of HS256, EdDSA, ES256",
    );
    check_file("\nlog = { level = [1] }", "onrush.toml:2: `log.level` cannot be a list");
    let by_variable = faults(Given { environment: &[("ONRUSH_LISTEN", "8080")], ..Given::default() });
    let expected = "environment ONRUSH_LISTEN: `listen` is \"8080\", and must be an address and a port, \
                    such as 127.0.0.1:8080 or [::]:8080";
    assert_eq!(by_variable, [expected]);
    let by_word = faults(Given { command_line: &[("data", "")], ..Given::default() });
    assert_eq!(by_word, ["command line: `data` is \"\", and must be the name of a file or folder"]);
}

#[test]
fn unknown_name_is_refused_with_the_nearest_known_one() {
    check_file(
        "[http]\nbody_size_max = 1",
        "onrush.toml:2: there is no key `http.body_size_max`; do you mean `http.body_size_bytes_max`?",
    );
    check_file("level = \"info\"", "onrush.toml:1: there is no key `level`; do you mean `log.level`?");
    check_file("zzz = 1", "onrush.toml:1: there is no key `zzz`; `onrush config print` shows all of them");
    check_file("http = 1", "onrush.toml:1: `http` cannot be a single value: it is a section");
    check_file(
        "[log]\n[lok]\n",
        "onrush.toml:2: there is no key `lok`; `onrush config print` shows all of them",
    );
    let nothing_alike = faults(Given { environment: &[("ONRUSH_XYZ", "1")], ..Given::default() });
    assert!(nothing_alike[0].ends_with("`onrush config print` shows all of them"), "{nothing_alike:?}");
    let by_variable = faults(Given { environment: &[("ONRUSH_LISTN", "x")], ..Given::default() });
    let expected = "environment ONRUSH_LISTN: there is no key `ONRUSH_LISTN`; do you mean `ONRUSH_LISTEN`?";
    assert_eq!(by_variable, [expected]);
    let by_word = faults(Given { command_line: &[("sharts", "1")], ..Given::default() });
    assert_eq!(by_word, ["command line: there is no key `sharts`; do you mean `shards`?"]);
}

#[test]
fn variables_of_others_are_left_alone() {
    let environment = [
        ("ONRUSH_CONFIG", "onrush.toml"),
        ("ONRUSH_SERVICE_HOST", "10.0.0.1"),
        ("ONRUSH_PORT", "tcp://10.0.0.1:8080"),
        ("ONRUSH_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("onrush_listen", "x"),
    ];
    given(Given { environment: &environment, ..Given::default() }).unwrap();
    for (variable, _) in environment {
        assert!(keys().iter().all(|key| key.variable() != variable), "{variable} is a key's");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let found = faults(Given {
        file: "shards = 0\nshard = 1\n",
        environment: &[("ONRUSH_LOG_FORMAT", "xml")],
        command_line: &[("io_threads", "many")],
    });
    assert_eq!(found.len(), 4, "{found:?}");
}

#[test]
fn file_that_is_not_toml_is_refused_with_its_line() {
    let found = faults_of_file("shards = 1\n\nlisten = = 3\n");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("onrush.toml:3: this is not TOML: "), "{found:?}");
    let found = faults_of_file("shards = 1\nshards = 2\n");
    assert!(found[0].starts_with("onrush.toml:2: this is not TOML: "), "{found:?}");
}

#[test]
fn secret_is_neither_printed_nor_told_in_a_fault() {
    let secret = "a secret that is long enough to be one";
    let loaded =
        given(Given { environment: &[("ONRUSH_TOKENS_SECRET", secret)], ..Given::default() }).unwrap();
    assert_eq!(loaded.config.tokens.secret.as_ref().map(Secret::reveal), Some(secret));
    assert!(!loaded.print().contains(secret) && !format!("{:?}", loaded.config).contains(secret));
    assert!(loaded.print().contains("secret = \"(hidden)\""));
    let found = faults(Given { environment: &[("ONRUSH_TOKENS_SECRET", "hunter2")], ..Given::default() });
    assert!(found.len() == 1 && !found[0].contains("hunter2"), "{found:?}");
}

#[test]
fn contradictions_are_refused_where_they_were_set() {
    let long = "x".repeat(32);
    for (file, expected) in [
        (
            "journal.segment_size_bytes = 1048577".to_owned(),
            "`journal.segment_size_bytes` must be a multiple",
        ),
        ("journal.block_size_bytes_max = 70000".into(), "`journal.block_size_bytes_max` must be a multiple"),
        ("listen = \"0.0.0.0:9\"\nadmin_listen = \"0.0.0.0:9\"".into(), "`admin_listen` must differ"),
        (format!("[tokens]\nsecret_file = \"a\"\nsecret = \"{long}\""), "`tokens.secret_file` cannot stand"),
        (
            format!("[payments]\nsecret_file = \"a\"\nsecret = \"{long}\""),
            "`payments.secret_file` cannot stand",
        ),
        ("tokens.public_key_file = \"a\"".into(), "`tokens.public_key_file` is for"),
        ("tokens.alg = \"EdDSA\"".into(), "`tokens.public_key_file` is needed"),
        (
            format!("[tokens]\nalg = \"ES256\"\npublic_key_file = \"a\"\nsecret = \"{long}\""),
            "`tokens.secret` is for tokens.alg HS256",
        ),
        (
            "[tokens]\nalg = \"ES256\"\npublic_key_file = \"a\"\nsecret_file = \"b\"".into(),
            "`tokens.secret_file` is for tokens.alg HS256",
        ),
    ] {
        let found = faults_of_file(&file);
        assert!(found.len() == 1 && found[0].contains(expected), "{file}: {found:?}");
    }
}

#[test]
fn two_listeners_may_both_take_any_free_port() {
    let file = "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"";
    given(Given { file, ..Given::default() }).unwrap();
}

#[test]
fn printed_configuration_is_a_file_that_gives_it_again() {
    let command_line =
        [("data", "a \"b\"\\c"), ("log.level", "debug"), ("payments.simulator.enabled", "true")];
    let loaded = given(Given { command_line: &command_line, ..Given::default() }).unwrap();
    let printed = loaded.print();
    assert!(printed.contains("[payments.simulator]\nenabled = true"), "{printed}");
    assert!(printed.contains("level = \"debug\"                              # command line\n"), "{printed}");
    assert_eq!(given(Given { file: &printed, ..Given::default() }).unwrap().config, loaded.config);
}

/// Found by fuzzing. Bug: a printed number was not always TOML. Cause: it was printed as it had been written, and a
/// variable may have zeros in front or two `_` in a row. Fix: it is printed as the number that counts.
#[test]
fn number_is_printed_as_toml_writes_it() {
    for text in ["0067108864", "67_108__864", "67108864"] {
        let environment = [("ONRUSH_JOURNAL_SEGMENT_SIZE_BYTES", text)];
        let loaded = given(Given { environment: &environment, ..Given::default() }).unwrap();
        let printed = loaded.print();
        assert!(printed.contains("segment_size_bytes = 67108864 "), "{text}: {printed}");
        assert_eq!(given(Given { file: &printed, ..Given::default() }).unwrap().config, loaded.config);
    }
}

#[test]
fn setting_on_the_command_line_is_split_at_the_first_equals_sign() {
    assert_eq!(split_setting("tokens.secret=a=b"), Ok(("tokens.secret".into(), "a=b".into())));
    assert!(split_setting("log.level").is_err());
}

/// Run with `UPDATE_DOCS=1` to write the page anew.
#[test]
fn page_of_documentation_is_made_from_the_table() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&page, reference()).unwrap();
    }
    let written = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(written == reference(), "docs/configuration.md is old: run this test with UPDATE_DOCS=1");
}
