use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

const NOW: UnixMs = UnixMs(1_796_151_600_000);
const SECRET: &[u8; 32] = b"a secret of exactly thirty-two b";

fn claims(sub: &str) -> TokenClaims {
    TokenClaims { sub: sub.into(), exp: NOW.0 / 1_000 + 60, aud: None, iss: None }
}

fn hs256(audience: Option<&str>, issuer: Option<&str>) -> BuyerTokens {
    let (audience, issuer) = (audience.map(str::to_owned), issuer.map(str::to_owned));
    let algorithm = TokenAlgorithm::Hs256 { secret: SECRET.to_vec() };
    BuyerTokens::new(&TokenRules { algorithm, audience, issuer }).unwrap()
}

fn issued(claims: &TokenClaims) -> String {
    IssueKey::hs256(SECRET).unwrap().issue(claims).unwrap()
}

fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der)).into_bytes()
}

fn verified(tokens: &BuyerTokens, token: &str) -> Result<BuyerId, AuthFault> {
    tokens.verify(token, NOW)
}

#[test]
fn an_issued_token_names_its_buyer_until_it_expires() {
    let (tokens, token) = (hs256(None, None), issued(&claims("alice")));
    assert_eq!(tokens.verify(&token, NOW), Ok(BuyerId::from_text("alice")));
    assert_eq!(tokens.verify(&token, NOW.plus_s(59)), Ok(BuyerId::from_text("alice")));
    assert_eq!(tokens.verify(&token, NOW.plus_s(60)), Err(AuthFault::TokenExpired));
}

/// What comes of a token by the short way, if it takes it, and by the library alone.
fn both_ways(tokens: &BuyerTokens, token: &str) -> [Result<BuyerId, AuthFault>; 2] {
    [tokens.check(token), tokens.check_slowly(token)].map(|checked| checked.map(|believed| believed.buyer))
}

#[test]
fn the_short_way_agrees_with_the_library() {
    let tokens = hs256(None, None);
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, SECRET);
    let b64 = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let heads = [
        r#"{"typ":"JWT","alg":"HS256"}"#,
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"none"}"#,
        r#"{"alg":"HS512","typ":"JWT"}"#,
        "",
    ];
    let bodies = [
        r#"{"sub":"alice","exp":1796151660}"#,
        r#"{"exp":1796151660.5,"nbf":1,"sub":"alice","role":["a",{"b":null}]}"#,
        r#"{"sub":"al\u0069ce","exp":1796151660}"#,
        r#"{"sub":"alice","sub":"bob","exp":1796151660}"#,
        r#"{"sub":"alice","exp":1796151660,"iss":"shop","aud":"onrush"}"#,
        r#"{"sub":"alice","exp":1796151660,"aud":"x","aud":"x"}"#,
        r#"{"sub":"alice","exp":1796151660,"iss":"x","iss":"x"}"#,
        r#"{"sub":"alice","exp":1796151660,"iss":{"a":1},"aud":["x","y"]}"#,
        r#"{"sub":"alice","exp":1796151660,"iss":7,"aud":"\ud800"}"#,
        r#"{"sub":"","exp":1796151660}"#,
        r#"{"sub":7,"exp":1796151660}"#,
        r#"{"sub":"alice"}"#,
        r#"{"sub":"alice","exp":-1}"#,
        r#"{"sub":"alice","exp":"1796151660"}"#,
        r#"{"sub":"alice","exp":1796151660} "#,
        r#"["alice",1796151660,null]"#,
        r#"not json"#,
        "",
    ];
    let long = format!(r#"{{"sub":"alice","exp":1796151660,"more":"{}"}}"#, "x".repeat(2_000));
    let mut believed_count = 0;
    for body in bodies.into_iter().chain([long.as_str()]) {
        for head in heads {
            let signed = format!("{}.{}", b64(head), b64(body));
            let signature = aws_lc_rs::hmac::sign(&key, signed.as_bytes());
            let signature = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(signature.as_ref());
            let cut = &signature[..signature.len() - 1];
            let padded = format!("{signed}.{signature}=");
            let flipped = format!("{}.{signature}", signed.replacen('e', "f", 1));
            let tokens_to_try =
                [format!("{signed}.{signature}"), format!("{signed}.{cut}"), padded, flipped, signed.clone()];
            for token in &tokens_to_try {
                let [short, long] = both_ways(&tokens, token);
                assert_eq!(short, long, "{head} {body} as {token}");
                believed_count += usize::from(short.is_ok());
            }
        }
    }
    assert!(believed_count >= 16, "only {believed_count} of the tokens were good ones");
}

/// What a shop would write itself, step by step as documented.
fn short_by_hand(sub: &str, exp: &str) -> String {
    let key = blake3::derive_key("Onrush 2026-11-21 short tokens of buyers", SECRET);
    let signed = format!("o1.{sub}.{exp}");
    let mac = blake3::keyed_hash(&key, signed.as_bytes());
    let mac = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&mac.as_bytes()[..16]);
    format!("{signed}.{mac}")
}

fn short(sub: &str, exp: u64) -> Result<String, TokenKeyError> {
    IssueKey::short(SECRET)?.issue(&TokenClaims { exp, ..claims(sub) })
}

#[test]
fn a_short_token_names_its_buyer_until_it_expires() {
    let tokens = hs256(None, None);
    let exp = NOW.0 / 1_000 + 60;
    for sub in ["alice", "a.b.1796151660", "o1.", "-", &"x".repeat(255)] {
        let token = short(sub, exp).unwrap();
        assert_eq!(token, short_by_hand(sub, &exp.to_string()));
        assert_eq!(verified(&tokens, &token), Ok(BuyerId::from_text(sub)), "{token}");
        assert_eq!(tokens.verify(&token, UnixMs(exp * 1_000)), Err(AuthFault::TokenExpired));
        assert_eq!(tokens.verify(&token, UnixMs(exp * 1_000 - 1)), Ok(BuyerId::from_text(sub)));
    }
}

#[test]
fn a_short_token_of_another_form_is_not_believed() {
    let tokens = hs256(None, None);
    let long = "x".repeat(256);
    let wrong =
        [("", "1796151660"), ("a b", "1796151660"), ("é", "1796151660"), (long.as_str(), "1796151660")];
    let ends = ["", "01796151660", "+1796151660", "1e12", "9999999999999", "-1"];
    for (sub, exp) in wrong.into_iter().chain(ends.map(|exp| ("alice", exp))) {
        let token = short_by_hand(sub, exp);
        assert_eq!(verified(&tokens, &token), Err(AuthFault::TokenInvalid), "{token}");
    }
    for token in ["o1.", "o1.alice.1796151660", "o1.alice.1796151660.", "o1..", "o1.alice.1.éééééééééééé"]
    {
        assert_eq!(verified(&tokens, token), Err(AuthFault::TokenInvalid), "{token}");
    }
    for exp in [0, 999_999_999_999] {
        assert!(short("alice", exp).is_ok(), "{exp}");
    }
    assert!(matches!(short("a b", 1), Err(TokenKeyError::NotShort)));
    assert!(matches!(short("a", 1_000_000_000_000), Err(TokenKeyError::NotShort)));
}

#[test]
fn a_short_token_with_one_changed_character_is_not_believed() {
    let tokens = hs256(None, None);
    let token = short("alice", NOW.0 / 1_000 + 60).unwrap();
    for place in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[place] = if bytes[place] == b'7' { b'8' } else { b'7' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_eq!(verified(&tokens, &changed), Err(AuthFault::TokenInvalid), "{changed}");
    }
    let other = IssueKey::short(b"another secret that is long enough").unwrap();
    let other = other.issue(&claims("alice")).unwrap();
    assert_eq!(verified(&tokens, &other), Err(AuthFault::TokenInvalid), "of another secret");
}

#[test]
fn a_short_token_is_not_believed_where_audience_or_issuer_count() {
    let token = short("alice", NOW.0 / 1_000 + 60).unwrap();
    for tokens in [hs256(Some("shop"), None), hs256(None, Some("shop"))] {
        assert_eq!(verified(&tokens, &token), Err(AuthFault::TokenInvalid));
    }
    let key = IssueKey::short(SECRET).unwrap();
    let claims = TokenClaims { aud: Some("shop".into()), ..claims("alice") };
    assert!(matches!(key.issue(&claims), Err(TokenKeyError::NotShort)));
}

#[test]
fn a_buyer_has_a_name_of_1_to_255_bytes() {
    let tokens = hs256(None, None);
    let long = "x".repeat(255);
    assert_eq!(verified(&tokens, &issued(&claims(&long))), Ok(BuyerId::from_text(&long)));
    for wrong in ["", &"x".repeat(256)] {
        assert_eq!(verified(&tokens, &issued(&claims(wrong))), Err(AuthFault::TokenInvalid));
    }
}

#[test]
fn audience_and_issuer_count_when_they_are_configured() {
    let token = |aud: Option<&str>, iss: Option<&str>| {
        issued(&TokenClaims { aud: aud.map(str::to_owned), iss: iss.map(str::to_owned), ..claims("alice") })
    };
    let tokens = hs256(Some("shop"), Some("login"));
    assert!(verified(&tokens, &token(Some("shop"), Some("login"))).is_ok());
    for (aud, iss) in [(None, Some("login")), (Some("shop"), None), (Some("x"), Some("login"))] {
        assert_eq!(verified(&tokens, &token(aud, iss)), Err(AuthFault::TokenInvalid), "{aud:?} {iss:?}");
    }
    assert!(verified(&hs256(None, None), &token(Some("x"), Some("y"))).is_ok());
}

#[test]
fn a_token_with_one_changed_character_is_not_believed() {
    let (tokens, token) = (hs256(None, None), issued(&claims("alice")));
    for at in (0..token.len()).step_by(7) {
        let mut wrong = token.clone().into_bytes();
        wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
        let wrong = String::from_utf8(wrong).unwrap();
        assert_eq!(verified(&tokens, &wrong), Err(AuthFault::TokenInvalid), "at {at}");
    }
}

#[test]
fn a_token_of_another_algorithm_is_not_believed() {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let key = IssueKey::ed_dsa(&pem("PRIVATE KEY", pkcs8.as_ref())).unwrap();
    assert_eq!(verified(&hs256(None, None), &key.issue(&claims("a")).unwrap()), Err(AuthFault::TokenInvalid));
}

#[test]
fn ed25519_and_p256_keys_work_from_pem() {
    let random = SystemRandom::new();
    let ed = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
    let ed_public = Ed25519KeyPair::from_pkcs8(ed.as_ref()).unwrap();
    let ed_public_pem = pem("PUBLIC KEY", ed_public.public_key().as_der().unwrap().as_ref());
    let ec = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let ec_public = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, ec.as_ref()).unwrap();
    let ec_public_pem = pem("PUBLIC KEY", ec_public.public_key().as_der().unwrap().as_ref());
    let cases = [
        (
            IssueKey::ed_dsa(&pem("PRIVATE KEY", ed.as_ref())),
            TokenAlgorithm::EdDsa { public_key_pem: ed_public_pem },
        ),
        (
            IssueKey::es256(&pem("PRIVATE KEY", ec.as_ref())),
            TokenAlgorithm::Es256 { public_key_pem: ec_public_pem },
        ),
    ];
    for (key, algorithm) in cases {
        let token = key.unwrap().issue(&claims("alice")).unwrap();
        let tokens = BuyerTokens::new(&TokenRules { algorithm, audience: None, issuer: None }).unwrap();
        assert_eq!(verified(&tokens, &token), Ok(BuyerId::from_text("alice")));
        assert_eq!(
            tokens.verify(&token, NOW.plus_s(60)),
            Err(AuthFault::TokenExpired),
            "though it was checked"
        );
        assert_eq!(verified(&tokens, &issued(&claims("alice"))), Err(AuthFault::TokenInvalid));
    }
}

#[test]
fn a_key_that_does_not_fit_is_refused_at_start() {
    let rules = |algorithm| TokenRules { algorithm, audience: None, issuer: None };
    let short = BuyerTokens::new(&rules(TokenAlgorithm::Hs256 { secret: vec![7; 31] }));
    assert!(matches!(short, Err(TokenKeyError::SecretTooShort { size_bytes: 31, .. })));
    let text = BuyerTokens::new(&rules(TokenAlgorithm::EdDsa { public_key_pem: b"x".to_vec() }));
    assert!(matches!(text, Err(TokenKeyError::Pem(_))));
}

fn check_key<R: Role>(prefix: &str) {
    let key = RoleKey::<R>::generate();
    assert_eq!((key.as_str().len(), &key.as_str()[..prefix.len()]), (prefix.len() + 43, prefix));
    assert_ne!(key.as_str(), RoleKey::<R>::generate().as_str());
    assert_eq!(RoleKey::<R>::parse(key.as_str()).unwrap().hash(), key.hash());
    let stored = key.hash().to_string();
    assert_eq!(stored.len(), 64);
    let known = [RoleKey::<R>::generate().hash(), stored.parse().unwrap()];
    assert!(is_one_of(&known, key.as_str().as_bytes()));
    assert!(!is_one_of(&known, RoleKey::<R>::generate().as_str().as_bytes()));
    for wrong in ["", prefix, &format!("{prefix}short"), &stored] {
        assert!(RoleKey::<R>::parse(wrong).is_none(), "{wrong}");
    }
}

#[test]
fn a_key_reads_back_and_only_its_hash_is_kept() {
    check_key::<Admin>("onrush_admin_");
    check_key::<Integrator>("onrush_integrator_");
    assert_eq!("xy".parse::<KeyHash>(), Err(HashInvalid));
}

#[test]
fn each_role_may_do_its_own_and_nothing_else() {
    let (admin, integrator) = (AdminKey::generate(), IntegratorKey::generate());
    let keys = RoleKeys { admins: vec![admin.hash()], integrators: vec![integrator.hash()] };
    let auth = Auth::new(hs256(None, None), keys);
    let ask = |bearer: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, format!("Bearer {bearer}").parse().unwrap());
        let actor = auth.actor(&headers, NOW);
        (
            actor,
            auth.buyer(authorization_of(&headers), NOW),
            auth.organiser(&headers, NOW),
            auth.integrator(&headers, NOW),
        )
    };
    let alice = BuyerId::from_text("alice");
    let (no_organiser, no_integrator) = (Err(AuthFault::OrganiserOnly), Err(AuthFault::IntegratorOnly));
    let as_buyer = (Ok(Actor::Buyer(alice)), Ok(alice), no_organiser, no_integrator);
    assert_eq!(ask(&issued(&claims("alice"))), as_buyer);
    let no_buyer = Err(AuthFault::BuyerOnly);
    assert_eq!(ask(admin.as_str()), (Ok(Actor::Organiser), no_buyer, Ok(()), no_integrator));
    let neither = Err(AuthFault::BuyerOrOrganiserOnly);
    assert_eq!(ask(integrator.as_str()), (neither, no_buyer, no_organiser, Ok(())));
    let unknown = AuthFault::IntegratorKeyUnknown;
    let stranger = IntegratorKey::generate();
    assert_eq!(ask(stranger.as_str()), (Err(unknown), Err(unknown), Err(unknown), Err(unknown)));
}
