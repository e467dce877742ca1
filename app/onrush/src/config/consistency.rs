//! Values that are each allowed and contradict each other.

use super::choice::TokenAlgorithm;
use super::error::Fault;
use super::keys::Config;
use super::layers::Setting;

/// A rule: whether it is broken, which key to change, and what it says.
struct Rule {
    broken: bool,
    name: &'static str,
    why: &'static str,
}

/// Checks a configuration whose values are each allowed.
pub(super) fn check(config: &Config, settings: &[Setting]) -> Vec<Fault> {
    rules(config)
        .into_iter()
        .filter(|rule| rule.broken)
        .map(|rule| {
            let setting = settings.iter().find(|setting| setting.key.name == rule.name);
            let source = setting.expect("rules name keys of the table").source.clone();
            Fault::Contradiction { name: rule.name, origin: source, why: rule.why }
        })
        .collect()
}

fn rules(config: &Config) -> Vec<Rule> {
    let tokens = &config.tokens;
    let shared_secret = tokens.alg == TokenAlgorithm::Hs256;
    let fixed_ports = config.listen.port() != 0;
    vec![
        Rule {
            broken: !config.journal.segment_size_bytes.is_multiple_of(4_096),
            name: "journal.segment_size_bytes",
            why: "must be a multiple of 4096",
        },
        Rule {
            broken: !config.journal.block_size_bytes_max.is_multiple_of(4_096),
            name: "journal.block_size_bytes_max",
            why: "must be a multiple of 4096",
        },
        Rule {
            broken: fixed_ports && config.listen == config.admin_listen,
            name: "admin_listen",
            why: "must differ from listen: metrics are not for buyers",
        },
        Rule {
            broken: tokens.secret.is_some() && tokens.secret_file.is_some(),
            name: "tokens.secret_file",
            why: "cannot stand beside tokens.secret: leave one of them out",
        },
        Rule {
            broken: shared_secret && tokens.public_key_file.is_some(),
            name: "tokens.public_key_file",
            why: "is for tokens.alg EdDSA or ES256, and tokens.alg is HS256",
        },
        Rule {
            broken: !shared_secret && tokens.public_key_file.is_none(),
            name: "tokens.public_key_file",
            why: "is needed when tokens.alg is EdDSA or ES256",
        },
        Rule {
            broken: !shared_secret && tokens.secret.is_some(),
            name: "tokens.secret",
            why: "is for tokens.alg HS256: leave it out, or a public key may be taken for a secret",
        },
        Rule {
            broken: !shared_secret && tokens.secret_file.is_some(),
            name: "tokens.secret_file",
            why: "is for tokens.alg HS256: leave it out",
        },
        Rule {
            broken: config.payments.secret.is_some() && config.payments.secret_file.is_some(),
            name: "payments.secret_file",
            why: "cannot stand beside payments.secret: leave one of them out",
        },
    ]
}
