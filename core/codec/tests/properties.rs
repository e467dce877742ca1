//! Whatever is written reads back, and whatever is read was written so: for any fact and for any bytes.
#![allow(clippy::unwrap_used)] // The lint spares functions marked `#[test]` only, not their helpers.

mod arbitrary;

use codec::{DecodeError, PAYLOAD_SIZE_BYTES_MAX, kinds};
use proptest::prelude::*;

/// A payload with some of its bytes changed, its end cut off or something added.
fn damaged(mut payload: Vec<u8>, changes: &[(u16, u8)], len: Option<u16>) -> Vec<u8> {
    for (place, byte) in changes {
        let place = usize::from(*place) % payload.len();
        payload[place] = *byte;
    }
    if let Some(len) = len {
        payload.resize(usize::from(len) % (payload.len() + 3), 0);
    }
    payload
}

fn check_fact_bytes(kind: u8, payload: &[u8]) {
    if let Ok(fact) = codec::decode(kind, payload) {
        let mut again = Vec::new();
        assert_eq!((codec::encode(&fact, &mut again), &again[..]), (kind, payload), "{fact:?}");
    }
}

fn check_entry_bytes(kind: u8, payload: &[u8]) {
    if let Ok(entry) = codec::decode_entry(kind, payload) {
        let mut again = Vec::new();
        assert_eq!((codec::encode_entry(&entry, &mut again), &again[..]), (kind, payload), "{entry:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn every_fact_reads_back(fact in arbitrary::fact()) {
        let mut payload = vec![0xAA];
        let kind = codec::encode(&fact, &mut payload);
        prop_assert_eq!(payload[0], 0xAA, "encoding appends");
        prop_assert!(payload.len() <= PAYLOAD_SIZE_BYTES_MAX);
        prop_assert_eq!(codec::decode(kind, &payload[1..]), Ok(fact));
    }

    #[test]
    fn every_entry_reads_back(entry in arbitrary::entry()) {
        let mut payload = Vec::new();
        let kind = codec::encode_entry(&entry, &mut payload);
        prop_assert!(payload.len() <= PAYLOAD_SIZE_BYTES_MAX);
        prop_assert_eq!(codec::decode_entry(kind, &payload), Ok(entry));
    }

    #[test]
    fn cut_fact_is_refused_and_so_is_one_with_more(fact in arbitrary::fact(), byte: u8) {
        let mut payload = Vec::new();
        let kind = codec::encode(&fact, &mut payload);
        for len in 0..payload.len() {
            let cut = codec::decode(kind, &payload[..len]);
            prop_assert!(matches!(cut, Err(DecodeError::TooShort { .. })), "{:?}", cut);
        }
        let offset = payload.len();
        payload.push(byte);
        prop_assert_eq!(codec::decode(kind, &payload), Err(DecodeError::TooLong { offset, count: 1 }));
    }

    #[test]
    fn any_bytes_are_refused_or_canonical(kind: u8, payload in prop::collection::vec(any::<u8>(), 0..100)) {
        check_fact_bytes(kind, &payload);
        check_entry_bytes(kind, &payload);
    }

    #[test]
    fn damaged_fact_is_refused_or_canonical(
        fact in arbitrary::fact(),
        changes in prop::collection::vec(any::<(u16, u8)>(), 0..4),
        len in prop::option::of(any::<u16>()),
    ) {
        let mut payload = Vec::new();
        let kind = codec::encode(&fact, &mut payload);
        check_fact_bytes(kind, &damaged(payload, &changes, len));
    }

    #[test]
    fn damaged_entry_is_refused_or_canonical(
        entry in arbitrary::entry(),
        changes in prop::collection::vec(any::<(u16, u8)>(), 0..4),
        len in prop::option::of(any::<u16>()),
    ) {
        let mut payload = Vec::new();
        let kind = codec::encode_entry(&entry, &mut payload);
        check_entry_bytes(kind, &damaged(payload, &changes, len));
    }

    #[test]
    fn number_out_of_the_registry_is_an_unknown_kind(kind: u8) {
        let payload = [0; 44];
        if !kinds::FACTS.iter().any(|(number, _)| *number == kind) {
            prop_assert_eq!(codec::decode(kind, &payload), Err(DecodeError::UnknownKind { kind }));
        }
        if !kinds::ENTRIES.iter().any(|(number, _)| *number == kind) {
            prop_assert_eq!(codec::decode_entry(kind, &payload), Err(DecodeError::UnknownKind { kind }));
        }
    }
}

/// The exact word of a refusal, once for each way in which bytes can be wrong.
#[test]
fn refusal_names_the_field_and_its_place() {
    let held = |change: fn(&mut [u8; 44])| {
        let mut payload = [0; 44];
        payload[34] = 60; // hold_ttl_s
        payload[38] = 1; // quantity
        change(&mut payload);
        codec::decode(kinds::ORDER_HELD, &payload)
    };
    let illegal = |field, offset| Err(DecodeError::Illegal { field, offset });
    assert!(held(|_| {}).is_ok());
    assert_eq!(held(|payload| payload[7] = 0x80), illegal("order", 0));
    assert_eq!(held(|payload| payload[8] = 16), illegal("buyer", 8));
    assert_eq!(held(|payload| payload[33] = 0x10), illegal("sale", 32));
    assert_eq!(held(|payload| payload[34] = 0), illegal("hold_ttl_s", 34));
    assert_eq!(held(|payload| payload[37] = 0xFF), illegal("item", 36));
    assert_eq!(held(|payload| payload[38] = 0), illegal("quantity", 38));
    let text = held(|payload| payload[38] = 0).unwrap_err().to_string();
    assert_eq!(text, "field `quantity` at byte 38 holds an illegal value");
}

#[test]
fn lines_out_of_order_or_in_the_wrong_kind_are_refused() {
    let payload = |items: &[u8]| {
        let mut payload = vec![0; 36];
        payload[34] = 60;
        payload.push(u8::try_from(items.len()).unwrap());
        for item in items {
            payload.extend_from_slice(&[*item, 0, 1, 0, 9, 0, 0, 0]);
        }
        payload
    };
    let decode = |items: &[u8]| codec::decode(kinds::ORDER_HELD_LINES, &payload(items));
    assert!(decode(&[1, 2]).is_ok());
    for wrong in [&[2, 1][..], &[1, 1], &[1]] {
        assert_eq!(decode(wrong), Err(DecodeError::Illegal { field: "lines", offset: 36 }), "{wrong:?}");
    }
    let seventeen: Vec<u8> = (0..17).collect();
    for wrong in [&[][..], &seventeen] {
        assert_eq!(decode(wrong), Err(DecodeError::Illegal { field: "line_count", offset: 36 }), "{wrong:?}");
    }
}
