//! See [`fuzz::callback`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::callback::run(input));
