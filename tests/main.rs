//! The one test binary: the program seen from outside (command line, whole nights), its rules as cases of data, a second
//! opinion on generated banks, and the repository's own rules. Tests of single functions stand beside the functions.

// Tests may stop at once, and may look at any file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods)]

mod support;

mod agreement;
mod cases;
mod command_line;
mod nights;
mod second_opinion;
mod tidy;
