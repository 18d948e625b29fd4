//! Base tables `grids`, `areas`, `branches` and `service_points`: where the bank is, one row for each place.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};

use crate::calendar::Window;
use crate::clean::typed::{Rows as _, ServicePoints as Points};
use crate::contract::Contract;
use crate::coverage::branch::GridCoverage;
use crate::coverage::counts::Count;
use crate::coverage::staffing::Duty;
use crate::fault::Result;
use crate::indicators::Covered;
use crate::visits::tallies::GridVisits;

use super::{BaseRows, Cell, Source, columns, no_column, truths, wholes, words};

/// Months within which a point has been used.
const USED_MONTHS: u32 = 3;

/// Rows that each count in a cell of their own.
fn rows_of(source: &dyn Source, cells: Vec<Cell>, contract: &Contract, wanted: &[usize]) -> Result<BaseRows> {
    Ok(BaseRows {
        rows: cells.len(),
        cell_of_row: (0..cells.len() as u32).collect(),
        columns: columns(source, contract, wanted)?,
        cells,
        ..BaseRows::default()
    })
}

/// Grids valid on the as-of date.
pub(super) struct Grids<'a> {
    covered: &'a Covered<'a>,
}

impl<'a> Grids<'a> {
    pub(super) fn of(covered: &'a Covered<'a>) -> Grids<'a> {
        Grids { covered }
    }

    pub(super) fn rows(&self, contract: &Contract, wanted: &[usize]) -> Result<BaseRows> {
        let grids = &self.covered.rated.tables.grids;
        let cell = |grid: &GridCoverage| Cell {
            branch: grids.branch_id.get(grid.grid),
            area: grids.area_id.get(grid.grid),
            segment: None,
        };
        rows_of(self, self.covered.coverage.grids.iter().map(cell).collect(), contract, wanted)
    }

    fn serving(&self, duty: Duty) -> ArrayRef {
        let staffing = &self.covered.coverage.staffing;
        wholes(self.covered.coverage.grids.iter().map(|grid| Some(staffing.serving(grid.grid, duty).len() as i64)))
    }

    fn visits(&self, of: impl Fn(&GridVisits) -> i64) -> ArrayRef {
        wholes(self.covered.coverage.grids.iter().map(|grid| Some(of(&grid.visits))))
    }
}

impl Source for Grids<'_> {
    fn column(&self, name: &str) -> Result<ArrayRef> {
        let covered = &self.covered.coverage.grids;
        let grids = &self.covered.rated.tables.grids;
        if let Some(count) = Count::ALL.into_iter().find(|count| count.name() == name) {
            return Ok(wholes(covered.iter().map(|grid| Some(grid.counts.all().get(count)))));
        }
        Ok(match name {
            "grid_id" => Arc::new(covered.iter().map(|grid| grids.grid_id.get(grid.grid)).collect::<StringArray>()),
            "kind" => words(covered.iter().map(|grid| grids.kind.get(grid.grid))),
            "settlement" => words(covered.iter().map(|grid| grids.settlement.get(grid.grid))),
            "programme_year" => wholes(covered.iter().map(|grid| Some(i64::from(grid.programme_year)))),
            "primaries" => self.serving(Duty::Primary),
            "backups" => self.serving(Duty::Backup),
            "patrol_met" => {
                truths(covered.len(), |grid| covered.get(grid).is_some_and(|grid| grid.visits.is_patrol_met()))
            }
            "profile_gap" => wholes(covered.iter().map(|grid| Some(grid.counts.profile_gap_of_all()))),
            "visits_12m" => self.visits(|visits| visits.visits_12m),
            "valid_visits_12m" => self.visits(|visits| visits.valid_visits_12m),
            "valid_visits_1m" => self.visits(|visits| visits.valid_visits_1m),
            "issues_raised_12m" => self.visits(|visits| visits.issues_raised_12m),
            "issues_resolved_in_grid" => self.visits(|visits| visits.issues_resolved_in_grid),
            "issues_resolved_in_community" => self.visits(|visits| visits.issues_resolved_in_community),
            "issues_resolved_in_township" => self.visits(|visits| visits.issues_resolved_in_township),
            "issues_open" => self.visits(GridVisits::issues_open),
            "urgent_open" => self.visits(|visits| visits.urgent_open),
            other => return no_column("grids", other),
        })
    }
}

/// Every area, with what lies in it itself.
pub(super) struct Areas<'a> {
    covered: &'a Covered<'a>,
    level_has_grids: Vec<bool>,
}

impl<'a> Areas<'a> {
    pub(super) fn of(covered: &'a Covered<'a>) -> Result<Areas<'a>> {
        let words = &covered.rated.contracts.input("areas")?.column("level")?.words;
        let level_has_grids = words.iter().map(|word| word == "village" || word == "community").collect();
        Ok(Areas { covered, level_has_grids })
    }

    pub(super) fn rows(&self, contract: &Contract, wanted: &[usize]) -> Result<BaseRows> {
        let cells = (0..self.covered.rated.tables.areas.rows).map(|area| Cell { area: Some(area), ..Cell::default() });
        rows_of(self, cells.collect(), contract, wanted)
    }

    /// How many of something lie in each area itself.
    fn lying(&self, areas: impl Iterator<Item = (Option<usize>, i64)>) -> Vec<i64> {
        let mut counts = vec![0; self.covered.rated.tables.areas.rows];
        for (area, more) in areas {
            if let Some(count) = area.and_then(|area| counts.get_mut(area)) {
                *count += more;
            }
        }
        counts
    }

    fn households(&self) -> Vec<i64> {
        let grids = &self.covered.rated.tables.grids;
        let grid = |grid: &GridCoverage| (grids.area_id.get(grid.grid), grid.counts.all().get(Count::Households));
        self.lying(self.covered.coverage.grids.iter().map(grid))
    }

    /// Stars of villages and communities that are rated.
    fn stars(&self) -> Vec<Option<i64>> {
        let areas = &self.covered.rated.tables.areas;
        let mut stars = vec![None; areas.rows];
        for rating in &self.covered.coverage.ratings {
            let level = areas.level.get(rating.area).map(usize::from);
            let has_grids = level.and_then(|level| self.level_has_grids.get(level)) == Some(&true);
            if let Some(slot) = stars.get_mut(rating.area).filter(|_| has_grids) {
                *slot = rating.stars;
            }
        }
        stars
    }

    fn open_points(&self, fits: impl Fn(&Points, usize) -> bool) -> ArrayRef {
        let points = self.covered.rated.tables.service_points.as_ref();
        let as_of = self.covered.rated.register.as_of;
        let open = points.into_iter().flat_map(|points| {
            let is_counted = |&row: &usize| is_open(points, row, as_of) && fits(points, row);
            (0..points.rows).filter(is_counted).map(|row| (points.area_id.get(row), 1))
        });
        wholes(self.lying(open.collect::<Vec<_>>().into_iter()).into_iter().map(Some))
    }
}

impl Source for Areas<'_> {
    fn column(&self, name: &str) -> Result<ArrayRef> {
        let rated = self.covered.rated;
        let areas = &rated.tables.areas;
        let rows = || 0..areas.rows;
        Ok(match name {
            "area_id" => Arc::new(rows().map(|area| areas.area_id.get(area)).collect::<StringArray>()),
            "level" => words(rows().map(|area| areas.level.get(area))),
            "is_rural" => truths(areas.rows, |area| areas.is_rural.get(area) == Some(true)),
            "population" => wholes(rows().map(|area| areas.population.get(area))),
            "adult_population" => wholes(rows().map(|area| areas.adult_population.get(area))),
            "household_count" => wholes(rows().map(|area| areas.household_count.get(area))),
            "land_km2" => wholes(rows().map(|area| areas.land_km2.get(area))),
            "valid_grids" => {
                let grids = self.covered.coverage.grids.iter();
                let counts = self.lying(grids.map(|grid| (rated.tables.grids.area_id.get(grid.grid), 1)));
                wholes(counts.into_iter().map(Some))
            }
            "households" => wholes(self.households().into_iter().map(Some)),
            "has_households_min" => {
                let least = i64::from(rated.rulebook.credit_villages.households_min);
                let households = self.households();
                truths(areas.rows, |area| households.get(area).is_some_and(|households| *households >= least))
            }
            "stars" => wholes(self.stars().into_iter()),
            "is_credit_area" => {
                let stars = self.stars();
                truths(areas.rows, |area| stars.get(area).copied().flatten().is_some_and(|stars| stars >= 1))
            }
            "open_branches" => {
                let branches = Branches::of(self.covered);
                let open = (0..rated.tables.branches.rows).filter(|&branch| branches.is_open(branch));
                let counts = self.lying(open.map(|branch| (rated.tables.branches.area_id.get(branch), 1)));
                wholes(counts.into_iter().map(Some))
            }
            "open_points" => self.open_points(|_, _| true),
            "used_withdrawal_points_3m" => {
                let withdrawal = rated.contracts.input("service_points")?.word_code("kind", "withdrawal_point")?;
                let recent = Window::months_to(rated.register.as_of, USED_MONTHS);
                self.open_points(|points, row| {
                    points.kind.get(row) == Some(withdrawal)
                        && points.last_used_on.get(row).is_some_and(|day| recent.contains(day))
                })
            }
            other => return no_column("areas", other),
        })
    }
}

/// Branches, open or not.
pub(super) struct Branches<'a> {
    covered: &'a Covered<'a>,
}

impl<'a> Branches<'a> {
    pub(super) fn of(covered: &'a Covered<'a>) -> Branches<'a> {
        Branches { covered }
    }

    pub(super) fn rows(&self, contract: &Contract, wanted: &[usize]) -> Result<BaseRows> {
        let branches = &self.covered.rated.tables.branches;
        let cells = (0..branches.rows).map(|branch| Cell { area: branches.area_id.get(branch), ..Cell::default() });
        rows_of(self, cells.collect(), contract, wanted)
    }

    fn is_open(&self, branch: usize) -> bool {
        let branches = &self.covered.rated.tables.branches;
        let as_of = self.covered.rated.register.as_of;
        branches.opened_on.get(branch).is_some_and(|opened| as_of.is_within(opened, branches.closed_on.get(branch)))
    }
}

impl Source for Branches<'_> {
    fn column(&self, name: &str) -> Result<ArrayRef> {
        let branches = &self.covered.rated.tables.branches;
        let rows = || 0..branches.rows;
        Ok(match name {
            "branch_id" => Arc::new(rows().map(|branch| branches.branch_id.get(branch)).collect::<StringArray>()),
            "level" => words(rows().map(|branch| branches.level.get(branch))),
            "is_open" => truths(branches.rows, |branch| self.is_open(branch)),
            other => return no_column("branches", other),
        })
    }
}

/// Whether a known point is open; it is known from the day on which it opened.
pub fn is_open(points: &Points, row: usize, as_of: crate::calendar::Date) -> bool {
    points.closed_on.get(row).is_none_or(|closed| closed > as_of)
}

/// Every known service point of a bank that has such a table.
pub(super) struct ServicePoints<'a> {
    covered: &'a Covered<'a>,
    points: &'a Points,
}

impl<'a> ServicePoints<'a> {
    /// None where the bank has no such table.
    pub(super) fn of(covered: &'a Covered<'a>) -> Option<ServicePoints<'a>> {
        let points = covered.rated.tables.service_points.as_ref()?;
        Some(ServicePoints { covered, points })
    }

    pub(super) fn rows(&self, contract: &Contract, wanted: &[usize]) -> Result<BaseRows> {
        let points = self.points;
        let cell =
            |row: usize| Cell { branch: points.branch_id.get(row), area: points.area_id.get(row), segment: None };
        rows_of(self, (0..points.rows).map(cell).collect(), contract, wanted)
    }
}

impl Source for ServicePoints<'_> {
    fn column(&self, name: &str) -> Result<ArrayRef> {
        let (points, as_of) = (self.points, self.covered.rated.register.as_of);
        let rows = || 0..points.rows;
        Ok(match name {
            "point_id" => Arc::new(rows().map(|row| points.point_id.get(row)).collect::<StringArray>()),
            "kind" => words(rows().map(|row| points.kind.get(row))),
            "is_open" => truths(points.rows, |row| is_open(points, row, as_of)),
            "used_3m" => {
                let recent = Window::months_to(as_of, USED_MONTHS);
                truths(points.rows, |row| points.last_used_on.get(row).is_some_and(|day| recent.contains(day)))
            }
            "station_items" => wholes(rows().map(|row| points.station_items.get(row))),
            "has_position" => {
                let has = |row: usize| points.longitude.get(row).is_some() && points.latitude.get(row).is_some();
                truths(points.rows, has)
            }
            other => return no_column("service_points", other),
        })
    }
}
