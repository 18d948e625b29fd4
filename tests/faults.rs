//! Faults that really happen to a night: it is killed, its disk is full, its inputs are damaged or change under it, its
//! previous run is gone, another run holds the lock, a table is empty or ten times as long. Every test drives the built
//! program from outside and looks at what is left on disk. What this machine cannot do is said on stderr as skipped.

mod amounts;
mod changing;
mod disk;
mod inputs;
mod kills;
mod locks;
mod previous;
mod special;
mod table;

use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::program::{Outcome, wellfield};
use crate::support::scratch::make_writable;
use crate::support::{copy_folder, read, repository};

const AS_OF: &str = "2026-06-30";
const BEFORE: &str = "2026-05-31";
/// No fault may make a night hang.
const PATIENCE: Duration = Duration::from_secs(60);

fn sample(folder: &str) -> PathBuf {
    repository().join("sample-data").join(folder)
}

/// A copy of a sample bank's tables, without the runs that somebody published beside them.
fn copy_of_sample(name: &str, to: &Path) {
    copy_folder(&sample(name), to);
    make_writable(to);
    let _ = std::fs::remove_dir_all(to.join("runs"));
}

/// A night that publishes elsewhere, not started yet.
fn night(bank: &Path, as_of: &str, runs: &Path) -> Command {
    let mut command = wellfield();
    command.arg("nightly").arg(bank).args(["--as-of", as_of, "--out"]).arg(runs);
    command
}

/// Runs a program that may hang; the night is ended and the test fails when it does.
fn within_patience(command: &mut Command) -> Outcome {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        out.read_to_end(&mut text).unwrap();
        text
    });
    let (sender, ended) = std::sync::mpsc::channel();
    let printed = std::thread::spawn(move || {
        let mut text = Vec::new();
        err.read_to_end(&mut text).unwrap();
        let _ = sender.send(());
        text
    });
    // Stderr ends with the process, so that nobody has to ask again and again whether it lives.
    let hangs = ended.recv_timeout(PATIENCE).is_err();
    if hangs {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    let [stdout, stderr] = [reader, printed].map(|text| String::from_utf8_lossy(&text.join().unwrap()).into_owned());
    assert!(!hangs, "{command:?} was still running after {} s; it said\n{stderr}", PATIENCE.as_secs());
    assert_eq!(status.signal(), None, "{command:?} was ended by a signal; it said\n{stderr}");
    Outcome { exit: status.code().unwrap(), stdout, stderr }
}

/// The first sentence that a failed night tells.
fn message(outcome: &Outcome) -> &str {
    let first = outcome.stderr.lines().find(|line| line.starts_with("error: "));
    first.unwrap_or("").trim_start_matches("error: ")
}

/// Says on the terminal what was seen; the harness keeps what a passing test prints to itself.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// What stands in a folder of runs.
#[derive(Debug, Default)]
struct Standing {
    /// Published runs, by as-of date and run id.
    runs: Vec<PathBuf>,
    /// What is visible and is not as its manifest says, or belongs to no run.
    broken: Vec<String>,
    /// Hidden files and folders other than the lock.
    hidden: Vec<PathBuf>,
    /// The run that `latest.json` points to.
    latest: Option<PathBuf>,
}

fn standing(runs: &Path) -> Standing {
    let mut found = Standing::default();
    for entry in entries(runs) {
        let name = entry.file_name().unwrap().to_string_lossy().into_owned();
        match name.as_str() {
            ".lock" | "latest.json" => {}
            _ if name.starts_with('.') => found.hidden.push(entry),
            _ if entry.is_dir() => {
                for run in entries(&entry) {
                    let is_hidden = run.file_name().unwrap().to_string_lossy().starts_with('.');
                    if is_hidden { found.hidden.push(run) } else { found.runs.push(run) }
                }
            }
            _ => found.broken.push(format!("`{name}` is visible and no run")),
        }
    }
    let broken: Vec<String> = found.runs.iter().flat_map(|run| broken(run)).collect();
    found.broken.extend(broken);
    if runs.join("latest.json").exists() {
        match latest(runs).filter(|run| found.runs.contains(run)) {
            Some(run) => found.latest = Some(run),
            None => found.broken.push("`latest.json` points to no visible run".into()),
        }
    }
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn latest(runs: &Path) -> Option<PathBuf> {
    let latest: Value = serde_json::from_str(&std::fs::read_to_string(runs.join("latest.json")).ok()?).ok()?;
    Some(runs.join(latest["path"].as_str()?))
}

fn manifest(run: &Path) -> Value {
    serde_json::from_str(&read(&run.join("manifest.json"))).unwrap()
}

/// What of a visible run is not as its manifest says. Worked out here, so that `verify` is not its own judge.
fn broken(run: &Path) -> Vec<String> {
    let shown = run.file_name().unwrap().to_string_lossy();
    let Ok(text) = std::fs::read_to_string(run.join("manifest.json")) else {
        return vec![format!("run {shown} has no manifest")];
    };
    let Ok(manifest) = serde_json::from_str::<Value>(&text) else {
        return vec![format!("run {shown} has half a manifest")];
    };
    let mut files: Vec<&Value> = manifest["regulator"].as_array().into_iter().flatten().collect();
    let outputs = manifest["outputs"].as_object().expect("the manifest lists outputs");
    files.extend(outputs.values().flat_map(|output| output["files"].as_array().unwrap()));
    if outputs.len() != crate::support::published::TABLES.len() {
        return vec![format!("run {shown} lists {} tables", outputs.len())];
    }
    let is_changed = |file: &&Value| {
        let path = run.join(file["path"].as_str().unwrap());
        std::fs::read(path).map_or(true, |bytes| file["digest"] != blake3::hash(&bytes).to_hex().as_str())
    };
    files
        .into_iter()
        .filter(is_changed)
        .map(|file| format!("run {shown}: {} is not as published", file["path"]))
        .collect()
}

/// Fails unless a folder of runs is free of half-runs and of what killed runs leave.
fn assert_whole(runs: &Path, after: &str) -> Standing {
    let found = standing(runs);
    assert!(found.broken.is_empty(), "after {after}: {:?}", found.broken);
    assert!(found.hidden.is_empty(), "after {after}: {:?} is left", found.hidden);
    found
}

/// Fails unless a night left nothing but its lock.
fn assert_nothing_published(runs: &Path, after: &str) {
    let found = assert_whole(runs, after);
    assert!(found.runs.is_empty() && found.latest.is_none(), "after {after}: {found:?}");
}

/// A night that must be published although something went wrong before it.
fn recovers(command: &mut Command, after: &str) -> PathBuf {
    let outcome = within_patience(command);
    assert_eq!(outcome.exit, 0, "after {after} a night ends with\n{}", outcome.shown(&[]));
    repository().join(outcome.stdout.lines().next_back().expect("the published folder is told"))
}

/// Numbers that are the same in every run of a test (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }
}

/// Whether a program of the system is there and works as asked.
fn can_run(program: &str, arguments: &[&str]) -> bool {
    let started = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    started.is_ok_and(|status| status.success())
}

/// Runs a program as a user whom file modes bind: a privileged one is put into a user namespace without privileges.
/// None where the machine allows no such thing.
fn without_privileges(command: &Command) -> Option<Command> {
    let is_privileged = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    let mut bound = if is_privileged {
        if !can_run("unshare", &["-U", "true"]) {
            return None;
        }
        let mut bound = Command::new("unshare");
        bound.arg("-U").arg(command.get_program());
        bound
    } else {
        Command::new(command.get_program())
    };
    bound.args(command.get_args()).current_dir(repository());
    Some(bound)
}

/// How long something takes.
fn measured(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}
