//! One table of every fault that a night must survive: what it ends with, what it says first, and what is left on disk.
//! The table is written down in `table/expected.txt`, so that a change of any of it is seen; the faults themselves are
//! made in `table/making.rs`, and each is looked into in a file of its own beside this one.

mod making;

use std::path::PathBuf;

use crate::support::program::Outcome;
use crate::support::read;
use crate::support::scratch::{Scratch, scratch};

use self::making as make;
use super::{BEFORE, copy_of_sample, message, night, recovers, standing, tell};

const HEADING: &str = "fault | exit | message | left on disk";

/// A fault, and the night that meets it; None where this machine cannot make the fault.
type Fault = (&'static str, fn(&Place) -> Option<Outcome>);

/// Where one fault is met: a bank of its own, and its folder of runs with last month's run in it.
struct Place {
    folder: Scratch,
    bank: PathBuf,
    runs: PathBuf,
}

const FAULTS: [Fault; 29] = [
    ("kill -9 while it computes", make::kill),
    ("the night after a kill", make::night_after_a_kill),
    ("disk full", make::full_disk),
    ("limit on the size of files", make::size_limit),
    ("folder of runs may not be written to", make::no_right_to_write),
    ("Parquet that is none", |place| make::parquet(place, |_| b"PAR1".to_vec())),
    ("Parquet cut off", |place| make::parquet(place, |bytes| bytes[..bytes.len() / 2].to_vec())),
    ("Parquet with a corrupt page", |place| make::parquet(place, make::with_corrupt_page)),
    ("Parquet that may not be read", make::no_right_to_read),
    ("CSV cut off within a row", |place| make::text(place, "visits.csv", |text| text[..text.len() - 60].into())),
    ("CSV in a wrong encoding", |place| make::text(place, "households.csv", make::gb18030)),
    ("CSV with a ragged row", |place| make::text(place, "visits.csv", |text| format!("{text}V-9,O-1\n").into())),
    ("CSV with a quote never closed", |place| make::text(place, "visits.csv", |text| format!("{text}\"V-9").into())),
    ("CSV with a byte-order mark", |place| make::text(place, "visits.csv", |text| format!("\u{FEFF}{text}").into())),
    ("CSV with CRLF", |place| make::text(place, "visits.csv", |text| text.replace('\n', "\r\n").into())),
    ("a file that changes while it is read", make::changing_file),
    ("a clock in another zone", make::other_zone),
    ("two runs at once", make::second_night),
    ("the lock of a dead run", make::dead_lock),
    ("previous run missing", |place| make::missing_previous(place, &[])),
    ("previous run missing, told to start over", |place| make::missing_previous(place, &["--previous", "none"])),
    ("previous run damaged", |place| make::damaged_previous(place, &[])),
    ("previous run damaged, told to start over", |place| make::damaged_previous(place, &["--previous", "none"])),
    ("ten times the rows", |place| make::ten_times(place, &[])),
    ("ten times the rows, told to let it pass", |place| make::ten_times(place, &["--allow-change", "all"])),
    ("zero rows", |place| make::text(place, "visits.csv", |text| text.lines().take(1).collect::<String>().into())),
    ("a household with no data", |place| make::text(place, "households.csv", make::with_blank_household)),
    ("a household with every fact null", |place| make::text(place, "profiles.csv", make::without_facts)),
    ("a household with ten thousand visits", make::ten_thousand_visits),
];

#[test]
fn every_fault_ends_as_written_down() {
    let expected = read(&crate::support::repository().join("tests/faults/table/expected.txt"));
    let mut wrong = Vec::new();
    let mut table = vec![HEADING.to_string()];
    for (name, meet) in FAULTS {
        let place = Place::new();
        let Some(outcome) = meet(&place) else {
            tell(&format!("skipped: {name}, as this machine does not allow it"));
            continue;
        };
        let line = format!("{name} | {} | {} | {}", outcome.exit, place.shown(&outcome), place.left());
        if !expected.lines().any(|known| known == line) {
            wrong.push(line.clone());
        }
        table.push(line);
    }
    tell(&table.join("\n"));
    assert_eq!(expected.lines().count(), FAULTS.len() + 1, "one line for each fault and the headings");
    assert!(wrong.is_empty(), "{} lines are not as written down\n{}", wrong.len(), wrong.join("\n"));
}

impl Place {
    fn new() -> Place {
        let folder = scratch();
        let (bank, runs) = (folder.path().join("bank"), folder.path().join("runs"));
        copy_of_sample("mini", &bank);
        recovers(&mut night(&bank, BEFORE, &runs), "nothing");
        Place { folder, bank, runs }
    }

    /// The first message, with what differs from machine to machine replaced.
    fn shown(&self, outcome: &Outcome) -> String {
        let parquet = self.folder.path().join("parquet");
        let paths = [(&self.runs, "RUNS"), (&self.bank, "BANK"), (&parquet, "BANK")];
        let text = paths
            .iter()
            .fold(message(outcome).to_string(), |text, (path, name)| text.replace(&path.display().to_string(), name));
        let text = match text.split_once(": process ") {
            Some((before, _)) => format!("{before}: process PID on `HOST`"),
            None => text,
        };
        // The hidden folder of a run has chance letters at its end; which file is written first is for threads to say.
        let text = match text.split_once("/.wellfield-") {
            Some((before, rest)) => {
                format!("{before}/HIDDEN/FILE`{}", rest.split_once('`').map_or("", |(_, rest)| rest))
            }
            None => text,
        };
        let alone = Outcome { exit: 0, stdout: String::new(), stderr: text };
        alone.shown(&[]).lines().nth(2).unwrap_or("-").to_string()
    }

    fn left(&self) -> String {
        let found = standing(&self.runs);
        assert!(found.broken.is_empty(), "{:?}", found.broken);
        let day = |run: &PathBuf| run.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        let mut days: Vec<String> = found.runs.iter().map(day).collect();
        if !found.hidden.is_empty() {
            days.push("hidden files".into());
        }
        if days.is_empty() { "nothing".into() } else { days.join(" + ") }
    }
}
