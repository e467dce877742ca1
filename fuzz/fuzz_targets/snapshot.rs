//! See [`fuzz::snapshot`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::snapshot::run(input));
