//! What every generated bank must hold: the same rows again, whole keys in order, all tables there.

use super::*;
use arrow::array::AsArray;
use std::collections::BTreeMap;

fn bank(options: &Options) -> BTreeMap<&'static str, Vec<RecordBatch>> {
    let mut bank: BTreeMap<&'static str, Vec<RecordBatch>> = BTreeMap::new();
    let mut sink = |table, batch| {
        bank.entry(table).or_default().push(batch);
        Ok(())
    };
    generate(options, &mut sink).unwrap();
    bank
}

fn options(households: u64) -> Options {
    Options::new(households, 7, Date::from_ymd(2026, 6, 30).unwrap())
}

#[test]
fn the_same_options_give_the_same_bank() {
    assert_eq!(bank(&options(2_500)), bank(&options(2_500)));
    assert_ne!(bank(&options(300)), bank(&Options { seed: 8, ..options(300) }));
}

#[test]
fn every_table_is_there_even_of_an_empty_bank() {
    for households in [0, 1, 7, 300] {
        let bank = bank(&options(households));
        assert_eq!(bank.len(), 19, "{households} households");
        let rows: usize = bank.get("households").unwrap().iter().map(RecordBatch::num_rows).sum();
        assert!(rows >= households as usize);
    }
}

#[test]
fn every_table_comes_in_the_order_of_its_first_key() {
    let bank = bank(&options(5_000));
    assert!(bank.get("visits").unwrap().len() > 1, "several chunks");
    for (table, batches) in bank {
        let mut last = String::new();
        for batch in batches {
            for key in batch.column(0).as_string::<i32>().iter().flatten() {
                assert!(last.as_str() <= key, "{table}: {key} after {last}");
                key.clone_into(&mut last);
            }
        }
    }
}

#[test]
fn every_shape_has_the_households_that_were_asked_for() {
    for shape in [Shape::Even, Shape::HugeBranch, Shape::BusyHousehold] {
        let bank = bank(&Options { shape, ..options(2_000) });
        let mut ids: Vec<String> = Vec::new();
        for batch in bank.get("households").unwrap() {
            ids.extend(batch.column(0).as_string::<i32>().iter().flatten().map(str::to_owned));
        }
        ids.dedup();
        assert_eq!(ids.len(), 2_000, "{shape:?}");
    }
}
