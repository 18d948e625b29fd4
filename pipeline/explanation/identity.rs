//! Who is asked about: the household and where it belongs, and what to say when it is not in the run.
//! The head's name and identity number are never read.

use serde::Serialize;

use crate::calendar::Date;
use crate::clean::typed::Rows as _;
use crate::clean::{CleanBank, Meaning, Tables};
use crate::fault::{Error, Fault, Result};
use crate::register::Register;

use super::Subject;

/// The household as it is on the as-of date.
#[derive(Clone, Debug, Serialize)]
pub struct Identity {
    pub household_id: String,
    pub kind: String,
    pub member_count: i64,
    pub care_category: String,
    pub grid: Place,
    /// A household of a grid that is not valid is graded and counts in no figure of a branch or area.
    pub grid_is_valid: bool,
    pub branch: Place,
    pub area: Place,
}

/// A grid, branch or area.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    pub id: String,
    pub name: String,
}

impl Identity {
    pub fn of(subject: &Subject) -> Result<Identity> {
        let (tables, register) = (subject.tables(), &subject.night.register);
        let (households, row) = (&tables.households, subject.row());
        let contract = subject.contracts.input("households")?;
        let word = |column: &str, code: Option<u8>| -> Result<String> {
            let words = &contract.column(column)?.words;
            Ok(words.get(code.map_or(usize::MAX, usize::from)).cloned().unwrap_or_default())
        };
        let (grid, branch, area) =
            (register.grid(subject.number), register.branch(subject.number), register.area(subject.number));
        let place = |id: &str, name: &str| Place { id: id.into(), name: name.into() };
        let began = tables.grids.valid_from.get(grid).is_some_and(|from| from <= subject.as_of());
        let ended = tables.grids.valid_to.get(grid).is_some_and(|to| to <= subject.as_of());
        Ok(Identity {
            household_id: subject.id().into(),
            kind: word("kind", households.kind.get(row))?,
            member_count: households.member_count.get(row).unwrap_or(1),
            care_category: word("care_category", households.care_category.get(row))?,
            grid: place(tables.grids.grid_id.text(grid), tables.grids.name.text(grid)),
            grid_is_valid: began && !ended,
            branch: place(tables.branches.branch_id.text(branch), tables.branches.name.text(branch)),
            area: place(tables.areas.area_id.text(area), tables.areas.name.text(area)),
        })
    }
}

/// The number of a household in the run as of a day; refuses one that is not in it, and says why it is not.
pub fn locate(cleaned: &CleanBank, as_of: Date, household: &str) -> Result<usize> {
    let tables = &cleaned.tables;
    match tables.households.ids.find(household) {
        Meaning::Accepted(position) => {
            let number = Register::of(tables, as_of).number(position as usize);
            number.ok_or_else(|| Error::refused(not_valid(tables, as_of, household)))
        }
        Meaning::SetAside => Err(Error::refused(set_aside(cleaned, household))),
        Meaning::NotKnown | Meaning::Nothing => Err(Error::refused(unknown(tables, household))),
    }
}

fn not_valid(tables: &Tables, as_of: Date, household: &str) -> Fault {
    let households = &tables.households;
    let rows = (0..households.rows).filter(|&row| households.household_id.text(row) == household);
    let mut spans: Vec<(Option<Date>, Option<Date>)> =
        rows.map(|row| (households.valid_from.get(row), households.valid_to.get(row))).collect();
    spans.sort();
    let shown: Vec<String> = spans.iter().filter_map(|&(from, to)| Some(span(from?, to))).collect();
    let fault = Fault::new(format!(
        "household `{household}` is not in the run as of {as_of}: it is valid {}",
        shown.join(", ")
    ));
    let last_day = spans.iter().filter_map(|&(_, to)| to.filter(|&to| to <= as_of)).max().map(|to| Date(to.0 - 1));
    let first_day = spans.iter().filter_map(|&(from, _)| from.filter(|&from| from > as_of)).min();
    match last_day.or(first_day) {
        Some(day) => fault.hint(format!("ask for a day on which it is valid, for example `--as-of {day}`")),
        None => fault,
    }
}

fn span(from: Date, to: Option<Date>) -> String {
    to.map_or_else(|| format!("from {from}"), |to| format!("from {from} to {}", Date(to.0 - 1)))
}

fn set_aside(cleaned: &CleanBank, household: &str) -> Fault {
    let fault = Fault::new(format!("every row of household `{household}` was set aside, so it is not in the run"));
    let is_its = |key: &str| key.split('|').next() == Some(household);
    let row = cleaned.set_aside.iter().find(|row| row.table == "households" && is_its(&row.key));
    match row {
        Some(row) => fault
            .hint(format!("{} row {} was set aside by `{}`: {}", row.source, row.row_number, row.rule, row.message)),
        None => fault.hint("`wellfield check` lists the rows that are set aside"),
    }
}

/// Identifiers that are offered in place of one that means nothing.
const SIMILAR_SHOWN: usize = 3;
/// Closeness from 0 to 1 below which an identifier is no likely slip of the pen.
const SIMILAR_LEAST: f64 = 0.85;

fn unknown(tables: &Tables, household: &str) -> Fault {
    let fault = Fault::new(format!("there is no household `{household}`"));
    let ids = &tables.households.ids;
    let known =
        (0..ids.accepted()).filter_map(|position| u32::try_from(position).ok()).map(|position| ids.id(position));
    let mut similar: Vec<(f64, &str)> = known
        .map(|id| (strsim::jaro_winkler(household, id), id))
        .filter(|&(closeness, _)| closeness > SIMILAR_LEAST)
        .collect();
    similar.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(other.1)));
    let names: Vec<String> = similar.iter().take(SIMILAR_SHOWN).map(|(_, id)| format!("`{id}`")).collect();
    if names.is_empty() {
        fault.hint("identifiers are those of the bank's `households`, letter by letter")
    } else {
        fault.hint(format!("similar are {}", names.join(", ")))
    }
}
