//! `onrush token`: buyers' tokens for trying things out and for load tests. A shop signs its own.

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::{Args, value_parser};
use edge::auth::{IssueKey, TokenClaims, TokenRules};

use crate::config::{Config, TokenAlgorithm};
use crate::installation::{Installation, SecretName};
use crate::serve::clock;
use crate::settings::SettingsArgs;

/// Make a buyer's token for trying things out.
#[derive(Args, Debug)]
pub struct TokenArgs {
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
    /// The buyer: the token's `sub`.
    #[arg(long, value_name = "NAME")]
    pub buyer: String,
    /// Make so many, for NAME-1 to NAME-N, one per line.
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=10_000_000))]
    pub count: Option<u32>,
    /// How long they live, in seconds; without it, as configured.
    #[arg(long, value_parser = value_parser!(u64).range(1..=31_536_000))]
    pub ttl_s: Option<u64>,
    /// A short token instead of a JSON Web Token: cheaper to check, for names of visible ASCII characters.
    #[arg(long)]
    pub short: bool,
}

/// Runs the command.
///
/// # Errors
/// When the tokens of this server are signed by somebody else, or its secret cannot be read.
pub fn run(args: &TokenArgs) -> anyhow::Result<()> {
    let longest = match args.count {
        Some(count) => format!("{}-{count}", args.buyer).len(),
        None => args.buyer.len(),
    };
    let size_bytes_max = domain::limits::LABEL_SIZE_BYTES_MAX;
    ensure!(
        !args.buyer.is_empty() && longest <= size_bytes_max,
        "a buyer has from 1 to {size_bytes_max} bytes"
    );
    let config = args.settings.load()?.config;
    let kind = if args.short { TokenKind::Short } else { TokenKind::Jwt };
    if kind == TokenKind::Short {
        ensure!(
            args.buyer.bytes().all(|byte| byte.is_ascii_graphic()),
            "the buyer of a short token has a name of visible ASCII characters without spaces"
        );
        ensure!(
            TokenKind::cheapest(&config) == kind,
            "short tokens say neither audience nor issuer, and tokens.audience or tokens.issuer is set"
        );
    }
    let issuer = Issuer::from_config(&config, kind, args.ttl_s)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match args.count {
        None => writeln!(out, "{}", issuer.issue(&args.buyer))?,
        Some(count) => {
            for number in 1..=count {
                writeln!(out, "{}", issuer.issue(&format!("{}-{number}", args.buyer)))?;
            }
        }
    }
    out.flush().context("nobody reads the output")
}

/// Which buyers' tokens the server of this configuration believes.
///
/// # Errors
/// When a secret or key file cannot be read.
pub(crate) fn token_rules(config: &Config, installation: &Installation) -> anyhow::Result<TokenRules> {
    let tokens = &config.tokens;
    let public_key_pem = || {
        let file = tokens.public_key_file.as_ref();
        let file =
            file.with_context(|| format!("tokens.alg {} needs tokens.public_key_file", tokens.alg.word()))?;
        std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
    };
    let algorithm = match tokens.alg {
        TokenAlgorithm::Hs256 => edge::auth::TokenAlgorithm::Hs256 { secret: secret(config, installation)? },
        TokenAlgorithm::EdDsa => edge::auth::TokenAlgorithm::EdDsa { public_key_pem: public_key_pem()? },
        TokenAlgorithm::Es256 => edge::auth::TokenAlgorithm::Es256 { public_key_pem: public_key_pem()? },
    };
    Ok(TokenRules { algorithm, audience: tokens.audience.clone(), issuer: tokens.issuer.clone() })
}

/// The shared secret: the configured one, or the data folder's own.
fn secret(config: &Config, installation: &Installation) -> anyhow::Result<Vec<u8>> {
    match (&config.tokens.secret, &config.tokens.secret_file) {
        (Some(secret), _) => Ok(secret.reveal().as_bytes().to_vec()),
        (None, Some(file)) => {
            let text = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            Ok(text.trim_ascii_end().to_vec())
        }
        (None, None) => installation.secret(SecretName::BuyerTokens),
    }
}

/// The form of a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TokenKind {
    /// A JSON Web Token.
    Jwt,
    /// A short token.
    Short,
}

impl TokenKind {
    /// What costs the server of that configuration least to check.
    pub(crate) fn cheapest(config: &Config) -> TokenKind {
        let says_more = config.tokens.audience.is_some() || config.tokens.issuer.is_some();
        if says_more { TokenKind::Jwt } else { TokenKind::Short }
    }
}

/// Makes tokens that the server of one configuration believes.
pub(crate) struct Issuer {
    key: IssueKey,
    audience: Option<String>,
    issuer: Option<String>,
    /// When the tokens end, in seconds since 1970.
    exp: u64,
}

impl Issuer {
    pub(crate) fn from_config(
        config: &Config,
        kind: TokenKind,
        ttl_s: Option<u64>,
    ) -> anyhow::Result<Issuer> {
        let tokens = &config.tokens;
        if tokens.alg != TokenAlgorithm::Hs256 {
            let alg = tokens.alg.word();
            bail!("tokens.alg is {alg}: only whoever has the private key can make tokens for this server");
        }
        let installation = Installation::open(&config.data);
        let installation =
            installation.context("start the server first, or name its data folder with --data")?;
        let now = Duration::from_millis(clock::now().0);
        let secret = secret(config, &installation)?;
        Ok(Issuer {
            key: match kind {
                TokenKind::Jwt => IssueKey::hs256(&secret)?,
                TokenKind::Short => IssueKey::short(&secret)?,
            },
            audience: tokens.audience.clone(),
            issuer: tokens.issuer.clone(),
            exp: (now + Duration::from_secs(ttl_s.unwrap_or(tokens.ttl_s))).as_secs(),
        })
    }

    /// A token for the buyer of that name, which must be visible ASCII when the token is a short one.
    pub(crate) fn issue(&self, buyer: &str) -> String {
        let (aud, iss) = (self.audience.clone(), self.issuer.clone());
        let claims = TokenClaims { sub: buyer.to_owned(), exp: self.exp, aud, iss };
        self.key.issue(&claims).expect("a short text can be signed")
    }
}
