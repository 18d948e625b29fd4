//! What every generated bank must hold: the same rows again, whole keys in order, all tables there.

use super::*;
use arrow::array::AsArray;
use std::collections::BTreeMap;

fn bank(options: &Options) -> BTreeMap<&'static str, Vec<RecordBatch>> {
    let mut bank: BTreeMap<&'static str, Vec<RecordBatch>> = BTreeMap::new();
    let mut sink = |rows: Vec<TableRows>| {
        for (table, batch) in rows {
            bank.entry(table).or_default().push(batch);
        }
        Ok(())
    };
    generate(options, &mut sink).unwrap();
    bank
}

/// All cells of a table's column of text, in their order.
fn texts(bank: &BTreeMap<&'static str, Vec<RecordBatch>>, table: &str, column: &str) -> Vec<String> {
    let cells = |batch: &RecordBatch| {
        let column = batch.column_by_name(column).unwrap().as_string::<i32>();
        column.iter().map(|cell| cell.unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    bank[table].iter().flat_map(cells).collect()
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
fn threads_change_no_row() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| bank(&options(5_000)))
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn every_shape_has_the_households_that_were_asked_for() {
    for shape in [Shape::Even, Shape::HugeBranch, Shape::BusyHousehold] {
        let mut ids = texts(&bank(&Options { shape, ..options(2_000) }), "households", "household_id");
        ids.dedup();
        assert_eq!(ids.len(), 2_000, "{shape:?}");
    }
}

/// Households of the branch that has most of them, in a thousand.
fn largest_branch(options: &Options) -> usize {
    let bank = bank(options);
    let grids = texts(&bank, "grids", "grid_id").into_iter().zip(texts(&bank, "grids", "branch_id"));
    let branches: BTreeMap<String, String> = grids.collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let homes = texts(&bank, "households", "grid_id");
    for grid in &homes {
        *counts.entry(&branches[grid]).or_default() += 1;
    }
    counts.values().max().unwrap() * 1_000 / homes.len()
}

#[test]
fn a_huge_branch_has_half_of_the_households() {
    for (households, townships) in [(600, None), (20_000, None), (6_000, Some(12))] {
        let huge = Options { shape: Shape::HugeBranch, townships, ..options(households) };
        assert!((450..=550).contains(&largest_branch(&huge)), "{households}: {}", largest_branch(&huge));
    }
    assert!(largest_branch(&Options { townships: Some(12), ..options(6_000) }) < 200);
}

#[test]
fn a_busy_household_has_ten_thousand_visits_on_days_of_their_own() {
    let bank = bank(&Options { shape: Shape::BusyHousehold, ..options(300) });
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for household in texts(&bank, "visits", "household_id") {
        *counts.entry(household).or_default() += 1;
    }
    counts.remove("");
    let busy = counts.remove("H0000001").unwrap();
    assert!((10_000..11_000).contains(&busy), "{busy}");
    assert!(counts.values().all(|&visits| visits < 100));
    let ids = texts(&bank, "visits", "visit_id");
    assert!(ids.is_sorted() && ids.iter().all(|id| id.len() == ids[0].len()));
}

#[test]
fn what_no_bank_can_be_made_of_is_wrong_usage() {
    for (bad, faults) in [
        (Options { months: 0, visits_per_household: 0, ..options(1) }, 1),
        (Options { months: 1, visits_per_household: 31, ..options(1) }, 1),
        (Options { townships: Some(0), ..options(1) }, 1),
        (Options { townships: Some(11), ..options(10) }, 1),
        (Options { townships: Some(1), shape: Shape::HugeBranch, ..options(10) }, 1),
        (Options { months: 241, shape: Shape::BusyHousehold, ..options(0) }, 2),
        (Options { as_of: Date::from_ymd(1899, 12, 31).unwrap(), ..options(1) }, 1),
        (options(u64::MAX), 1),
    ] {
        let error = generate(&bad, &mut |_| Ok(())).unwrap_err();
        assert_eq!((error.exit_code(), error.faults().len()), (2, faults), "{error}");
    }
}
