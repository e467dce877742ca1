//! See [`fuzz::facts`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::facts::run(input));
