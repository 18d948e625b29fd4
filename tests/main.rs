//! The one test binary: the program seen from outside (command line, whole nights), its rules as cases of data, a second
//! opinion on generated banks, and the repository's own rules. Tests of single functions stand beside the functions.

// Tests may stop at once, look at any file, and say what they skipped.
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod support;

mod agreement;
mod audit;
mod cases;
mod command_line;
mod comparison;
mod determinism;
mod faults;
mod fuzz_corpus;
mod logs;
mod nights;
mod operations;
mod properties;
mod published_runs;
mod regulator;
mod secrets;
mod second_opinion;
mod tidy;
