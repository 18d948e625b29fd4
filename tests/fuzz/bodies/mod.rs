//! What each fuzz target does with its bytes, apart from any fuzzer: the targets beside this folder hand it the
//! fuzzer's bytes, and the tests of the program hand it every file of the corpus.
//! Each promises more than that nothing panics: the same bytes twice give the same outcome, and what is refused is
//! refused with a sentence that names the place.

pub mod bank_toml;
pub mod conditions;
pub mod csv;
pub mod night;
pub mod parquet;
pub mod policies;
mod refusal;
mod scratch;

use wellfield::calendar::Date;

/// A target by its name, which is also that of its folder in the corpus.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("bank_toml", bank_toml::run),
    ("conditions", conditions::run),
    ("csv", csv::run),
    ("night", night::run),
    ("parquet", parquet::run),
    ("policies", policies::run),
];

/// The as-of date of everything that is fuzzed: the mini bank has rows before it and on it.
fn as_of() -> Date {
    Date::from_ymd(2026, 6, 30).expect("a day")
}

/// Takes the first byte as a choice among so many things; the first of them where there is no byte.
fn choose(data: &mut &[u8], count: usize) -> usize {
    match data.split_first() {
        Some((&first, rest)) => {
            *data = rest;
            usize::from(first) % count
        }
        None => 0,
    }
}
