//! A whole night of the household stages on generated banks, beside the floor: the same files and columns read and
//! decoded, and the same output tables encoded and written from memory, with nothing between.
//! `cargo bench` runs 10,000 and 100,000 households; `cargo bench -- 1000000` runs another size. A night whose
//! published rows are not the households that were generated is a failure, not a figure.
// A benchmark looks at the clock, opens what it measures, and prints.
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use arrow::compute::concat_batches;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use rayon::prelude::*;
use serde_json::{Value, json};
use wellfield::contract::{Contract, Contracts};
use wellfield::manifest::Manifest;
use wellfield::outputs::OutputTable;
use wellfield::publish;
use wellfield::read::published;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const PROGRAM: &str = env!("CARGO_BIN_EXE_wellfield");
const AS_OF: &str = "2026-06-30";
const SIZES: [u64; 2] = [10_000, 100_000];
const SEED: &str = "1";

fn main() -> Outcome<()> {
    // Cargo passes `--bench` to every benchmark.
    let named: Vec<u64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if named.is_empty() { SIZES.to_vec() } else { named };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("banks");
    std::fs::create_dir_all(&folder)?;
    let results = sizes.into_iter().map(|households| measure(&folder, households)).collect::<Outcome<Vec<_>>>()?;
    print_table(&results);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("nightly.json");
    std::fs::write(&path, serde_json::to_string_pretty(&results)?)?;
    println!("\n{}", path.display());
    Ok(())
}

fn measure(folder: &Path, households: u64) -> Outcome<Value> {
    let bank = folder.join(format!("{households}-seed-{SEED}"));
    if !bank.join("decisions.parquet").exists() {
        let count = households.to_string();
        run(Command::new(PROGRAM).args(["generate", "--households", &count, "--seed", SEED]).arg(&bank))?;
    }
    let runs = folder.join(format!("runs-{households}"));
    if runs.exists() {
        std::fs::remove_dir_all(&runs)?;
    }
    let start = Instant::now();
    let printed = run(Command::new(PROGRAM).arg("nightly").arg(&bank).args(["--as-of", AS_OF, "--out"]).arg(&runs))?;
    let night_seconds = start.elapsed().as_secs_f64();
    let published = PathBuf::from(printed.lines().last().ok_or("nothing was published")?);
    let manifest: Value = serde_json::from_str(&std::fs::read_to_string(published.join("manifest.json"))?)?;
    let rated = manifest["outputs"]["household_grades"]["rows"].as_u64().ok_or("no households")?;
    if rated == 0 || rated > households {
        return Err(format!("{rated} of {households} households were rated").into());
    }
    let floor_read = read_floor(&bank)?;
    let floor_write = write_floor(&published, folder)?;
    let rows: u64 = manifest["tables"]
        .as_object()
        .map_or(0, |tables| tables.values().filter_map(|counts| counts["read"].as_u64()).sum());
    let stages = manifest["stages"].as_array().cloned().unwrap_or_default();
    let peak = stages.iter().filter_map(|stage| stage["peak_memory_bytes"].as_u64()).max().unwrap_or(0);
    Ok(json!({
        "households": households, "rated": rated, "rows": rows, "seconds": night_seconds,
        "floor_read_seconds": floor_read, "floor_write_seconds": floor_write,
        "ratio_to_floor": night_seconds / (floor_read + floor_write),
        "rows_per_second": rows as f64 / night_seconds, "peak_memory_bytes": peak, "stages": stages,
    }))
}

fn run(command: &mut Command) -> Outcome<String> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Seconds to read and decode the columns of the contracts, row groups spread over the threads.
fn read_floor(bank: &Path) -> Outcome<f64> {
    let contracts = Contracts::built_in()?;
    let start = Instant::now();
    for contract in &contracts.inputs {
        read_columns(&bank.join(format!("{}.parquet", contract.table)), contract)?;
    }
    Ok(start.elapsed().as_secs_f64())
}

fn read_columns(path: &Path, contract: &Contract) -> Outcome<()> {
    let file = std::fs::File::open(path)?;
    let metadata = ArrowReaderMetadata::load(&file, Default::default())?;
    let groups = metadata.metadata().num_row_groups();
    let rows: Result<Vec<usize>, String> = (0..groups)
        .into_par_iter()
        .map(|group| {
            // Opened anew: clones of one file share their place in it.
            let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone());
            let names = contract.columns.iter().map(|column| column.name.as_str());
            let mask = ProjectionMask::columns(builder.parquet_schema(), names);
            let reader = builder.with_projection(mask).with_row_groups(vec![group]).with_batch_size(1 << 16).build();
            let reader = reader.map_err(|error| error.to_string())?;
            reader.map(|batch| batch.map(|batch| batch.num_rows()).map_err(|error| error.to_string())).sum()
        })
        .collect();
    rows?;
    Ok(())
}

/// Seconds to encode and write the published tables again from memory.
fn write_floor(published_folder: &Path, folder: &Path) -> Outcome<f64> {
    let contracts = Contracts::built_in()?;
    let run = published::open(published_folder)?;
    let mut outputs = Vec::new();
    for contract in &contracts.outputs {
        let columns: Vec<&str> = contract.columns.iter().map(|column| column.name.as_str()).collect();
        let Ok(batches) = published::table(&run, &contract.table, &columns) else { continue };
        if let Some(first) = batches.first() {
            let batch = concat_batches(&first.schema(), &batches)?;
            outputs.push(OutputTable { name: contract.table.clone(), batch });
        }
    }
    let written = tempfile::tempdir_in(folder)?;
    let start = Instant::now();
    publish::write_tables(written.path(), &outputs, &contracts, &Manifest::default())?;
    Ok(start.elapsed().as_secs_f64())
}

fn print_table(results: &[Value]) {
    println!(
        "| households | rows read | seconds | rows/s | floor: read | floor: write | ratio to floor | peak memory |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for result in results {
        let number = |key: &str| result[key].as_f64().unwrap_or_default();
        println!(
            "| {} | {} | {:.2} | {:.1} M | {:.2} | {:.2} | {:.2} | {:.0} MiB |",
            result["households"],
            result["rows"],
            number("seconds"),
            number("rows_per_second") / 1e6,
            number("floor_read_seconds"),
            number("floor_write_seconds"),
            number("ratio_to_floor"),
            number("peak_memory_bytes") / f64::from(1 << 20),
        );
    }
    for result in results {
        println!("\n{} households, by stage:", result["households"]);
        for stage in result["stages"].as_array().into_iter().flatten() {
            println!(
                "  {:<10} {:>8.2} s",
                stage["stage"].as_str().unwrap_or(""),
                stage["seconds"].as_f64().unwrap_or(0.0)
            );
        }
    }
}
