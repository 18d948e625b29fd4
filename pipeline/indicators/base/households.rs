//! Base table `households`: the households of the run with their grades, limits, coverage flags and facts. Those of a
//! grid that is not valid stand in it and count nowhere, so that the columns of the stages before are taken as they are.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};

use crate::calendar::{Date, Window};
use crate::clean::typed::Rows as _;
use crate::contract::Contract;
use crate::coverage::counts::{Count, Segment};
use crate::fault::Result;
use crate::grade::Rank;
use crate::limit::credit_list::CreditList;

use super::{BaseRows, Bases, Cell, NOWHERE, Source, columns, no_column, truths, wholes, word_codes, words};

pub(super) struct Households<'a> {
    bases: &'a Bases<'a>,
}

impl<'a> Households<'a> {
    pub(super) fn of(bases: &'a Bases<'a>) -> Households<'a> {
        Households { bases }
    }

    pub(super) fn rows(&self, contract: &Contract, wanted: &[usize]) -> Result<BaseRows> {
        let (rated, coverage) = (self.bases.covered.rated, self.bases.covered.coverage);
        let (tables, register) = (rated.tables, rated.register);
        let segments = Segment::ALL.len();
        let cells = (0..tables.grids.rows).flat_map(|grid| {
            let (branch, area) = (tables.grids.branch_id.get(grid), tables.grids.area_id.get(grid));
            (0..segments).map(move |segment| Cell { branch, area, segment: Some(segment) })
        });
        let cell_of_row = (0..register.len()).map(|number| {
            let grid = register.grid(number);
            let segment = coverage.standings.get(number).map_or(0, |standing| standing.segment as usize);
            let is_counted = coverage.is_valid_grid.get(grid) == Some(&true);
            if is_counted { (grid * segments + segment) as u32 } else { NOWHERE }
        });
        Ok(BaseRows {
            rows: register.len(),
            cells: cells.collect(),
            has_segments: true,
            cell_of_row: cell_of_row.collect(),
            columns: columns(&Named { households: self, contract }, contract, wanted)?,
            ..BaseRows::default()
        })
    }

    fn numbers(&self) -> std::ops::Range<usize> {
        0..self.bases.covered.rated.register.len()
    }

    fn row(&self, number: usize) -> usize {
        self.bases.covered.rated.register.row(number)
    }

    fn has_position(&self, number: usize) -> bool {
        let households = &self.bases.covered.rated.tables.households;
        let row = self.row(number);
        households.longitude.get(row).is_some() && households.latitude.get(row).is_some()
    }

    /// The household's first loan was disbursed in W(12).
    fn first_loan_in_12m(&self) -> ArrayRef {
        let rated = self.bases.covered.rated;
        let loans = &rated.tables.loans;
        let mut first: Vec<Option<Date>> = vec![None; rated.register.len()];
        for loan in 0..loans.rows {
            let number = loans.household_id.get(loan).and_then(|position| rated.register.number(position));
            if let Some(slot) = number.and_then(|number| first.get_mut(number)) {
                let disbursed = loans.disbursed_on.get(loan);
                *slot = if slot.is_none() { disbursed } else { (*slot).min(disbursed) };
            }
        }
        let recent = Window::months_to(rated.register.as_of, 12);
        truths(first.len(), |number| first.get(number).copied().flatten().is_some_and(|day| recent.contains(day)))
    }

    fn marks(&self, count: Count) -> ArrayRef {
        let standings = &self.bases.covered.coverage.standings;
        truths(standings.len(), |number| standings.get(number).is_some_and(|standing| standing.marks.has(count)))
    }

    fn grades(&self, rank: impl Fn(usize) -> Option<Rank>) -> ArrayRef {
        let ranks = &self.bases.covered.rated.ranks;
        Arc::new(self.numbers().map(|number| rank(number).map(|rank| ranks.name(rank))).collect::<StringArray>())
    }
}

/// The households together with the contract that names their columns.
struct Named<'a> {
    households: &'a Households<'a>,
    contract: &'a Contract,
}

impl Source for Named<'_> {
    fn column(&self, name: &str) -> Result<ArrayRef> {
        let own = self.households;
        let rated = own.bases.covered.rated;
        let households = &rated.tables.households;
        if let Some(count) = Count::ALL.into_iter().find(|count| column_of(*count) == name) {
            return Ok(own.marks(count));
        }
        Ok(match name {
            "household_id" => {
                let ids = own.numbers().map(|number| households.household_id.get(own.row(number)));
                Arc::new(ids.collect::<StringArray>())
            }
            "kind" => words(own.numbers().map(|number| households.kind.get(own.row(number)))),
            "care_category" => words(own.numbers().map(|number| households.care_category.get(own.row(number)))),
            "member_count" => wholes(own.numbers().map(|number| households.member_count.get(own.row(number)))),
            "segment" => {
                let codes = word_codes(self.contract, name, &Segment::ALL.map(Segment::name))?;
                let standings = own.bases.covered.coverage.standings.iter();
                words(standings.map(|standing| codes.get(standing.segment as usize).copied().flatten()))
            }
            "model_grade" => own.grades(|number| rated.grades.get(number).map(|grade| grade.rank)),
            "final_grade" => own.grades(|number| rated.decided.finals.get(number).map(|outcome| outcome.rank)),
            "credit_list" => {
                let lists = [CreditList::White, CreditList::Grey, CreditList::Black];
                let codes = word_codes(self.contract, name, &lists.map(CreditList::name))?;
                let code = |list: CreditList| lists.iter().position(|known| *known == list);
                words(rated.lists.iter().map(|(list, _)| codes.get(code(*list)?).copied().flatten()))
            }
            "has_veto" => {
                let has_veto = |number: usize| rated.grades.get(number).is_some_and(|grade| !grade.vetoes.is_empty());
                truths(rated.grades.len(), has_veto)
            }
            "suggested_limit" => wholes(rated.limits.iter().map(|limit| Some(limit.suggested))),
            "final_limit" => wholes(rated.decided.finals.iter().map(|outcome| Some(outcome.limit))),
            "first_loan_in_12m" => own.first_loan_in_12m(),
            "has_position" => truths(rated.register.len(), |number| own.has_position(number)),
            "nearest_point_m" => match &own.bases.nearest {
                Some(nearest) => Arc::new(nearest.clone()),
                None => Arc::new(Float64Array::new_null(rated.register.len())),
            },
            fact => match rated.facts.column(fact) {
                Some(column) => Arc::clone(column),
                None => return no_column("households", fact),
            },
        })
    }
}

/// The flag of a count: whether one household stands in it.
fn column_of(count: Count) -> &'static str {
    match count {
        Count::CareHouseholds => "care_household",
        // Every household stands in it, and targets belong to grids: neither is a flag.
        Count::Households | Count::ProfilesRequired => "",
        other => other.name(),
    }
}
