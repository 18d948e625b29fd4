//! The fuzz target `night`; what it does with its bytes stands in `bodies/night.rs`.
#![no_main]

mod prepare;

libfuzzer_sys::fuzz_target!(init: prepare::prepare(), |data: &[u8]| wellfield_fuzz::night::run(data));
