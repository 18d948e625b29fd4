//! The fuzz target `policies`; what it does with its bytes stands in `bodies/policies.rs`.
#![no_main]

mod prepare;

libfuzzer_sys::fuzz_target!(init: prepare::prepare(), |data: &[u8]| wellfield_fuzz::policies::run(data));
