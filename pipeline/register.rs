//! Who is in the run (`rules.md` §2): the households valid on the as-of date, in the order of their identifiers,
//! each with the grid, branch and area to which it belongs on that day. Later stages count households by their
//! number here. Leaves to coverage what a household with an invalid grid may not count in.

use crate::calendar::Date;
use crate::clean::Tables;
use crate::clean::typed::Rows as _;
use crate::previous::{Previous, PreviousHousehold};

/// The number that stands for "not in the run".
const ABSENT: u32 = u32::MAX;

/// The households of the run, numbered from 0 in the byte order of household_id.
#[derive(Debug)]
pub struct Register {
    pub as_of: Date,
    /// For each household of the run its row in `households`.
    rows: Vec<u32>,
    /// For each identifier of `households` its number in the run.
    numbers: Vec<u32>,
    /// For each household of the run its grid, and the grid's branch and area, as positions.
    grids: Vec<u32>,
    branches: Vec<u32>,
    areas: Vec<u32>,
}

impl Register {
    /// The rows of `households` valid on the as-of date.
    pub fn of(tables: &Tables, as_of: Date) -> Register {
        let households = &tables.households;
        let is_valid = |row: usize| {
            households.valid_from.get(row).is_some_and(|from| as_of.is_within(from, households.valid_to.get(row)))
        };
        let mut rows: Vec<u32> = (0..households.rows).filter(|&row| is_valid(row)).map(|row| row as u32).collect();
        rows.sort_unstable_by_key(|&row| households.household_id.text(row as usize));
        let mut register = Register {
            as_of,
            numbers: Vec::new(),
            grids: Vec::with_capacity(rows.len()),
            branches: Vec::with_capacity(rows.len()),
            areas: Vec::with_capacity(rows.len()),
            rows,
        };
        for &row in &register.rows {
            let grid = households.grid_id.get(row as usize).unwrap_or_default();
            register.grids.push(grid as u32);
            register.branches.push(tables.grids.branch_id.get(grid).unwrap_or_default() as u32);
            register.areas.push(tables.grids.area_id.get(grid).unwrap_or_default() as u32);
        }
        register.numbers = numbers(tables, &register.rows);
        register
    }

    /// For each household of the run what an earlier run said of it. Both are in the byte order of household_id, so
    /// one walk over both is enough.
    pub fn align<'p>(&self, tables: &Tables, previous: &'p Previous) -> Vec<Option<&'p PreviousHousehold>> {
        let mut earlier = previous.households.iter().peekable();
        (0..self.len())
            .map(|number| {
                let id = tables.households.household_id.text(self.row(number));
                while earlier.next_if(|household| household.household_id.as_str() < id).is_some() {}
                earlier.next_if(|household| household.household_id == id)
            })
            .collect()
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The number of a household in the run, by the position of its identifier.
    pub fn number(&self, position: usize) -> Option<usize> {
        self.numbers.get(position).filter(|&&number| number != ABSENT).map(|&number| number as usize)
    }

    /// The household's row in `households`.
    pub fn row(&self, number: usize) -> usize {
        self.rows.get(number).copied().unwrap_or_default() as usize
    }

    pub fn grid(&self, number: usize) -> usize {
        self.grids.get(number).copied().unwrap_or_default() as usize
    }

    pub fn branch(&self, number: usize) -> usize {
        self.branches.get(number).copied().unwrap_or_default() as usize
    }

    pub fn area(&self, number: usize) -> usize {
        self.areas.get(number).copied().unwrap_or_default() as usize
    }
}

fn numbers(tables: &Tables, rows: &[u32]) -> Vec<u32> {
    let households = &tables.households;
    let mut numbers = vec![ABSENT; households.ids.accepted()];
    let mut last = None;
    for (number, &row) in (0..).zip(rows) {
        let id = households.household_id.text(row as usize);
        let near = last.and_then(|last| households.ids.near(last, id));
        let position = near.or_else(|| match households.ids.find(id) {
            crate::clean::Meaning::Accepted(position) => Some(position),
            _ => None,
        });
        if let Some(slot) = position.and_then(|position| numbers.get_mut(position as usize)) {
            *slot = number;
        }
        last = position;
    }
    numbers
}
