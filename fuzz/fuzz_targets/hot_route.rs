//! See [`fuzz::hot_route`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::hot_route::run(input));
