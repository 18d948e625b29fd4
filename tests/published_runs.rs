//! What becomes of runs once they are published: the shape of their manifest, what `verify` notices of what was done to
//! them, how `runs` lists them, and which of them `prune` removes. How they come to be is looked at in `nights`.

mod listed;
mod manifest;
mod pruned;
mod verified;

use std::path::{Path, PathBuf};

use crate::support::program::{self, Outcome, wellfield};
use crate::support::repository;
use crate::support::scratch::{Scratch, make_writable, scratch};

/// Runs of the mini bank in a folder of their own.
struct Runs {
    folder: Scratch,
}

impl Runs {
    fn none() -> Runs {
        Runs { folder: scratch() }
    }

    /// Nights of June 2026, each looking back at the one before.
    fn of_nights(days: &[u32]) -> Runs {
        let runs = Runs::none();
        days.iter().for_each(|&day| {
            runs.night(day, &[]);
        });
        runs
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("runs")
    }

    /// A night of June 2026; the run's folder.
    fn night(&self, day: u32, arguments: &[&str]) -> PathBuf {
        self.night_of(&repository().join("sample-data/mini"), day, arguments)
    }

    fn night_of(&self, bank: &Path, day: u32, arguments: &[&str]) -> PathBuf {
        let runs = self.path();
        let out = ["--out", runs.to_str().unwrap()];
        program::published_night(bank, &format!("2026-06-{day:02}"), &[&out, arguments].concat())
    }

    /// A verb that looks at the runs of the mini bank.
    fn ask(&self, verb: &str, arguments: &[&str]) -> Outcome {
        let mut command = wellfield();
        command.args([verb, "sample-data/mini"]).args(arguments).arg("--out").arg(self.path());
        program::run(&mut command)
    }

    /// What was printed, without what differs from machine to machine and from version to version.
    fn shown(&self, outcome: &Outcome) -> String {
        let replaced = [(self.folder.path().to_str().unwrap(), "[folder]")];
        without_sizes(&outcome.shown(&replaced))
    }

    /// The folders of runs that a reader sees, from the folder of runs on.
    fn visible(&self) -> Vec<String> {
        let mut found: Vec<String> = names(&self.path())
            .into_iter()
            .filter(|day| self.path().join(day).is_dir() && !day.starts_with('.'))
            .flat_map(|day| names(&self.path().join(&day)).into_iter().map(move |run| format!("{day}/{run}")))
            .filter(|run| !run.contains("/."))
            .collect();
        found.sort();
        found
    }

    /// The as-of dates of those runs.
    fn days(&self) -> Vec<String> {
        self.visible().iter().map(|run| run.split('/').next().unwrap().to_string()).collect()
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

/// The id of the run in a folder.
fn id_of(run: &Path) -> String {
    run.file_name().unwrap().to_string_lossy().into_owned()
}

/// Changes a published file as somebody does who has the right to.
fn tamper(path: &Path, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
    make_writable(path.parent().unwrap());
    std::fs::write(path, change(std::fs::read(path).unwrap())).unwrap();
}

/// Changes the manifest of a run by its first occurrence of a text, which must be there.
fn edit_manifest(run: &Path, from: &str, to: &str) {
    tamper(&run.join("manifest.json"), |bytes| {
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains(from), "the manifest does not say `{from}`");
        text.replacen(from, to, 1).into_bytes()
    });
}

/// `160 KiB` as `[n] KiB`, and digests of 64 digits as `[digest]`: both change with what the tables hold.
fn without_sizes(text: &str) -> String {
    let is_digest = |word: &str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let line = |line: &str| {
        let mut words: Vec<String> = line.split(' ').map(String::from).collect();
        for place in 0..words.len() {
            let unit = words.get(place + 1).map_or("", |unit| unit.trim_end_matches([',', ':']));
            if ["KiB", "MiB", "bytes", "bytes,"].contains(&unit)
                && words[place].bytes().all(|byte| b"0123456789.,".contains(&byte))
            {
                words[place] = "[n]".to_string();
            }
            let bare = words[place].trim_matches([',', '`']).to_string();
            if is_digest(&bare) {
                words[place] = words[place].replace(&bare, "[digest]");
            }
        }
        words.join(" ")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}
