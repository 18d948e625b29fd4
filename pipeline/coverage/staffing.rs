//! Who serves which grid on the as-of date (`rules.md` §6): an assignment counts when it is valid and its officer
//! active, and officers are counted, not rows. Keeps the terms that have ended or not yet begun, from which a manager
//! reads since when a grid has nobody.

use crate::calendar::Date;
use crate::clean::Tables;
use crate::clean::typed::Rows as _;
use crate::contract::Contracts;
use crate::fault::Result;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    Primary,
    Backup,
}

impl Duty {
    pub fn name(self) -> &'static str {
        match self {
            Duty::Primary => "primary",
            Duty::Backup => "backup",
        }
    }
}

/// One assignment as far as its officer is active in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// Position in `officers`.
    pub officer: usize,
    pub from: Date,
    /// The first day on which it no longer holds.
    pub to: Option<Date>,
}

impl Term {
    pub fn holds_on(self, day: Date) -> bool {
        day.is_within(self.from, self.to)
    }
}

/// The terms of every grid, and who counts on the as-of date.
#[derive(Debug)]
pub struct Staffing {
    as_of: Date,
    /// By grid: primary terms, backup terms, in the order of `assignments`.
    terms: Vec<[Vec<Term>; 2]>,
    /// By officer: valid grids as a primary, in the order of `grids`.
    primary_grids: Vec<Vec<u32>>,
}

impl Staffing {
    pub fn of(tables: &Tables, as_of: Date, is_valid_grid: &[bool], contracts: &Contracts) -> Result<Staffing> {
        let primary = contracts.input("assignments")?.word_code("duty", "primary")?;
        let (assignments, officers) = (&tables.assignments, &tables.officers);
        let mut terms: Vec<[Vec<Term>; 2]> = vec![Default::default(); tables.grids.rows];
        for row in 0..assignments.rows {
            let who = assignments.grid_id.get(row).zip(assignments.officer_id.get(row));
            let Some((grid, officer)) = who else { continue };
            let began = assignments.valid_from.get(row).max(officers.active_from.get(officer));
            let Some(from) = began else { continue };
            let ends = [assignments.valid_to.get(row), officers.active_to.get(officer)];
            let to = ends.into_iter().flatten().min();
            let [primaries, backups] = match terms.get_mut(grid) {
                Some(of_grid) => of_grid,
                None => continue,
            };
            if to.is_none_or(|to| from < to) {
                let duty = if assignments.duty.get(row) == Some(primary) { primaries } else { backups };
                duty.push(Term { officer, from, to });
            }
        }
        let mut staffing = Staffing { as_of, terms, primary_grids: vec![Vec::new(); officers.rows] };
        for (grid, _) in is_valid_grid.iter().enumerate().filter(|(_, is_valid)| **is_valid) {
            for officer in staffing.serving(grid, Duty::Primary) {
                if let Some(grids) = staffing.primary_grids.get_mut(officer) {
                    grids.push(grid as u32);
                }
            }
        }
        Ok(staffing)
    }

    /// Every term of a duty in a grid, past and future ones too.
    pub fn terms(&self, grid: usize, duty: Duty) -> &[Term] {
        let of_grid = self.terms.get(grid);
        of_grid.and_then(|of_grid| of_grid.get(duty as usize)).map_or(&[], Vec::as_slice)
    }

    /// The officers who count on the as-of date, each once, by their position.
    pub fn serving(&self, grid: usize, duty: Duty) -> Vec<usize> {
        let terms = self.terms(grid, duty).iter().filter(|term| term.holds_on(self.as_of));
        let mut officers: Vec<usize> = terms.map(|term| term.officer).collect();
        officers.sort_unstable();
        officers.dedup();
        officers
    }

    /// Valid grids of which the officer counts as a primary.
    pub fn primary_grids(&self, officer: usize) -> &[u32] {
        self.primary_grids.get(officer).map_or(&[], Vec::as_slice)
    }
}
