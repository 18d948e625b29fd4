//! The bytes are a `bank.toml`, in the folder of the mini bank: it is opened, and the tables that it speaks of are read
//! and cleaned. Files outside the folder are not followed: what lies there is another one on every machine.

use std::path::{Component, Path};

use wellfield::clean;
use wellfield::contract::Contracts;
use wellfield::read::bank::{Bank, Input};

use super::{as_of, csv, refusal, scratch};

pub fn run(data: &[u8]) {
    scratch::with_file("bank.toml", data, |folder, contracts| {
        let first = outcome(folder, contracts);
        assert_eq!(first, outcome(folder, contracts), "the same bytes twice");
    });
}

fn outcome(folder: &Path, contracts: &Contracts) -> String {
    let bank = match Bank::open(folder, contracts) {
        Ok(bank) => bank,
        Err(error) => {
            refusal::check(&error, &["bank.toml"]);
            return error.to_string();
        }
    };
    assert_eq!(bank.text.as_bytes(), std::fs::read(folder.join("bank.toml")).expect("it was just written"));
    for table in bank.inputs.keys() {
        assert!(contracts.input(table).is_ok(), "`{table}` is no input table");
    }
    if !is_inside(&bank) {
        return format!("{bank:?}");
    }
    let cleaned = clean::clean(&bank, contracts, as_of());
    match &cleaned {
        Ok(cleaned) => {
            for (table, counts) in &cleaned.counts {
                let sum = counts.accepted + counts.set_aside + counts.not_yet_known;
                assert_eq!(counts.read, sum, "rows of `{table}`: {counts:?}");
            }
        }
        Err(error) => refusal::check(error, &["`"]),
    }
    format!("{bank:?}\n{}", csv::described(&cleaned))
}

/// Whether every path that the bank names lies in its folder.
fn is_inside(bank: &Bank) -> bool {
    bank.inputs.values().all(|input| match input {
        Input::None => true,
        Input::Files(input) => {
            let mut paths = input.files.values().flatten().chain(&input.adapter);
            paths.all(|path| {
                Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
            })
        }
    })
}
