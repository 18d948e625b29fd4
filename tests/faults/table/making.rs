//! How each fault of the table is made, and the night that meets it.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use wellfield::contract::Contracts;

use crate::support::program::{self, Outcome, wellfield};
use crate::support::read;
use crate::support::scratch::make_writable;

use super::super::{AS_OF, Random, assert_whole, copy_of_sample, disk, night, within_patience, without_privileges};
use super::Place;

fn tonight(place: &Place) -> Command {
    night(&place.bank, AS_OF, &place.runs)
}

fn met(command: &mut Command) -> Option<Outcome> {
    Some(within_patience(command))
}

/// The bank's night with one of its CSV files changed.
pub fn text(place: &Place, file: &str, change: fn(&str) -> Vec<u8>) -> Option<Outcome> {
    let path = place.bank.join(file);
    std::fs::write(&path, change(&read(&path))).unwrap();
    met(&mut tonight(place))
}

/// A night of a bank of Parquet files with one of them changed.
pub fn parquet(place: &Place, change: fn(&[u8]) -> Vec<u8>) -> Option<Outcome> {
    let path = parquet_bank(place).join("visits.parquet");
    std::fs::write(&path, change(&std::fs::read(&path).unwrap())).unwrap();
    met(&mut night(path.parent().unwrap(), AS_OF, &place.runs))
}

fn parquet_bank(place: &Place) -> PathBuf {
    let bank = place.folder.path().join("parquet");
    let generated = program::run(wellfield().arg("generate").arg(&bank).args(["--households", "20"]));
    assert_eq!(generated.exit, 0, "{}", generated.shown(&[]));
    bank
}

pub fn with_corrupt_page(bytes: &[u8]) -> Vec<u8> {
    let mut corrupt = bytes.to_vec();
    let mut random = Random(3);
    corrupt[4..400].fill_with(|| random.next().to_le_bytes()[0]);
    corrupt
}

pub fn no_right_to_read(place: &Place) -> Option<Outcome> {
    let path = parquet_bank(place).join("visits.parquet");
    let mut command = without_privileges(&night(path.parent().unwrap(), AS_OF, &place.runs))?;
    with_mode(&path, 0o000, || met(&mut command))
}

pub fn no_right_to_write(place: &Place) -> Option<Outcome> {
    let mut command = without_privileges(&tonight(place))?;
    with_mode(&place.runs, 0o550, || met(&mut command))
}

fn with_mode<T>(path: &std::path::Path, mode: u32, run: impl FnOnce() -> T) -> T {
    use std::os::unix::fs::PermissionsExt as _;
    let usual = std::fs::metadata(path).unwrap().permissions();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    let outcome = run();
    std::fs::set_permissions(path, usual).unwrap();
    outcome
}

/// The sample bank takes long enough to be killed, or stopped, in the middle.
fn started_in_the_middle(place: &Place) -> std::process::Child {
    let bank = place.folder.path().join("sample");
    copy_of_sample("bank", &bank);
    let mut command = night(&bank, AS_OF, &place.runs);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("run ")), "the night tells of its stages");
    child
}

/// The exit that a shell tells of a process that was killed.
pub fn kill(place: &Place) -> Option<Outcome> {
    let mut child = started_in_the_middle(place);
    child.kill().unwrap();
    let exit = 128 + child.wait().unwrap().signal().expect("the kill ends it");
    Some(Outcome { exit, stdout: String::new(), stderr: String::new() })
}

pub fn night_after_a_kill(place: &Place) -> Option<Outcome> {
    kill(place)?;
    met(&mut tonight(place))
}

pub fn full_disk(place: &Place) -> Option<Outcome> {
    if !disk::can_mount() {
        return None;
    }
    let (disk, left) = (place.folder.path().join("disk"), place.folder.path().join("left"));
    std::fs::create_dir(&disk).unwrap();
    let mut outcome = disk::night_on_disk(16, &disk, &place.runs, &place.bank, &left);
    outcome.stderr = outcome.stderr.replace(&disk.display().to_string(), &place.runs.display().to_string());
    make_writable(&place.runs);
    std::fs::remove_dir_all(&place.runs).unwrap();
    std::fs::rename(&left, &place.runs).unwrap();
    Some(outcome)
}

pub fn size_limit(place: &Place) -> Option<Outcome> {
    met(&mut disk::limited(2, "trap '' XFSZ;", &tonight(place)))
}

pub fn gb18030(text: &str) -> Vec<u8> {
    encoding_rs::GB18030.encode(text).0.into_owned()
}

/// A file is changed by a writer that goes on all the time.
pub fn changing_file(place: &Place) -> Option<Outcome> {
    let bank = place.folder.path().join("sample");
    copy_of_sample("bank", &bank);
    let path = bank.join("visits.csv");
    let writer = "while :; do tail -n 1 \"$1\" >> \"$1\"; done";
    let mut writer = Command::new("sh").args(["-c", writer, "sh"]).arg(&path).spawn().unwrap();
    let outcome = met(&mut night(&bank, AS_OF, &place.runs));
    writer.kill().unwrap();
    writer.wait().unwrap();
    outcome
}

pub fn other_zone(place: &Place) -> Option<Outcome> {
    met(tonight(place).env("TZ", "Pacific/Kiritimati"))
}

pub fn second_night(place: &Place) -> Option<Outcome> {
    let mut child = started_in_the_middle(place);
    assert!(Command::new("kill").args(["-STOP", &child.id().to_string()]).status().unwrap().success());
    let outcome = met(&mut tonight(place));
    child.kill().unwrap();
    child.wait().unwrap();
    outcome
}

/// What stands in the lock's file keeps nobody away, only a living process does.
pub fn dead_lock(place: &Place) -> Option<Outcome> {
    std::fs::write(place.runs.join(".lock"), "process 1 on `elsewhere`\n").unwrap();
    met(&mut tonight(place))
}

fn previous_run(place: &Place) -> PathBuf {
    make_writable(&place.runs);
    assert_whole(&place.runs, "one night").latest.unwrap()
}

/// Here and below the run is mended afterwards, so that what is left can be looked at.
pub fn missing_previous(place: &Place, arguments: &[&str]) -> Option<Outcome> {
    let (run, aside) = (previous_run(place), place.folder.path().join("aside"));
    std::fs::rename(&run, &aside).unwrap();
    let outcome = met(tonight(place).args(arguments));
    std::fs::rename(&aside, &run).unwrap();
    outcome
}

pub fn damaged_previous(place: &Place, arguments: &[&str]) -> Option<Outcome> {
    let path = previous_run(place).join("household_grades.parquet");
    let sound = std::fs::read(&path).unwrap();
    let mut damaged = sound.clone();
    damaged[sound.len() / 2] ^= 1;
    std::fs::write(&path, damaged).unwrap();
    let outcome = met(tonight(place).args(arguments));
    std::fs::write(&path, sound).unwrap();
    outcome
}

pub fn ten_times(place: &Place, arguments: &[&str]) -> Option<Outcome> {
    with_visits(place, 10);
    met(tonight(place).args(arguments))
}

pub fn ten_thousand_visits(place: &Place) -> Option<Outcome> {
    with_visits(place, 10_000);
    met(tonight(place).args(["--allow-change", "visits", "--allow-stale", "visits"]))
}

/// Each visit of the bank so many times, under keys of their own.
fn with_visits(place: &Place, times: usize) {
    let path = place.bank.join("visits.csv");
    let whole = read(&path);
    let (headings, rows) = whole.split_once('\n').unwrap();
    let copies = (0..times).flat_map(|copy| rows.lines().map(move |row| format!("{copy}-{row}\n")));
    std::fs::write(&path, format!("{headings}\n{}", copies.collect::<String>())).unwrap();
}

/// A household of which the bank knows no more than it must.
pub fn with_blank_household(text: &str) -> Vec<u8> {
    let contracts = Contracts::built_in().unwrap();
    let households = contracts.input("households").unwrap();
    let (headings, row) = (text.lines().next().unwrap(), text.lines().nth(1).unwrap());
    let must = |column: &str| households.column(column).is_ok_and(|column| !column.nullable);
    let cells = headings.split(',').zip(row.split(',')).map(|(column, cell)| if must(column) { cell } else { "" });
    format!("{text}{}\n", cells.collect::<Vec<_>>().join(",").replacen("H-1", "H-9", 1)).into()
}

/// Profiles of which only the key, the person and the day are filled in.
pub fn without_facts(text: &str) -> Vec<u8> {
    let blank = |row: &str| {
        let cells = row.split(',').enumerate().map(|(place, cell)| if place < 5 { cell } else { "" });
        cells.collect::<Vec<_>>().join(",") + "\n"
    };
    let (headings, rows) = text.split_once('\n').unwrap();
    format!("{headings}\n{}", rows.lines().map(blank).collect::<String>()).into()
}
