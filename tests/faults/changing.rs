//! A file that is still being written while a night reads it: the night ends, names the file and publishes nothing.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::read;
use crate::support::scratch::scratch;

use super::{AS_OF, assert_nothing_published, copy_of_sample, message, night, recovers, within_patience};

/// Nights while a file changes: a race is not met in one.
const NIGHTS: usize = 5;

#[test]
fn a_file_that_grows_meanwhile_is_named() {
    changes_while_it_is_read(|path, row| {
        let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        writeln!(file, "{row}").unwrap();
    });
}

#[test]
fn a_file_that_is_written_anew_meanwhile_is_named() {
    changes_while_it_is_read(|path, row| {
        let aside = path.with_extension("new");
        std::fs::write(&aside, format!("{}{row}\n", read(path))).unwrap();
        std::fs::rename(aside, path).unwrap();
    });
}

/// The same size, other bytes: only a digest tells.
#[test]
fn a_file_whose_bytes_change_in_place_is_named() {
    changes_while_it_is_read(|path, _| {
        use std::os::unix::fs::FileExt as _;
        let file = std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
        let end = file.metadata().unwrap().len() - 9;
        let mut count = [0; 8];
        file.read_exact_at(&mut count, end).unwrap();
        let next = std::str::from_utf8(&count).ok().and_then(|digits| digits.parse::<u32>().ok()).unwrap_or(0) + 1;
        file.write_all_at(format!("{next:08}").as_bytes(), end).unwrap();
    });
}

/// Every state that a digest before or after can meet may be the same one, and another was read: the time tells.
#[test]
fn a_file_that_becomes_again_what_it_was_is_named() {
    changes_while_it_is_read(|path, row| {
        use std::os::unix::fs::FileExt as _;
        let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        let end = file.metadata().unwrap().len() - row.len() as u64 - 1;
        file.write_all_at("#".repeat(row.len()).as_bytes(), end).unwrap();
        file.write_all_at(row.as_bytes(), end).unwrap();
    });
}

fn changes_while_it_is_read(change: fn(&Path, &str)) {
    let folder = scratch();
    let (bank, runs) = (folder.path().join("bank"), folder.path().join("runs"));
    copy_of_sample("bank", &bank);
    let path = bank.join("visits.csv");
    let whole = read(&path);
    let row = whole.lines().last().unwrap().to_string();
    for _ in 0..NIGHTS {
        let ends = AtomicBool::new(false);
        let outcome = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !ends.load(Ordering::Relaxed) {
                    change(&path, &row);
                    std::thread::sleep(std::time::Duration::from_micros(200));
                }
            });
            let outcome = within_patience(&mut night(&bank, AS_OF, &runs));
            ends.store(true, Ordering::Relaxed);
            outcome
        });
        assert_eq!(
            (outcome.exit, message(&outcome)),
            (1, "`visits.csv` changed while it was read"),
            "{}",
            outcome.shown(&[])
        );
        assert_nothing_published(&runs, "a file that changes");
        std::fs::write(&path, &whole).unwrap();
    }
    recovers(&mut night(&bank, AS_OF, &runs), "a file that has stopped changing");
}
