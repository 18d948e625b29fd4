//! Base table `visits`: the known visits of W(12), whatever became of their grid or household since: what was done was
//! done. A visit counts in the branch and area of its grid.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Float64Array, StringArray, UInt32Array};

use crate::calendar::{Date, Window};
use crate::clean::typed::Rows as _;
use crate::contract::{Contract, Contracts};
use crate::fault::{Error, Result};
use crate::indicators::Covered;
use crate::visits::recent::{Coded, NO_WORD, RecentVisits};
use crate::visits::tallies::Issue;

use super::{BaseRows, Cell, Source, columns, no_column, truths, words};

const MICROSECONDS_AN_HOUR: f64 = 3_600_000_000.0;

pub(super) struct Visits<'a> {
    covered: &'a Covered<'a>,
    visits: &'a RecentVisits,
    onsite: u8,
}

impl<'a> Visits<'a> {
    pub(super) fn of(covered: &'a Covered<'a>) -> Result<Visits<'a>> {
        let contracts: &Contracts = covered.rated.contracts;
        let onsite = contracts.input("visits")?.word_code("channel", "onsite")?;
        Ok(Visits { covered, visits: &covered.rated.checks.recent, onsite })
    }

    pub(super) fn rows(&self, contract: &Contract, wanted: &[usize]) -> Result<BaseRows> {
        let grids = &self.covered.rated.tables.grids;
        let cells = (0..grids.rows).map(|grid| Cell {
            branch: grids.branch_id.get(grid),
            area: grids.area_id.get(grid),
            segment: None,
        });
        let (cell_of_row, columns) = rayon::join(|| self.visits.grids(), || columns(self, contract, wanted));
        Ok(BaseRows {
            rows: self.visits.len(),
            cells: cells.collect(),
            cell_of_row: cell_of_row?,
            columns: columns?,
            ..BaseRows::default()
        })
    }

    fn within(&self, months: u32) -> Result<ArrayRef> {
        let recent = Window::months_to(self.covered.rated.register.as_of, months);
        Ok(holding(&self.visits.days()?, |&day| recent.contains(Date(day))))
    }

    /// What became of the visits' issues.
    fn issues(&self, wanted: &[Issue]) -> Result<ArrayRef> {
        Ok(holding(&self.visits.coded(Coded::Issue)?, |&issue| wanted.iter().any(|&wanted| wanted as u8 == issue)))
    }

    fn words(&self, column: Coded) -> Result<ArrayRef> {
        Ok(words(self.visits.coded(column)?.iter().map(|&code| Some(code).filter(|&code| code != NO_WORD))))
    }

    /// The identifiers, which no count asks for: they are looked for in the whole table.
    fn ids(&self) -> Result<ArrayRef> {
        let checks = self.covered.rated.checks;
        let numbers = self.visits.numbers()?;
        let mut found: Vec<Option<String>> = vec![None; numbers.len()];
        for part in 0..checks.parts() {
            let part = checks.part(part)?;
            for (number, id) in part.numbers.iter().zip(part.visits.ids.iter()) {
                let place = numbers.binary_search(number).ok();
                if let Some(slot) = place.and_then(|place| found.get_mut(place)) {
                    *slot = id.map(String::from);
                }
            }
        }
        Ok(Arc::new(found.into_iter().collect::<StringArray>()))
    }
}

impl Source for Visits<'_> {
    fn column(&self, name: &str) -> Result<ArrayRef> {
        let (visits, checks) = (self.visits, self.covered.rated.checks);
        let resolved = [Issue::ResolvedInGrid, Issue::ResolvedInCommunity, Issue::ResolvedInTownship];
        Ok(match name {
            "visit_id" => self.ids()?,
            "channel" => self.words(Coded::Channel)?,
            "purpose" => self.words(Coded::Purpose)?,
            "is_onsite" => holding(&visits.coded(Coded::Channel)?, |&channel| channel == self.onsite),
            "is_valid" => {
                let is_valid = visits.numbers_as(|number| checks.flags(number).is_valid())?;
                holding(&is_valid, |&is_valid| is_valid)
            }
            "has_household" => holding(&visits.coded(Coded::HasHousehold)?, |&has_household| has_household == 1),
            "in_3m" => self.within(3)?,
            "in_1m" => self.within(1)?,
            "issue_level" => self.words(Coded::IssueLevel)?,
            "has_issue" => holding(&visits.coded(Coded::Issue)?, |&issue| issue != Issue::None as u8),
            "issue_resolved" => self.issues(&resolved)?,
            "resolved_in_grid" => self.issues(&[Issue::ResolvedInGrid])?,
            "resolved_in_community" => self.issues(&[Issue::ResolvedInCommunity])?,
            "resolved_in_township" => self.issues(&[Issue::ResolvedInTownship])?,
            "record_delay_hours" => {
                let hours = |delay: i64| delay as f64 / MICROSECONDS_AN_HOUR;
                match visits.record_delays_coded()? {
                    // Few delays occur and many visits have them: half the bytes.
                    Some((codes, delays)) => {
                        let delays = Float64Array::from_iter_values(delays.into_iter().map(hours));
                        let coded = DictionaryArray::try_new(UInt32Array::from(codes), Arc::new(delays));
                        Arc::new(coded.map_err(|error| Error::internal(error.to_string()))?)
                    }
                    None => Arc::new(Float64Array::from(visits.record_delays_as(hours)?)),
                }
            }
            other => return no_column("visits", other),
        })
    }
}

/// A column of truths about the values of another.
fn holding<T>(values: &[T], holds: impl Fn(&T) -> bool) -> ArrayRef {
    truths(values.len(), |row| values.get(row).is_some_and(&holds))
}
