//! Names and numbers of people leave the program nowhere but masked in the public notice. Marked ones are planted in
//! banks, in sound rows and in every kind of bad one, and everything that the program then writes or prints is
//! searched, byte by byte and decoded.

mod planted;
mod search;

use std::path::{Path, PathBuf};

use crate::support::program::{self, wellfield};
use crate::support::scratch::{Scratch, scratch};
use crate::support::{copy_folder, published, repository};

use self::planted::Refused;
use self::search::Search;

const AS_OF: &str = "2026-06-30";
const BEFORE: &str = "2026-05-31";
const ALLOWED: [&str; 4] = ["--allow-quarantine", "all", "--allow-change", "all"];

/// A bank with planted names, and everything that commands make of it.
struct Place {
    folder: Scratch,
    bank: PathBuf,
    search: Search,
}

impl Place {
    fn new() -> Place {
        let folder = scratch();
        let bank = folder.path().join("bank");
        copy_folder(&repository().join("sample-data/mini"), &bank);
        planted::plant(&bank);
        Place { folder, bank, search: Search::default() }
    }

    /// Where everything goes that is written beside the bank.
    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn command(&mut self, arguments: &[&str], exit: i32) {
        let outcome = program::run(wellfield().args(arguments));
        let said = format!("{arguments:?}");
        self.search.look_at_text(&said, &outcome.stdout);
        self.search.look_at_text(&said, &outcome.stderr);
        assert_eq!(outcome.exit, exit, "{said} ends with\n{}", outcome.shown(&[]));
    }

    /// A night that tells everything it can.
    fn night(&mut self, as_of: &str, arguments: &[&str], exit: i32) {
        let [bank, out, metrics, lineage] = [
            self.bank.clone(),
            self.out(),
            self.folder.path().join("told.prom"),
            self.folder.path().join("told.ndjson"),
        ]
        .map(|path| path.to_str().unwrap().to_string());
        for log in ["text", "json"] {
            let asked = ["nightly", &bank, "--as-of", as_of, "--out", &out, "--log", log];
            let told = ["--metrics", &metrics, "--lineage", &lineage];
            self.command(&[&asked[..], &told, arguments].concat(), exit);
            self.search.look_at_file(Path::new(&metrics));
            self.search.look_at_file(Path::new(&lineage));
        }
    }

    /// Searches everything but the bank itself; what was found there.
    fn finish(mut self, what: &str) -> Vec<String> {
        self.search.look_at_folder(&self.out());
        self.search.finish(what)
    }
}

fn is_none(leaks: &[String]) {
    assert!(leaks.is_empty(), "{} leaks\n{}", leaks.len(), leaks.join("\n"));
}

#[test]
fn sound_and_set_aside_rows_show_no_name_and_no_number() {
    let mut place = Place::new();
    place.night(BEFORE, &ALLOWED, 0);
    place.night(AS_OF, &[], 4);
    place.night(AS_OF, &ALLOWED, 0);
    let run = place.out().join(AS_OF);
    let run = std::fs::read_dir(run).unwrap().next().unwrap().unwrap().path();
    assert!(published::table(&run, "quarantine").rows.len() >= planted::SET_ASIDE);
    let notice = published::table(&run, "public_notice");
    let masked: Vec<&str> = notice.rows.iter().filter_map(|row| notice.cell(row, "masked_name")).collect();
    assert!(masked.contains(&planted::MASKED), "{masked:?}");
    is_none(&place.finish("rows that are rated or set aside"));
}

#[test]
fn no_verb_shows_a_name_or_a_number() {
    let mut place = Place::new();
    place.night(BEFORE, &ALLOWED, 0);
    place.night(AS_OF, &ALLOWED, 0);
    let [bank, out] = [place.bank.clone(), place.out()].map(|path| path.to_str().unwrap().to_string());
    let there = ["--out", out.as_str()];
    for language in [&["--lang", "en"][..], &["--lang", "zh"], &["--json"]] {
        for household in ["H-1", "H-2", "H-3"] {
            place.command(&[&["explain", &bank, household][..], &there, language].concat(), 0);
        }
        place.command(&[&["coverage", &bank][..], &there, language].concat(), 0);
        place.command(&[&["indicators", &bank][..], &there, language].concat(), 0);
        place.command(&[&["worklist", &bank, "--officer", "O-1"][..], &there, language].concat(), 0);
        place.command(&[&["compare", &bank, BEFORE, AS_OF, "--all"][..], &there, language].concat(), 0);
    }
    for format in [&[][..], &["--json"]] {
        place.command(&[&["runs", &bank][..], &there, format].concat(), 0);
        place.command(&[&["verify", &bank, "latest"][..], &there, format].concat(), 0);
        place.command(&[&["prune", &bank, "--keep", "1", "--dry-run"][..], &there, format].concat(), 0);
    }
    place.command(&["check", &bank, "--as-of", AS_OF], 0);
    is_none(&place.finish("verbs that look at a bank or a run"));
}

#[test]
fn a_refused_bank_shows_no_name_and_no_number() {
    let mut leaks = Vec::new();
    for Refused { what, harm, exit } in planted::REFUSED {
        let mut place = Place::new();
        harm(&place.bank);
        place.night(AS_OF, &ALLOWED, exit);
        let bank = place.bank.to_str().unwrap().to_string();
        place.command(&["check", &bank, "--as-of", AS_OF], exit);
        leaks.extend(place.finish(what));
    }
    is_none(&leaks);
}

/// The search finds what is there: the bank's own files hold every planted name.
#[test]
fn the_search_finds_what_was_planted() {
    let place = Place::new();
    let mut search = Search::default();
    search.look_at_folder(&place.bank);
    assert!(search.found() > planted::SET_ASIDE, "only {} planted names are found", search.found());
}
