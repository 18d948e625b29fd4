//! The fuzz target `conditions`; what it does with its bytes stands in `bodies/conditions.rs`.
#![no_main]

mod prepare;

libfuzzer_sys::fuzz_target!(init: prepare::prepare(), |data: &[u8]| wellfield_fuzz::conditions::run(data));
