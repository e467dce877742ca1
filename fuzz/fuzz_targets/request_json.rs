//! See [`fuzz::request_json`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::request_json::run(input));
