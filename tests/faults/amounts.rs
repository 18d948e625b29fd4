//! Amounts that no usual night has: no rows, ten times the rows, a household without data, with every fact null, with
//! ten thousand visits. And a clock, a time zone and file times that mean nothing.

use std::path::Path;

use wellfield::contract::Contracts;

use crate::second_opinion::{self, compare};
use crate::support::bank::BankBuilder;
use crate::support::digests::digests;
use crate::support::published;
use crate::support::scratch::scratch;
use crate::support::{program, read};

use super::{
    AS_OF, BEFORE, assert_nothing_published, assert_whole, can_run, copy_of_sample, manifest, message, night, recovers,
    tell, within_patience,
};

const HOUSEHOLDS: u32 = 60;
const VISITS: usize = 10_000;
/// The tables with a row, or rows, of every household.
const OF_HOUSEHOLDS: [&str; 5] =
    ["visit_checks", "household_facts", "scorecard_points", "household_grades", "grant_limits"];

#[test]
fn a_required_table_without_rows_is_refused() {
    let folder = scratch();
    for contract in Contracts::built_in().unwrap().inputs {
        let (bank, runs) =
            (folder.path().join(&contract.table), folder.path().join(format!("runs-{}", contract.table)));
        copy_of_sample("mini", &bank);
        let file = bank.join(format!("{}.csv", contract.table));
        let headings: Vec<&str> = contract.columns.iter().map(|column| column.name.as_str()).collect();
        std::fs::write(&file, headings.join(",") + "\n").unwrap();
        let outcome = within_patience(&mut night(&bank, AS_OF, &runs));
        if contract.required {
            let expected = format!("`{0}.csv` has headings and no rows for the required table `{0}`", contract.table);
            assert_eq!((outcome.exit, message(&outcome)), (3, expected.as_str()));
            assert_nothing_published(&runs, &expected);
        } else {
            assert_eq!(outcome.exit, 0, "`{}` without rows: {}", contract.table, outcome.shown(&[]));
        }
    }
}

#[test]
fn a_bank_that_has_nothing_and_says_so_gets_empty_tables() {
    let folder = scratch();
    let (bank, runs) = (folder.path().join("bank"), folder.path().join("runs"));
    BankBuilder::new().write(&bank, None);
    let outcome = within_patience(&mut night(&bank, AS_OF, &runs));
    assert_eq!(outcome.exit, 0, "{}", outcome.shown(&[]));
    assert!(outcome.stderr.contains("note: no household is in the run"), "{}", outcome.shown(&[]));
    let run = assert_whole(&runs, "a bank without rows").latest.unwrap();
    for table in OF_HOUSEHOLDS {
        assert!(published::table(&run, table).rows.is_empty(), "{table}");
    }
}

/// Ten times the households, then a tenth of them: neither is published unless a person says so.
#[test]
fn ten_times_and_a_tenth_of_the_rows_stop_the_night() {
    let folder = scratch();
    let (bank, grown) = (folder.path().join("bank"), folder.path().join("grown"));
    program::generate(&bank, HOUSEHOLDS, 3, AS_OF);
    program::generate(&grown, HOUSEHOLDS * 10, 3, AS_OF);
    for (name, first, second) in [("ten times", &bank, &grown), ("a tenth", &grown, &bank)] {
        let runs = folder.path().join(name);
        let before = recovers(night(first, BEFORE, &runs).args(["--allow-stale", "all"]), "nothing");
        let outcome = within_patience(&mut night(second, AS_OF, &runs));
        let said = format!("{name} the rows: {}", outcome.shown(&[]));
        assert_eq!((outcome.exit, outcome.stdout.as_str()), (4, ""), "{said}");
        for table in ["households", "visits", "accounts"] {
            let failed = format!("error: audit `rows_against_previous` of table `{table}` failed: ");
            let line = outcome.stderr.lines().find(|line| line.starts_with(&failed)).expect(&said);
            let accepted = if table == "households" {
                published::table(&before, "household_grades").rows.len() as u64
            } else {
                manifest(&before)["tables"][table]["accepted"].as_u64().unwrap()
            };
            assert!(line.contains(&format!(", {accepted} in run `")), "{line}");
        }
        assert!(outcome.stderr.contains("--allow-change households"), "{said}");
        let found = assert_whole(&runs, &said);
        assert_eq!((found.runs.len(), found.latest.as_ref()), (1, Some(&before)));
        recovers(night(second, AS_OF, &runs).args(["--allow-change", "all"]), &said);
    }
}

/// What must come out is worked out by the second opinion; here only that each household is really there.
#[test]
fn households_without_data_and_with_ten_thousand_visits_are_rated_right() {
    let folder = scratch();
    let (bank, runs) = (folder.path().join("bank"), folder.path().join("runs"));
    let mut builder = BankBuilder::with_register();
    let blank = [("id_number", ""), ("notice_consent", ""), ("longitude", ""), ("latitude", "")];
    builder.add("households", &[&blank[..], &[("household_id", "nothing")]].concat());
    builder.add("households", &[("household_id", "all-null")]);
    add_rows_of_nulls(&mut builder, "all-null");
    builder.add("households", &[("household_id", "often-seen")]);
    for number in 0..VISITS {
        let day = chrono::NaiveDate::from_ymd_opt(2024, 7, 1).unwrap() + chrono::Days::new(number as u64 / 14);
        let (hour, id) = (8 + number % 14 / 2, format!("V{number}"));
        let at = |minute: usize| format!("{day}T{hour:02}:{:02}:00", minute + number % 2 * 30);
        let moments = [at(0), at(20), format!("{day}T23:00:00")];
        let cells = [("started_at", &moments[0]), ("ended_at", &moments[1]), ("recorded_at", &moments[2])];
        let mut row: Vec<(&str, &str)> = cells.iter().map(|(column, cell)| (*column, cell.as_str())).collect();
        row.extend([("visit_id", id.as_str()), ("household_id", "often-seen")]);
        builder.add("visits", &row);
    }
    builder.write(&bank, None);
    let arguments = ["--allow-stale", "all", "--allow-quarantine", "all"];
    let run = recovers(night(&bank, AS_OF, &runs).args(arguments), "nothing");
    assert_eq!(published::table(&run, "quarantine").rows, Vec::<Vec<String>>::new());
    let expected = second_opinion::calculate(&bank, AS_OF, None);
    for table in OF_HOUSEHOLDS {
        let differences = compare(&expected[table], &published::table(&run, table));
        assert!(
            differences.is_empty(),
            "{} differences, the first are {:#?}",
            differences.len(),
            &differences[..3.min(differences.len())]
        );
    }
    assert_eq!(rows_of(&run, "visit_checks", "often-seen"), VISITS);
    for (table, household) in OF_HOUSEHOLDS[1..]
        .iter()
        .flat_map(|table| ["H", "nothing", "all-null", "often-seen"].map(|household| (*table, household)))
    {
        assert!(rows_of(&run, table, household) > 0, "`{household}` is missing in `{table}`");
    }
}

/// A row of each table that belongs to a household, with every cell empty that may be.
fn add_rows_of_nulls(builder: &mut BankBuilder, household: &str) {
    for contract in Contracts::built_in().unwrap().inputs {
        let is_of_household = contract.columns.iter().any(|column| column.name == "household_id");
        if contract.table == "households"
            || contract.table == "watchlist"
            || contract.table == "decisions"
            || !is_of_household
        {
            continue;
        }
        let nullable = contract.columns.iter().filter(|column| column.nullable && column.name != "household_id");
        let mut cells: Vec<(&str, &str)> = nullable.map(|column| (column.name.as_str(), "")).collect();
        cells.push(("household_id", household));
        builder.add(&contract.table, &cells);
    }
}

fn rows_of(run: &Path, table: &'static str, household: &str) -> usize {
    let table = published::table(run, table);
    table.rows.iter().filter(|row| table.cell(row, "household_id") == Some(household)).count()
}

/// No clock, no time zone, no language and no age of a file reaches a table or the run's id.
#[test]
fn another_clock_gives_the_same_run() {
    let folder = scratch();
    let bank = folder.path().join("bank");
    copy_of_sample("mini", &bank);
    let run_of = |name: &str, settings: &[(&str, &str)]| {
        let runs = folder.path().join(name);
        let run = recovers(night(&bank, AS_OF, &runs).envs(settings.iter().copied()), name);
        (run.file_name().unwrap().to_owned(), digests(&run))
    };
    let usual = run_of("usual", &[]);
    for zone in ["UTC", "Pacific/Kiritimati", "America/Los_Angeles", "Asia/Shanghai"] {
        assert_eq!(
            run_of(zone.rsplit('/').next().unwrap(), &[("TZ", zone), ("LC_ALL", "tr_TR.UTF-8")]),
            usual,
            "{zone}"
        );
    }
    for (day, year) in [("1971-01-01", "old"), ("2099-12-31", "young")] {
        for entry in std::fs::read_dir(&bank).unwrap() {
            let path = entry.unwrap().path();
            let since = chrono::NaiveDate::parse_from_str(day, "%Y-%m-%d").unwrap().and_hms_opt(0, 0, 0).unwrap();
            let moment =
                std::time::UNIX_EPOCH + std::time::Duration::from_secs(since.and_utc().timestamp().unsigned_abs());
            std::fs::File::options().write(true).open(path).unwrap().set_modified(moment).unwrap();
        }
        assert_eq!(run_of(year, &[]), usual, "files of {day}");
    }
    if !can_run("faketime", &["2031-02-28 23:59:58", "true"]) {
        tell("skipped: a night under another date, as there is no `faketime`");
        return;
    }
    for date in ["1999-12-31 23:59:59", "2031-02-28 23:59:58"] {
        let runs = folder.path().join(&date[..4]);
        let real = night(&bank, AS_OF, &runs);
        let mut command = std::process::Command::new("faketime");
        command.arg(date).arg(real.get_program()).args(real.get_args()).current_dir(crate::support::repository());
        let run = recovers(&mut command, date);
        assert_eq!((run.file_name().unwrap().to_owned(), digests(&run)), usual, "{date}");
        assert!(!read(&run.join("manifest.json")).is_empty());
    }
}
