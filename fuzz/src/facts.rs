//! Any bytes as a fact and as an entry of a snapshot: what decodes has exactly one form, and the first byte of the
//! input, which says the kind, leads to facts or to entries, never to both.

/// Kind, then payload.
pub fn run(input: &[u8]) {
    let Some((kind, payload)) = input.split_first() else { return };
    let (fact, entry) = (codec::decode(*kind, payload), codec::decode_entry(*kind, payload));
    assert!(fact.is_err() || entry.is_err(), "kind {kind} is a fact and an entry");
    let mut again = Vec::new();
    let kind_again = match (&fact, &entry) {
        (Ok(fact), _) => codec::encode(fact, &mut again),
        (_, Ok(entry)) => codec::encode_entry(entry, &mut again),
        (Err(fact), Err(entry)) => {
            assert!(!fact.to_string().is_empty() && !entry.to_string().is_empty());
            return;
        }
    };
    assert_eq!((kind_again, &again[..]), (*kind, payload), "{fact:?} {entry:?} has two forms");
    assert!(payload.len() <= codec::PAYLOAD_SIZE_BYTES_MAX);
    assert!(codec::kinds::name(*kind).is_some());
}
