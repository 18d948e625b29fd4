//! Every input of the fuzz targets' corpus, handed to the same functions by the program as it is built and shipped: what
//! once crashed stays mended, and no fuzzer is needed to see it. How the inputs are found stands in `fuzz/README.md`.

#[path = "fuzz/bodies/mod.rs"]
mod bodies;

use std::collections::BTreeSet;

use crate::support::{files_below, repository};

/// Hands every file of a target's corpus to it.
fn replay(name: &str) {
    let (_, run) = bodies::TARGETS.iter().find(|(target, _)| *target == name).expect("a target");
    let files = files_below(&repository().join("tests/fuzz/corpus").join(name), &|_| true);
    assert!(!files.is_empty(), "the corpus of `{name}` is empty");
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        // What stops the target is told with the file that stops it.
        let outcome = std::panic::catch_unwind(|| run(&bytes));
        assert!(outcome.is_ok(), "{} stops the target `{name}`", file.display());
    }
}

#[test]
fn bank_toml_files_are_read_or_refused() {
    replay("bank_toml");
}

#[test]
fn conditions_are_read_or_refused() {
    replay("conditions");
}

#[test]
fn text_files_are_read_or_refused() {
    replay("csv");
}

#[test]
fn nights_on_strange_rows_come_to_their_end() {
    replay("night");
}

#[test]
fn parquet_files_are_read_or_refused() {
    replay("parquet");
}

#[test]
fn policies_are_read_or_refused() {
    replay("policies");
}

#[test]
fn every_target_has_a_program_and_a_corpus() {
    let folder = repository().join("tests/fuzz");
    let named: BTreeSet<String> = bodies::TARGETS.iter().map(|(name, _)| (*name).to_string()).collect();
    let corpora = std::fs::read_dir(folder.join("corpus")).unwrap().map(|entry| entry.unwrap());
    let corpora = corpora.filter(|entry| entry.path().is_dir());
    let corpora: BTreeSet<String> = corpora.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(corpora, named);
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for name in named {
        assert!(manifest.contains(&format!("path = \"targets/{name}.rs\"")), "`{name}` has no program");
    }
}
