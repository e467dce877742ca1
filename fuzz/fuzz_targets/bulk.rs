//! See [`fuzz::bulk`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::bulk::run(input));
