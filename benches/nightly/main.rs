//! A whole night on generated banks, beside the floor (the same files read and decoded, the same files encoded and
//! written, nothing between) and a peer (the same night in DuckDB). Each is measured in a process of its own.
//! A figure of a wrong result is none: the published run is verified and held against the peer's rows, or, where there
//! is no peer, against a second night on another number of threads.
// A benchmark looks at the clock, opens what it measures, and prints.
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

mod floor;
mod regulator;
mod report;
mod workbook;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use clap::{Parser, Subcommand};
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The floor has the allocator of the night.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PROGRAM: &str = env!("CARGO_BIN_EXE_wellfield");
const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peer/night.py");
const SEED: &str = "1";

/// Measures whole nights beside the floor and a peer.
#[derive(Parser)]
#[command(name = "nightly", disable_help_subcommand = true)]
struct Options {
    /// Households of the banks
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_values_t = [10_000, 100_000])]
    households: Vec<u64>,
    /// The day as of which banks are made and rated
    #[arg(long, value_name = "DATE", default_value = "2026-06-30")]
    as_of: String,
    /// Folder in which banks are made, and found again the next time
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_TARGET_TMPDIR"), "/banks"))]
    banks: PathBuf,
    /// Threads of every process that is measured
    #[arg(long, value_name = "N", default_value_t = std::thread::available_parallelism().map_or(1, usize::from))]
    threads: usize,
    /// How often everything is measured; the fastest counts
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    times: u32,
    /// The Python that has the package `duckdb`
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: String,
    /// Where the figures go
    #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_TARGET_TMPDIR"), "/nightly.json"))]
    json: PathBuf,
    /// Write the tables into `benches/README.md` too
    #[arg(long)]
    record: bool,
    /// What cargo says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    half: Option<Half>,
}

/// What the benchmark starts itself for: half of the floor, in a process of its own.
#[derive(Subcommand)]
enum Half {
    #[command(name = "floor-read", hide = true)]
    Read { bank: PathBuf, run: PathBuf },
    #[command(name = "floor-write", hide = true)]
    Write { run: PathBuf, folder: PathBuf },
    #[command(name = "floor-write-all", hide = true)]
    WriteAll { run: PathBuf, folder: PathBuf },
}

fn main() -> Outcome<()> {
    let options = Options::parse();
    rayon::ThreadPoolBuilder::new().num_threads(options.threads).build_global()?;
    match &options.half {
        Some(Half::Read { bank, run }) => println!("{}", floor::read(bank, &manifest(run)?)?),
        Some(Half::Write { run, folder }) => println!("{}", floor::write(run, &manifest(run)?, folder)?),
        Some(Half::WriteAll { run, folder }) => println!("{}", floor::write_all(run, &manifest(run)?, folder)?),
        None => measure_all(&options)?,
    }
    Ok(())
}

fn measure_all(options: &Options) -> Outcome<()> {
    std::fs::create_dir_all(&options.banks)?;
    let has_peer = has_peer(options);
    if !has_peer {
        println!("no peer: `{}` has no package `duckdb`\n", options.python);
    }
    let mut sizes = Vec::new();
    for &households in &options.households {
        sizes.push(measure(options, households, has_peer)?);
    }
    let figures = report::figures(&options.as_of, options.threads, sizes)?;
    std::fs::write(&options.json, serde_json::to_string_pretty(&figures)?)?;
    println!("{}\n{}", report::tables(&figures), options.json.display());
    if options.record { report::record(&figures) } else { Ok(()) }
}

fn measure(options: &Options, households: u64, has_peer: bool) -> Outcome<Value> {
    let bank = bank(options, households)?;
    let scratch = Scratch(tempfile::tempdir_in(&options.banks)?.keep());
    let mut nights = Vec::new();
    for time in 0..options.times {
        nights.push(night(options, &bank, &scratch.0.join(format!("night-{time}")), options.threads)?);
    }
    let night = fastest(nights)?;
    let run = PathBuf::from(night["run"].as_str().unwrap_or_default());
    started(Command::new(PROGRAM).arg("verify").arg(&bank).arg(&run))?;
    let manifest = manifest(&run)?;
    let rated = manifest["outputs"]["household_grades"]["rows"].as_u64().unwrap_or(0);
    if rated == 0 || rated > households {
        return Err(format!("{rated} of {households} households were rated").into());
    }
    let peer = if has_peer { peer(options, &bank, &run, &scratch.0)? } else { Value::Null };
    if !has_peer {
        let other = if options.threads == 1 { 2 } else { 1 };
        check_again(options, &bank, &manifest, &scratch.0.join("again"), other)?;
    }
    let read = half(options, &["floor-read".as_ref(), bank.as_os_str(), run.as_os_str()])?;
    let write = half(options, &["floor-write".as_ref(), run.as_os_str(), scratch.0.as_os_str()])?;
    let write_all = half(options, &["floor-write-all".as_ref(), run.as_os_str(), scratch.0.as_os_str()])?;
    let regulator = regulator::check(&run, &manifest, &scratch.0.join(floor::ALL))?;

    let seconds = night["seconds"].as_f64().unwrap_or(0.0);
    let floor = |write: &Value| read["seconds"].as_f64().unwrap_or(0.0) + write["seconds"].as_f64().unwrap_or(0.0);
    let (floor_of_tables, floor_of_all) = (floor(&write), floor(&write_all));
    let files = manifest["outputs"].as_object().into_iter().flat_map(|tables| tables.values());
    let files = files.filter_map(|table| table["files"].as_array()).flatten();
    let bytes: u64 = files.filter_map(|file| file["bytes"].as_u64()).sum();
    let tables = manifest["tables"].as_object().into_iter().flat_map(|tables| tables.values());
    let rows: u64 = tables.filter_map(|counts| counts["read"].as_u64()).sum();
    Ok(json!({
        "households": households, "rated": rated, "rows_read": rows, "rows_per_second": rows as f64 / seconds,
        "output_bytes_per_household": bytes as f64 / rated as f64, "night": night,
        "floor": { "read": read, "write": write, "write_all": write_all, "regulator": regulator },
        "ratio_to_floor": seconds / floor_of_tables, "ratio_to_floor_of_all": seconds / floor_of_all,
        "peer": peer, "ratio_to_peer": peer["seconds"].as_f64().map(|peer| seconds / peer),
    }))
}

/// The bank of a size, made where it is not there yet; `bank.toml` is the last file of a bank. Its files are in the page
/// cache afterwards.
fn bank(options: &Options, households: u64) -> Outcome<PathBuf> {
    let bank = options.banks.join(format!("{households}-seed-{SEED}-{}", options.as_of));
    if !bank.join("bank.toml").exists() {
        if bank.exists() {
            std::fs::remove_dir_all(&bank)?;
        }
        let count = households.to_string();
        let mut command = Command::new(PROGRAM);
        command.args(["generate", "--households", &count, "--seed", SEED, "--as-of", &options.as_of]);
        started(command.arg(&bank))?;
    }
    touch(&bank)?;
    Ok(bank)
}

fn touch(folder: &Path) -> Outcome<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => touch(&path)?,
            false => std::io::copy(&mut std::fs::File::open(&path)?, &mut std::io::sink()).map(drop)?,
        }
    }
    Ok(())
}

/// The whole program from start to end, with what it says of its stages; publishing is the last of them.
fn night(options: &Options, bank: &Path, runs: &Path, threads: usize) -> Outcome<Value> {
    let mut command = Command::new(PROGRAM);
    command.arg("nightly").arg(bank).args(["--as-of", &options.as_of, "--log", "json"]);
    command.args(["--previous", "none", "--threads", &threads.to_string(), "--out"]).arg(runs);
    let start = Instant::now();
    let output = started(&mut command)?;
    let seconds = start.elapsed().as_secs_f64();
    let printed = String::from_utf8(output.stdout)?;
    let run = printed.lines().last().ok_or("nothing was published")?;
    let log = String::from_utf8(output.stderr)?;
    let lines = log.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
    let stages: Vec<&Value> = lines.iter().filter(|line| line["event"] == "stage").collect();
    let peak = stages.iter().filter_map(|stage| stage["peak_memory_bytes"].as_u64()).max();
    let seconds_of = |stage: &&Value| json!({ "stage": stage["stage"], "seconds": stage["seconds"] });
    let stages: Vec<Value> = stages.iter().map(seconds_of).collect();
    Ok(json!({ "seconds": seconds, "peak_memory_bytes": peak, "stages": stages, "run": run }))
}

/// A second night on another number of threads must publish the same bytes.
fn check_again(options: &Options, bank: &Path, first: &Value, runs: &Path, threads: usize) -> Outcome<()> {
    let again = night(options, bank, runs, threads)?;
    let again = manifest(Path::new(again["run"].as_str().unwrap_or_default()))?;
    if first["outputs"] == again["outputs"] { Ok(()) } else { Err("another number of threads, other tables".into()) }
}

fn has_peer(options: &Options) -> bool {
    Command::new(&options.python).args(["-c", "import duckdb"]).output().is_ok_and(|output| output.status.success())
}

/// The peer's night. Its first one is compared with the published run, and what differs is a failure.
fn peer(options: &Options, bank: &Path, run: &Path, scratch: &Path) -> Outcome<Value> {
    let mut nights = Vec::new();
    for time in 0..options.times {
        let mut command = Command::new(&options.python);
        command.arg(PEER).arg(bank).args(["--as-of", &options.as_of, "--threads", &options.threads.to_string()]);
        command.arg("--out").arg(scratch.join(format!("peer-{time}")));
        if time == 0 {
            command.arg("--compare").arg(run);
        }
        nights.push(serde_json::from_slice(&started(&mut command)?.stdout)?);
    }
    fastest(nights)
}

/// Half of the floor, by this program in a process of its own.
fn half(options: &Options, arguments: &[&std::ffi::OsStr]) -> Outcome<Value> {
    let mut measured = Vec::new();
    for _ in 0..options.times {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--threads", &options.threads.to_string()]).args(arguments);
        measured.push(serde_json::from_slice(&started(&mut command)?.stdout)?);
    }
    fastest(measured)
}

fn fastest(mut measured: Vec<Value>) -> Outcome<Value> {
    let seconds = |one: &Value| one["seconds"].as_f64().unwrap_or(f64::INFINITY);
    measured.sort_by(|one, other| seconds(one).total_cmp(&seconds(other)));
    measured.into_iter().next().ok_or_else(|| "nothing was measured".into())
}

fn started(command: &mut Command) -> Outcome<Output> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("{command:?} ended with {}\n{said}", output.status).into())
}

fn manifest(run: &Path) -> Outcome<Value> {
    Ok(serde_json::from_slice(&std::fs::read(run.join("manifest.json"))?)?)
}

/// A folder that goes with its value; published runs in it are read-only.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        make_writable(&self.0);
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn make_writable(folder: &Path) {
    let _ = std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700));
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            make_writable(&entry.path());
        }
    }
}
