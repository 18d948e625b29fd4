//! Base table `visits`: the known visits of W(12), whatever became of their grid or household since: what was done was
//! done. A visit counts in the branch and area of its grid.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};

use crate::calendar::{Window, day_of};
use crate::clean::typed::{Rows as _, Visits as Rows};
use crate::contract::Contract;
use crate::fault::Result;
use crate::indicators::Covered;

use super::{BaseRows, Cell, Source, columns, no_column, truths, words};

const MONTHS: u32 = 12;
const MICROSECONDS_AN_HOUR: f64 = 3_600_000_000.0;

pub(super) struct Visits<'a> {
    covered: &'a Covered<'a>,
    /// Places in the visit checks, and the rows in `visits`.
    places: Vec<u32>,
    rows: Vec<u32>,
    onsite: u8,
    no_issue: u8,
    /// Statuses of an issue that is resolved: in the grid, the community, the township.
    resolved: [u8; 3],
}

impl<'a> Visits<'a> {
    pub(super) fn of(covered: &'a Covered<'a>) -> Result<Visits<'a>> {
        let contract = covered.rated.contracts.input("visits")?;
        let recent = Window::months_to(covered.rated.register.as_of, MONTHS);
        let days = covered.rated.checks.days.iter();
        let places = (0..).zip(days).filter(|(_, day)| recent.contains(**day)).map(|(place, _)| place);
        let places: Vec<u32> = places.collect();
        let row = |&place: &u32| covered.rated.checks.rows.get(place as usize).copied().unwrap_or_default();
        let status = |word: &str| contract.word_code("issue_status", word);
        Ok(Visits {
            covered,
            rows: places.iter().map(row).collect(),
            places,
            onsite: contract.word_code("channel", "onsite")?,
            no_issue: contract.word_code("issue_level", "none")?,
            resolved: [status("resolved_in_grid")?, status("resolved_in_community")?, status("resolved_in_township")?],
        })
    }

    pub(super) fn rows(&self, contract: &Contract, wanted: &[usize]) -> Result<BaseRows> {
        let grids = &self.covered.rated.tables.grids;
        let cells = (0..grids.rows).map(|grid| Cell {
            branch: grids.branch_id.get(grid),
            area: grids.area_id.get(grid),
            segment: None,
        });
        let cell = |row: usize| self.visits().grid_id.get(row).map_or(super::NOWHERE, |grid| grid as u32);
        Ok(BaseRows {
            rows: self.places.len(),
            cells: cells.collect(),
            cell_of_row: self.rows.iter().map(|&row| cell(row as usize)).collect(),
            columns: columns(self, contract, wanted)?,
            ..BaseRows::default()
        })
    }

    fn visits(&self) -> &Rows {
        &self.covered.rated.tables.visits
    }

    /// A column of truths about rows of `visits`.
    fn truths(&self, holds: impl Fn(usize) -> bool) -> ArrayRef {
        truths(self.rows.len(), |number| self.rows.get(number).is_some_and(|&row| holds(row as usize)))
    }

    /// A column of truths about places in the visit checks.
    fn checked(&self, holds: impl Fn(usize) -> bool) -> ArrayRef {
        truths(self.places.len(), |number| self.places.get(number).is_some_and(|&place| holds(place as usize)))
    }

    fn within(&self, months: u32) -> ArrayRef {
        let recent = Window::months_to(self.covered.rated.register.as_of, months);
        let days = &self.covered.rated.checks.days;
        self.checked(|place| days.get(place).is_some_and(|&day| recent.contains(day)))
    }

    fn has_issue(&self, row: usize) -> bool {
        self.visits().issue_level.get(row).is_some_and(|level| level != self.no_issue)
    }

    /// An issue counts as resolved from the day on which it was.
    fn is_resolved(&self, row: usize, statuses: &[u8]) -> bool {
        let visits = self.visits();
        let as_of = self.covered.rated.register.as_of;
        self.has_issue(row)
            && visits.issue_resolved_at.get(row).is_some_and(|moment| day_of(moment) <= as_of)
            && visits.issue_status.get(row).is_some_and(|status| statuses.contains(&status))
    }
}

impl Source for Visits<'_> {
    fn column(&self, name: &str) -> Result<ArrayRef> {
        let (visits, flags) = (self.visits(), &self.covered.rated.checks.flags);
        let rows = || self.rows.iter().map(|&row| row as usize);
        let [in_grid, in_community, in_township] = self.resolved;
        let resolved = |statuses: &[u8]| self.truths(|row| self.is_resolved(row, statuses));
        Ok(match name {
            "visit_id" => Arc::new(rows().map(|row| visits.visit_id.get(row)).collect::<StringArray>()),
            "channel" => words(rows().map(|row| visits.channel.get(row))),
            "purpose" => words(rows().map(|row| visits.purpose.get(row))),
            "is_onsite" => self.truths(|row| visits.channel.get(row) == Some(self.onsite)),
            "is_valid" => self.checked(|place| flags.get(place).is_some_and(|flags| flags.is_valid())),
            "has_household" => self.truths(|row| visits.household_id.get(row).is_some()),
            "in_3m" => self.within(3),
            "in_1m" => self.within(1),
            "issue_level" => words(rows().map(|row| visits.issue_level.get(row))),
            "has_issue" => self.truths(|row| self.has_issue(row)),
            "issue_resolved" => resolved(&self.resolved),
            "resolved_in_grid" => resolved(&[in_grid]),
            "resolved_in_community" => resolved(&[in_community]),
            "resolved_in_township" => resolved(&[in_township]),
            "record_delay_hours" => {
                let moment = |moment: Option<i64>| moment.unwrap_or_default();
                let delay = |row: usize| moment(visits.recorded_at.get(row)) - moment(visits.ended_at.get(row));
                Arc::new(Float64Array::from_iter_values(rows().map(|row| delay(row) as f64 / MICROSECONDS_AN_HOUR)))
            }
            other => return no_column("visits", other),
        })
    }
}
