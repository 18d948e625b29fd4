//! The fuzz target `csv`; what it does with its bytes stands in `bodies/csv.rs`.
#![no_main]

mod prepare;

libfuzzer_sys::fuzz_target!(init: prepare::prepare(), |data: &[u8]| wellfield_fuzz::csv::run(data));
