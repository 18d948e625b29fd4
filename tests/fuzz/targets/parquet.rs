//! The fuzz target `parquet`; what it does with its bytes stands in `bodies/parquet.rs`.
#![no_main]

mod prepare;

libfuzzer_sys::fuzz_target!(init: prepare::prepare(), |data: &[u8]| wellfield_fuzz::parquet::run(data));
