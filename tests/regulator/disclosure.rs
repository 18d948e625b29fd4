//! Nothing that was suppressed can be found in what is published, on the sample bank and on generated ones, in one month
//! and with the month before; small numbers are not shown, zero is, and most of the table stays. With complementary
//! suppression off the same attacker does find something.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use wellfield::indicators::disclosure::Protection;

use super::attacker::{Cell, Means, Recovered, attack, counts_of};
use super::publication::{Publication, Row, UNITS, units};
use super::unprotected::Unprotected;
use super::vintages::{bank, leave_out_rows};
use crate::support::program::{generate, published_night};
use crate::support::scratch::{Scratch, scratch};
use crate::support::{published, repository};

pub const AS_OF: &str = "2026-06-30";
const MONTH_BEFORE: &str = "2026-05-31";
/// A day on which what is hidden in the sample bank is tied together closely.
const MID_MONTH: &str = "2026-06-15";
/// *cell_min* of the built-in rulebook.
const CELL_MIN: i128 = 3;
/// Most of these banks hold counts that follow only from several sums together, each hidden one being at least 1.
const SEEDS: [u32; 5] = [11, 12, 13, 110, 142];
const HOUSEHOLDS: u32 = 3_000;

/// A published night of the sample bank; the folder goes with the first of the two.
pub fn sample_night(as_of: &str) -> (Scratch, PathBuf) {
    let runs = scratch();
    let night = published_night(&sample(), as_of, &["--out", runs.path().to_str().unwrap()]);
    (runs, night)
}

pub fn sample() -> PathBuf {
    repository().join("sample-data/bank")
}

/// What leaves the bank in a published night.
pub fn received(night: &Path) -> Publication {
    Publication::read(&night.join("regulator"))
}

/// What an attacker finds by sums, in one text; empty: nothing.
fn found_in(publications: &[&Publication], what: &str) -> String {
    let hidden: usize = publications.iter().map(|publication| hidden_counts(publication).len()).sum();
    assert!(hidden > 0, "{what}: nothing is hidden, so nothing is shown by finding nothing");
    let found = attack(publications, Means::Sums);
    if found.is_empty() {
        return String::new();
    }
    format!("{what}: {} of {hidden} hidden counts are found\n{}", found.len(), listed(&found))
}

fn listed(found: &[Recovered]) -> String {
    found.iter().take(20).map(|found| format!("{found:?}\n")).collect()
}

/// The blank counts of households, each once.
fn hidden_counts(publication: &Publication) -> Vec<Cell> {
    let mut hidden: Vec<Cell> = Vec::new();
    for row in publication.rows.iter().filter(|row| row.status != "L") {
        for (count, units) in counts_of(row) {
            hidden.extend(count.filter(|_| units.is_none()).map(|count| Cell::of(count, row)));
        }
    }
    hidden.sort();
    hidden.dedup();
    hidden
}

#[test]
fn nothing_hidden_is_found_in_the_sample_bank() {
    let (_runs, night) = sample_night(AS_OF);
    let (_other_runs, before) = sample_night(MONTH_BEFORE);
    let (_further_runs, between) = sample_night(MID_MONTH);
    let (night, before, between) = (received(&night), received(&before), received(&between));
    let found = [
        found_in(&[&night], AS_OF),
        found_in(&[&before], MONTH_BEFORE),
        found_in(&[&between], MID_MONTH),
        found_in(&[&before, &between, &night], "all three days"),
    ];
    assert!(found.concat().is_empty(), "{}", found.concat());
}

#[test]
fn nothing_hidden_is_found_in_generated_banks() {
    let mut found = String::new();
    for seed in SEEDS {
        let folder = scratch();
        let bank = folder.path().join("bank");
        generate(&bank, HOUSEHOLDS, seed, AS_OF);
        let night = published_night(&bank, AS_OF, &[]);
        let (publication, what) = (received(&night), format!("seed {seed}"));
        small_numbers_are_hidden(&publication, &what);
        what_is_hidden_is_needed(&publication, &night, &what);
        found.push_str(&found_in(&[&publication], &what));
    }
    assert!(found.is_empty(), "{found}");
}

/// What a second vintage hides is not what the first one hid, and the inputs differ a little: both together show no more.
#[test]
fn nothing_hidden_is_found_over_two_vintages() {
    let folder = scratch();
    let bank = bank(folder.path());
    let first = published_night(&bank, AS_OF, &[]);
    for (table, every) in [("profiles.csv", 150), ("decisions.csv", 100), ("visits.csv", 400)] {
        leave_out_rows(&bank.join(table), every);
    }
    let second = published_night(&bank, AS_OF, &[]);
    let kept = [Kept::of(&first), Kept::of(&second)];
    let publications = [received(&first), received(&second)];
    let found = attack(&[&publications[0], &publications[1]], Means::Sums);
    // That nothing else has changed where nothing is seen to have changed is a guess, which may be wrong.
    let right = found.iter().filter(|found| {
        kept[found.publication].count(&publications[found.publication], &found.cell) == Some(found.value)
    });
    let right: Vec<Recovered> = right.cloned().collect();
    assert!(right.is_empty(), "{} hidden counts are found\n{}", right.len(), listed(&right));
}

/// The attacker is worth something: without complementary suppression most of what is hidden is found, and rightly.
#[test]
fn without_complementary_suppression_hidden_counts_are_found() {
    let night = Unprotected::of(&sample(), AS_OF);
    let publication = night.publication(Protection::PrimaryOnly);
    let found = attack(&[&publication], Means::Sums);
    let (hidden, kept) = (hidden_counts(&publication).len(), night.counts());
    let right = found.iter().filter(|found| kept[&found.cell] == found.value).count();
    tell(&format!("without complementary suppression {right} of {hidden} hidden counts are found"));
    assert!(right > hidden / 2, "{right} of {hidden} hidden counts are found");
    assert!(attack(&[&night.publication(Protection::Complete)], Means::Sums).is_empty());
}

/// What could be concluded with more than sums: told, because only sums are what suppression is made for.
#[test]
fn what_definitions_and_guesses_say_is_told() {
    let night = Unprotected::of(&sample(), AS_OF);
    let publication = night.publication(Protection::Complete);
    let (hidden, kept) = (hidden_counts(&publication).len(), night.counts());
    for means in [Means::Definitions, Means::Guesses] {
        let found = attack(&[&publication], means);
        let right = found.iter().filter(|found| kept[&found.cell] == found.value).count();
        tell(&format!("by {means:?} {right} of {hidden} hidden counts are found"));
        assert!(means == Means::Guesses || right == found.len(), "a definition is wrong:\n{}", listed(&found));
    }
}

#[test]
fn small_numbers_of_the_sample_bank_are_hidden() {
    let (_runs, night) = sample_night(AS_OF);
    let publication = received(&night);
    small_numbers_are_hidden(&publication, "sample");
    what_is_hidden_is_needed(&publication, &night, "sample");
    tell_what_is_left(&publication);
}

/// Primary suppression, read off the published numbers alone.
fn small_numbers_are_hidden(publication: &Publication, what: &str) {
    let is_small = |units: i128| (UNITS..CELL_MIN * UNITS).contains(&units);
    for row in &publication.rows {
        let counts = counts_of(row);
        for (count, units) in counts {
            assert!(count.is_none() || !units.is_some_and(is_small), "{what}: a small count is shown: {row:?}");
        }
        if let [(Some(_), Some(part)), (Some(_), Some(whole))] = counts {
            assert!(!is_small(whole - part), "{what}: a small rest is left: {row:?}");
            assert!(part <= whole, "{what}: a part is larger than its whole: {row:?}");
        }
        let hides = counts.iter().any(|(count, units)| count.is_some() && units.is_none());
        assert!(!hides || row.status != "A", "{what}: a value stands beside a hidden count: {row:?}");
        assert!(row.status == "A" || row.value.is_none(), "{what}: a value that is not published: {row:?}");
        let is_left = |(count, units): &(Option<&str>, Option<i128>)| count.is_none() && units.is_some();
        let leaves_rest = row.status == "Q" && counts.iter().any(is_left);
        assert!(!leaves_rest, "{what}: a suppressed row shows a part that counts no households: {row:?}");
    }
}

/// Zero is never hidden, and no row is suppressed whose counts are all shown.
fn what_is_hidden_is_needed(publication: &Publication, night: &Path, what: &str) {
    let kept = Kept::of(night);
    for row in &publication.rows {
        let counts = counts_of(row);
        for ((count, shown), kept) in counts.into_iter().zip(kept.parts(row)) {
            let is_hidden = count.is_some() && shown.is_none();
            assert!(!is_hidden || kept != Some(0), "{what}: a zero is hidden: {row:?}");
            assert!(shown.is_none() || shown == kept, "{what}: {row:?} is kept as {kept:?}");
        }
        let is_index = row.indicator == "inclusion_index";
        let hides = counts.iter().any(|(count, units)| count.is_some() && units.is_none());
        assert!(row.status != "Q" || hides || is_index, "{what}: nothing of a suppressed row is hidden: {row:?}");
    }
}

/// The table of indicators that stays in the bank: numerator and denominator by indicator, node and breakdown.
struct Kept(BTreeMap<[String; 3], [Option<i128>; 2]>);

impl Kept {
    fn of(night: &Path) -> Kept {
        let table = published::table(night, "indicators");
        let rows = table.rows.iter().map(|row| {
            let cell = |column: &str| table.cell(row, column).unwrap();
            let key = ["indicator_id", "ref_id", "breakdown"].map(|column| cell(column).to_string());
            (key, ["numerator", "denominator"].map(|column| units(cell(column))))
        });
        Kept(rows.collect())
    }

    /// A count, from a row that it stands in.
    fn count(&self, publication: &Publication, cell: &Cell) -> Option<i128> {
        let parts = publication.rows.iter().flat_map(|row| {
            counts_of(row)
                .map(|(count, _)| count)
                .into_iter()
                .zip(self.parts(row))
                .filter_map(move |(count, units)| Some((Cell::of(count?, row), units?)))
        });
        parts.into_iter().find(|(other, _)| other == cell).map(|(_, units)| units / UNITS)
    }

    fn parts(&self, row: &Row) -> [Option<i128>; 2] {
        self.0[&[row.indicator.clone(), row.ref_area.clone(), row.breakdown.clone()]]
    }
}

/// How much of what counts households is suppressed, by level: the most that is sensible is said here.
fn tell_what_is_left(publication: &Publication) {
    let mut levels: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for row in publication.rows.iter().filter(|row| counts_of(row).iter().any(|(count, _)| count.is_some())) {
        let (suppressed, rows) = levels.entry(publication.level(&row.ref_area)).or_default();
        *suppressed += usize::from(row.status == "Q");
        *rows += 1;
    }
    for (level, (suppressed, rows)) in &levels {
        let share = *suppressed as f64 / *rows as f64;
        tell(&format!("{level}: {suppressed} of {rows} rows with counts of households are suppressed"));
        let most = if ["bank", "county"].contains(level) { 0.10 } else { 0.40 };
        assert!(share <= most, "{level}: {suppressed} of {rows} rows are suppressed");
    }
}

/// Straight to stderr: the harness keeps what a passing test prints to itself.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
