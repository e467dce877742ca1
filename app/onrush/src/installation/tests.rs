use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn first_start_makes_secrets_that_later_ones_keep() {
    let dir = tempfile::tempdir().unwrap();
    let mut owned = Installation::own(dir.path(), 1).unwrap();
    owned.ensure_admin_key().unwrap();
    let key = owned.new_admin_key.clone().expect("the first start makes an admin key");
    let tokens = owned.installation.secret(SecretName::BuyerTokens).unwrap();
    assert_ne!(tokens, owned.installation.secret(SecretName::Payments).unwrap());
    owned.started();
    drop(owned);
    let mut again = Installation::own(dir.path(), 1).unwrap();
    again.ensure_admin_key().unwrap();
    assert!(again.new_admin_key.is_none());
    assert_eq!(again.installation.secret(SecretName::BuyerTokens).unwrap(), tokens);
    assert_eq!(again.installation.admin_keys().unwrap(), [key.hash()]);
    let path = dir.path().join("secrets/buyer-tokens.key");
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o077, 0, "for the owner only");
}

/// Bug: a start that failed after it had made the admin key left its hash behind; the key was never shown, the next
/// start made none, and nobody could administer the folder. Cause: only the order of things stood against it. Fix:
/// who owns the folder takes the key back unless the start comes to its end. Found by `tests/faults`.
#[test]
fn admin_key_of_a_start_that_fails_is_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut owned = Installation::own(dir.path(), 1).unwrap();
    owned.ensure_admin_key().unwrap();
    let unseen = owned.new_admin_key.clone().unwrap();
    drop(owned);
    let mut again = Installation::own(dir.path(), 1).unwrap();
    again.ensure_admin_key().unwrap();
    let shown = again.new_admin_key.clone().expect("a key that somebody sees");
    again.started();
    assert_ne!(shown.hash(), unseen.hash());
    assert_eq!(again.installation.admin_keys().unwrap(), [shown.hash()]);
}

#[test]
fn a_key_that_is_made_counts_in_its_role_only() {
    let dir = tempfile::tempdir().unwrap();
    let mut owned = Installation::own(dir.path(), 1).unwrap();
    owned.ensure_admin_key().unwrap();
    owned.started();
    let first = owned.new_admin_key.clone().unwrap();
    let installation = &owned.installation;
    assert_eq!(installation.integrator_keys().unwrap(), []);
    let admin = installation.create_key::<edge::auth::Admin>().unwrap();
    let keys = [(); 2].map(|()| installation.create_key::<edge::auth::Integrator>().unwrap().hash());
    assert_eq!(installation.admin_keys().unwrap(), [first.hash(), admin.hash()]);
    assert_eq!(installation.integrator_keys().unwrap(), keys);
    let path = dir.path().join("secrets/integrator-keys");
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o077, 0, "for the owner only");
}

#[test]
fn second_process_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let _owned = Installation::own(dir.path(), 1).unwrap();
    let refused = Installation::own(dir.path(), 1).unwrap_err().to_string();
    assert!(refused.contains("in use by another process"), "{refused}");
    assert!(Installation::open(dir.path()).is_ok(), "reading needs no lock");
}

#[test]
fn number_of_shards_cannot_change() {
    let dir = tempfile::tempdir().unwrap();
    drop(Installation::own(dir.path(), 2).unwrap());
    let refused = Installation::own(dir.path(), 3).unwrap_err().to_string();
    assert!(refused.contains("was made with shards = 2"), "{refused}");
}

#[test]
fn damaged_secret_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let owned = Installation::own(dir.path(), 1).unwrap();
    fs::write(dir.path().join("secrets/payments.key"), "not hex").unwrap();
    let error = owned.installation.secret(SecretName::Payments).unwrap_err().to_string();
    assert!(error.contains("payments.key is damaged"), "{error}");
}

#[test]
fn other_folder_is_no_data_folder() {
    let dir = tempfile::tempdir().unwrap();
    let error = Installation::open(dir.path()).unwrap_err().to_string();
    assert!(error.contains("is not a data folder"), "{error}");
}
