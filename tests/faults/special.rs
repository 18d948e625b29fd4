//! Files that people and tools make and no damage does: encodings, line ends, ragged rows, quotes, monstrous lines, and
//! things in the place of a file that are none. Each has its one right answer.

use std::path::Path;
use std::process::Command;

use crate::support::digests::digests_without_run_id;
use crate::support::read;
use crate::support::scratch::scratch;

use super::{AS_OF, assert_whole, copy_of_sample, message, night, recovers, within_patience};

/// Bytes of a very long line.
const LONG: usize = 50_000_000;
const COLUMNS: usize = 10_000;

/// What the night must make of a file.
enum Answer {
    /// The tables of the file as it was.
    TheSame,
    /// A run, whatever is in it.
    Published,
    /// Exit 3 and a first message with these words.
    Refused(&'static str),
    /// Exit 1 and a first message with these words.
    CouldNotRun(&'static str),
}

use Answer::{CouldNotRun, Published, Refused, TheSame};

struct Special {
    what: &'static str,
    /// The file of the mini bank that is changed.
    file: &'static str,
    change: fn(&Path),
    answer: Answer,
}

const fn special(what: &'static str, file: &'static str, change: fn(&Path), answer: Answer) -> Special {
    Special { what, file, change, answer }
}

const TEXTS: [Special; 25] = [
    special("a byte-order mark", "visits.csv", |path| change(path, |text| [b"\xEF\xBB\xBF", text].concat()), TheSame),
    special("CRLF", "visits.csv", |path| change_text(path, |text| text.replace('\n', "\r\n")), TheSame),
    special(
        "a lone CR at the end of each line",
        "visits.csv",
        |path| change_text(path, |text| text.replace('\n', "\r")),
        TheSame,
    ),
    special("no line break at the end", "visits.csv", |path| change_text(path, |text| text.trim_end().into()), TheSame),
    special("quotes around everything", "visits.csv", |path| change_text(path, quoted), TheSame),
    special("empty lines at the end", "visits.csv", |path| change_text(path, |text| format!("{text}\n\n\n")), TheSame),
    special("columns in another order", "visits.csv", |path| change_text(path, backwards), TheSame),
    special("10,000 more columns", "visits.csv", |path| change_text(path, wide), TheSame),
    special("a cell of 50 MB", "visits.csv", |path| change_text(path, with_long_cell), Published),
    special(
        "a line of 50 MB",
        "visits.csv",
        |path| change_text(path, |text| text.to_string() + &"x".repeat(LONG)),
        Refused("`visits.csv` line 5 has 1 fields where the headings have 16"),
    ),
    special(
        "10,000 columns and none of its own",
        "visits.csv",
        |path| change_text(path, foreign),
        Refused("`visits.csv` has no column `visit_id`"),
    ),
    special(
        "UTF-16 with a byte-order mark",
        "visits.csv",
        |path| change(path, |text| utf16(text, b"\xFF\xFE")),
        Refused("`visits.csv` line 1 is not UTF-8: byte 1 is `0xFF`"),
    ),
    special(
        "UTF-16 without one",
        "visits.csv",
        |path| change(path, |text| utf16(text, b"")),
        Refused("`visits.csv` line"),
    ),
    special(
        "GB18030 that nobody announced",
        "households.csv",
        |path| change(path, gb18030),
        Refused("`households.csv` line 2 is not UTF-8: byte 154 is `0xBB`"),
    ),
    special(
        "a NUL byte in a value",
        "visits.csv",
        |path| change_text(path, |text| text.replacen("photo-1", "photo\0-1", 1)),
        Published,
    ),
    special(
        "zeros where a block was never written",
        "visits.csv",
        |path| change_text(path, |text| text.replacen("photo-2", &"\0".repeat(512), 1)),
        Refused("`visits.csv` line 3 has a hole"),
    ),
    special(
        "a row with too few fields",
        "visits.csv",
        |path| change_text(path, |text| format!("{text}V-9,O-1\n")),
        Refused("`visits.csv` line 5 has 2 fields where the headings have 16"),
    ),
    special(
        "a row with too many fields",
        "visits.csv",
        |path| change_text(path, |text| text.replacen("V-2,", "V-2,,", 1)),
        Refused("`visits.csv` line 3 has 17 fields where the headings have 16"),
    ),
    special(
        "a quote that is never closed",
        "visits.csv",
        |path| change_text(path, |text| text.replacen("V-2,", "\"V-2,", 1)),
        Refused("`visits.csv` line 3 opens a quote that is never closed"),
    ),
    special(
        "such a quote in the headings",
        "visits.csv",
        |path| change_text(path, |text| format!("\"{text}")),
        Refused("`visits.csv`"),
    ),
    special(
        "such a quote in the last row",
        "visits.csv",
        |path| change_text(path, |text| format!("{text}\"V-9")),
        Refused("`visits.csv` line 5 opens a quote that is never closed"),
    ),
    special(
        "a heading twice",
        "visits.csv",
        |path| change_text(path, |text| text.replacen("grid_id", "visit_id", 1)),
        Refused("`visits.csv` line 1 has the same heading in columns 1 and 3"),
    ),
    special(
        "not a byte",
        "visits.csv",
        |path| change(path, |_| Vec::new()),
        Refused("`visits.csv` is empty: it has not even a row of headings"),
    ),
    special(
        "one line break",
        "visits.csv",
        |path| change(path, |_| b"\n".to_vec()),
        Refused("`visits.csv` is empty: it has not even a row of headings"),
    ),
    special(
        "headings alone",
        "visits.csv",
        |path| change_text(path, |text| text.lines().take(1).collect()),
        Refused("`visits.csv` has headings and no rows for the required table `visits`"),
    ),
];

const PLACES: [Special; 12] = [
    special(
        "no file",
        "visits.csv",
        |path| replace_by(path, |_| {}),
        Refused("has no file for the required table `visits`"),
    ),
    special(
        "a folder in its place",
        "visits.csv",
        |path| replace_by(path, |path| std::fs::create_dir(path).unwrap()),
        Refused("`visits.csv`"),
    ),
    special("a pipe in its place", "visits.csv", |path| replace_by(path, pipe), Refused("`visits.csv`")),
    special(
        "a device in its place",
        "visits.csv",
        |path| replace_by(path, |path| link("/dev/zero", path)),
        Refused("`visits.csv`"),
    ),
    special(
        "a link to nowhere",
        "visits.csv",
        |path| replace_by(path, |path| link("nowhere", path)),
        Refused("`visits.csv`"),
    ),
    special(
        "a link to itself",
        "visits.csv",
        |path| replace_by(path, |path| link("visits.csv", path)),
        Refused("`visits.csv`"),
    ),
    special(
        "a link to nowhere for a table that a bank need not have",
        "watchlist.csv",
        |path| replace_by(path, |path| link("nowhere", path)),
        Refused("`watchlist.csv`"),
    ),
    special("a pipe for such a table", "watchlist.csv", |path| replace_by(path, pipe), Refused("`watchlist.csv`")),
    special("a pipe as `bank.toml`", "bank.toml", |path| replace_by(path, pipe), CouldNotRun("`bank.toml`")),
    special(
        "a folder as `bank.toml`",
        "bank.toml",
        |path| replace_by(path, |path| std::fs::create_dir(path).unwrap()),
        CouldNotRun("`bank.toml` cannot be read"),
    ),
    special(
        "a `bank.toml` that is no text",
        "bank.toml",
        |path| change(path, |_| b"[\xFF".to_vec()),
        CouldNotRun("`bank.toml` cannot be read"),
    ),
    special(
        "a `bank.toml` that is no TOML",
        "bank.toml",
        |path| change(path, |_| b"[bank\n".to_vec()),
        Refused("bank.toml"),
    ),
];

#[test]
fn every_habit_of_a_text_file_has_its_answer() {
    answer_all(&TEXTS);
}

#[test]
fn what_stands_in_the_place_of_a_file_has_its_answer() {
    answer_all(&PLACES);
}

fn answer_all(specials: &[Special]) {
    let folder = scratch();
    let plain = folder.path().join("plain");
    copy_of_sample("mini", &plain);
    let undamaged =
        digests_without_run_id(&recovers(&mut night(&plain, AS_OF, &folder.path().join("undamaged")), "nothing"));
    let mut wrong = Vec::new();
    for (number, special) in specials.iter().enumerate() {
        let (bank, runs) = (folder.path().join(format!("bank-{number}")), folder.path().join(format!("runs-{number}")));
        copy_of_sample("mini", &bank);
        (special.change)(&bank.join(special.file));
        let outcome = within_patience(&mut night(&bank, AS_OF, &runs));
        let is_right = match special.answer {
            TheSame | Published => outcome.exit == 0,
            Refused(words) => outcome.exit == 3 && message(&outcome).contains(words),
            CouldNotRun(words) => outcome.exit == 1 && message(&outcome).contains(words),
        };
        let found = assert_whole(&runs, special.what);
        let is_the_same = || found.latest.as_ref().is_some_and(|run| digests_without_run_id(run) == undamaged);
        let is_right = is_right
            && !outcome.stderr.contains("panicked")
            && (matches!(special.answer, TheSame | Published) || found.runs.is_empty())
            && (!matches!(special.answer, TheSame) || is_the_same());
        if !is_right {
            wrong.push(format!("{}: {}", special.what, outcome.shown(&[])));
        }
        std::fs::remove_dir_all(&bank).unwrap();
    }
    assert!(wrong.is_empty(), "{} are answered wrongly\n{}", wrong.len(), wrong.join("\n\n"));
}

fn change(path: &Path, change: impl Fn(&[u8]) -> Vec<u8>) {
    std::fs::write(path, change(&std::fs::read(path).unwrap())).unwrap();
}

fn change_text(path: &Path, change: impl Fn(&str) -> String) {
    std::fs::write(path, change(&read(path))).unwrap();
}

/// Puts something in the place of a file.
fn replace_by(path: &Path, put: fn(&Path)) {
    std::fs::remove_file(path).unwrap();
    put(path);
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn link(target: &str, path: &Path) {
    std::os::unix::fs::symlink(target, path).unwrap();
}

fn quoted(text: &str) -> String {
    let cells = |line: &str| line.split(',').map(|cell| format!("\"{cell}\"")).collect::<Vec<_>>().join(",");
    text.lines().map(|line| cells(line) + "\n").collect()
}

fn backwards(text: &str) -> String {
    text.lines().map(|line| line.split(',').rev().collect::<Vec<_>>().join(",") + "\n").collect()
}

fn wide(text: &str) -> String {
    let more =
        |first: bool| (0..COLUMNS).map(|at| if first { format!(",c{at}") } else { ",1".into() }).collect::<String>();
    text.lines().enumerate().map(|(row, line)| format!("{line}{}\n", more(row == 0))).collect()
}

fn foreign(_: &str) -> String {
    (0..COLUMNS).map(|at| format!("c{at},")).collect::<String>() + "last\n"
}

/// The bank's rows and one more whose photo has a very long name.
fn with_long_cell(text: &str) -> String {
    let row = text.lines().nth(1).unwrap().replacen("V-1", "V-9", 1).replacen("photo-1", &"x".repeat(LONG), 1);
    format!("{text}{row}\n")
}

fn utf16(text: &[u8], mark: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(text).unwrap();
    [mark.to_vec(), text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat()
}

fn gb18030(text: &[u8]) -> Vec<u8> {
    encoding_rs::GB18030.encode(std::str::from_utf8(text).unwrap()).0.into_owned()
}
