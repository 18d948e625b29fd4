//! Which rows count where: everything that belongs to the bank, to one branch, or to one area and those below it. What
//! is made of them is left to `catalogue`.

use std::collections::{BTreeMap, BTreeSet};

use super::super::reading::{Area, Bank, Branch, Grid, Position, ServicePoint};
use super::super::visits::{CheckedVisit, distance_m};
use super::super::{Night, Outcome, coverage, register, villages};
use super::loans::{Debt, debts};

pub enum Place<'a> {
    Bank,
    Branch(&'a str),
    Area(&'a Area),
}

impl<'a> Place<'a> {
    pub fn level(&self) -> &'a str {
        match self {
            Place::Bank => "bank",
            Place::Branch(_) => "branch",
            Place::Area(area) => &area.level,
        }
    }

    pub fn ref_id(&self) -> &'a str {
        match self {
            Place::Bank => "bank",
            Place::Branch(branch_id) => branch_id,
            Place::Area(area) => &area.area_id,
        }
    }
}

/// A household of the run whose grid is valid.
#[derive(Clone, Copy)]
pub struct Home<'a> {
    pub outcome: &'a Outcome<'a>,
    pub nearest_point_m: Option<f64>,
}

/// Every row that an indicator is made from.
pub struct Books<'a> {
    night: &'a Night<'a>,
    bank: &'a Bank,
    homes: Vec<Home<'a>>,
    debts: Vec<Debt<'a>>,
    /// By area, those that have them.
    stars: BTreeMap<String, i128>,
    grids: BTreeMap<&'a str, &'a Grid>,
}

/// The rows of one place.
pub struct Members<'a> {
    pub night: &'a Night<'a>,
    books: &'a Books<'a>,
    pub homes: Vec<Home<'a>>,
    pub debts: Vec<&'a Debt<'a>>,
    /// Valid on T.
    pub grids: Vec<&'a Grid>,
    /// The visits of W(12), in whatever grid.
    pub visits: Vec<&'a CheckedVisit<'a>>,
    pub branches: Vec<&'a Branch>,
    /// Open ones; null when the table is absent.
    pub points: Option<Vec<&'a ServicePoint>>,
    pub areas: Vec<&'a Area>,
    /// Those whose own figures are the place's: the area itself; of the bank, the areas without a parent.
    pub own: Vec<&'a Area>,
}

impl<'a> Books<'a> {
    pub fn open(night: &'a Night<'a>, bank: &'a Bank) -> Books<'a> {
        let points = bank.service_points.as_deref().unwrap_or_default();
        let open: Vec<Position> =
            points.iter().filter(|point| is_open(point)).filter_map(|point| point.position).collect();
        let homes = night.outcomes_in_valid_grids().map(|outcome| {
            let position = outcome.evidence.household.position;
            Home { outcome, nearest_point_m: position.and_then(|position| nearest(position, &open)) }
        });
        let ratings = villages::village_ratings(night);
        let stars = ratings.rows.iter().filter_map(|row| {
            let stars = ratings.cell(row, "stars")?.parse().ok()?;
            Some((ratings.cell(row, "area_id")?.to_string(), stars))
        });
        Books {
            night,
            bank,
            homes: homes.collect(),
            debts: debts(night, bank),
            stars: stars.collect(),
            grids: bank.grids.iter().map(|grid| (grid.grid_id.as_str(), grid)).collect(),
        }
    }

    /// "a row for the bank, every branch with a valid grid or an open loan that counts in it, and every area"
    pub fn places(&self) -> Vec<Place<'a>> {
        let with_grids = self.night.register.grids.values().map(|grid| grid.branch_id.as_str());
        let with_loans = self.debts.iter().filter(|debt| debt.today.is_open).map(Debt::branch_id);
        let branches: BTreeSet<&str> = with_grids.chain(with_loans).collect();
        let mut places = vec![Place::Bank];
        places.extend(branches.into_iter().map(Place::Branch));
        places.extend(self.bank.areas.iter().map(Place::Area));
        places
    }

    pub fn members_of(&'a self, place: &Place<'a>) -> Members<'a> {
        // Of the branch and the area, in so far as the row has them.
        let counts = |branch_id: Option<&str>, area_id: Option<&str>| match place {
            Place::Bank => true,
            Place::Branch(own) => branch_id == Some(own),
            Place::Area(own) => area_id.is_some_and(|area_id| self.is_in(area_id, &own.area_id)),
        };
        let of_grid = |grid: &Grid| counts(Some(&grid.branch_id), Some(&grid.area_id));
        let is_recent = |checked: &&CheckedVisit| self.night.as_of.window_contains(12, checked.visit.started_at.date);
        let visits = self.night.checked.iter().filter(is_recent);
        let points = self.bank.service_points.as_ref().map(|points| {
            let open = points.iter().filter(|point| is_open(point));
            open.filter(|point| counts(Some(&point.branch_id), Some(&point.area_id))).collect()
        });
        let own = self.bank.areas.iter().filter(|area| match place {
            Place::Bank => area.parent_area_id.is_none(),
            Place::Branch(_) => false,
            Place::Area(own) => own.area_id == area.area_id,
        });
        Members {
            night: self.night,
            books: self,
            homes: self.homes.iter().copied().filter(|home| of_grid(home.outcome.grid)).collect(),
            debts: self.debts.iter().filter(|debt| counts(Some(debt.branch_id()), debt.area_id())).collect(),
            grids: self.night.register.grids.values().copied().filter(|grid| of_grid(grid)).collect(),
            visits: visits.filter(|checked| of_grid(self.grids[checked.visit.grid_id.as_str()])).collect(),
            branches: self.bank.branches.iter().filter(|row| counts(None, Some(&row.area_id))).collect(),
            points,
            areas: self.bank.areas.iter().filter(|area| counts(None, Some(&area.area_id))).collect(),
            own: own.collect(),
        }
    }

    /// An area is in itself and in all those above it.
    fn is_in(&self, area_id: &str, above: &str) -> bool {
        self.night.register.with_areas_above(area_id).iter().any(|area| area.area_id == above)
    }
}

impl<'a> Members<'a> {
    /// The same place, of its households one segment only.
    pub fn of_segment(&self, segment: &str) -> Members<'a> {
        let is_of = |home: &&Home| coverage::segment_of(&home.outcome.evidence.household.kind) == segment;
        Members {
            night: self.night,
            books: self.books,
            homes: self.homes.iter().filter(is_of).copied().collect(),
            debts: self.debts.clone(),
            grids: self.grids.clone(),
            visits: self.visits.clone(),
            branches: self.branches.clone(),
            points: self.points.clone(),
            areas: self.areas.clone(),
            own: self.own.clone(),
        }
    }

    pub fn has_profiles(&self) -> bool {
        self.books.bank.profiles.is_some()
    }

    pub fn has_decisions(&self) -> bool {
        self.books.bank.decisions.is_some()
    }

    pub fn open_branches(&self) -> usize {
        self.branches.iter().filter(|branch| register::is_open(branch, self.night.as_of)).count()
    }

    /// Households in valid grids of this very area, of every branch.
    pub fn households_in(&self, area: &Area) -> usize {
        self.books.homes.iter().filter(|home| home.outcome.grid.area_id == area.area_id).count()
    }

    pub fn has_star(&self, area: &Area) -> bool {
        register::is_village_or_community(area) && self.books.stars.get(&area.area_id).is_some_and(|stars| *stars >= 1)
    }
}

/// Known, and a closing after T was forgotten.
fn is_open(point: &ServicePoint) -> bool {
    point.closed_on.is_none()
}

/// Every point is measured.
fn nearest(from: Position, points: &[Position]) -> Option<f64> {
    points.iter().map(|point| distance_m(from, *point)).min_by(f64::total_cmp)
}
