//! The fuzz target `bank_toml`; what it does with its bytes stands in `bodies/bank_toml.rs`.
#![no_main]

mod prepare;

libfuzzer_sys::fuzz_target!(init: prepare::prepare(), |data: &[u8]| wellfield_fuzz::bank_toml::run(data));
