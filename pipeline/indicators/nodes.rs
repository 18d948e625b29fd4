//! What rows are for: the bank, its branches, every area. A number of each node stands in one slot; everything that is
//! counted in an area counts in the areas above it too.

use std::collections::{BTreeMap, BTreeSet};

use crate::clean::typed::{Areas, Rows as _};
use crate::fault::{Error, Result};
use crate::rulebook::indicators::Level;

use super::Covered;

/// The identifier of the bank in its rows.
pub const BANK: &str = "bank";

/// Where a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Bank,
    /// Position in `branches`.
    Branch(usize),
    /// Position in `areas`.
    Area(usize),
}

/// The bank, a branch or an area that has rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub level: Level,
    pub id: String,
    pub place: Place,
    /// Place of its numbers in a list with one number for each node that could be.
    pub slot: usize,
}

/// Every node in the order of the table's key: by the word of its level, then by identifier.
#[derive(Clone, Debug, Default)]
pub struct Nodes {
    pub nodes: Vec<Node>,
    branches: usize,
    areas: usize,
    /// By area the position of its parent.
    parents: Vec<Option<usize>>,
    /// Every area before its parent.
    lowest_first: Vec<usize>,
}

impl Nodes {
    pub fn of(covered: &Covered) -> Result<Nodes> {
        let tables = covered.rated.tables;
        let words = &covered.rated.contracts.input("areas")?.column("level")?.words;
        let levels: Vec<Option<Level>> = words.iter().map(|word| Level::of(word)).collect();
        let (branches, areas) = (tables.branches.rows, tables.areas.rows);
        let mut found = Nodes::empty(branches, &tables.areas);
        found.add(Level::Bank, BANK, Place::Bank);
        for (branch, _) in branches_with_rows(covered).iter().enumerate().filter(|(_, has_rows)| **has_rows) {
            found.add(Level::Branch, tables.branches.branch_id.text(branch), Place::Branch(branch));
        }
        for area in 0..areas {
            let level = tables.areas.level.get(area).and_then(|code| levels.get(usize::from(code)).copied().flatten());
            let level = level.ok_or_else(|| Error::internal("a level of areas is no level of indicators"))?;
            found.add(level, tables.areas.area_id.text(area), Place::Area(area));
        }
        found.nodes.sort_by(|one, other| (one.level.name(), &one.id).cmp(&(other.level.name(), &other.id)));
        Ok(found)
    }

    /// The nodes of a published table, given by level and identifier of its rows.
    pub fn read<'r>(rows: impl Iterator<Item = (Level, &'r str)>, areas: &Areas) -> Nodes {
        let named: BTreeSet<(&str, &str)> = rows.map(|(level, id)| (level.name(), id)).collect();
        let positions: BTreeMap<&str, usize> = (0..areas.rows).map(|area| (areas.area_id.text(area), area)).collect();
        let branches = named.iter().filter(|(level, _)| *level == Level::Branch.name()).count();
        let mut found = Nodes::empty(branches, areas);
        let mut branch = 0;
        for (word, id) in named {
            let place = match Level::of(word) {
                Some(Level::Bank) => Place::Bank,
                Some(Level::Branch) => {
                    branch += 1;
                    Place::Branch(branch - 1)
                }
                _ => match positions.get(id) {
                    Some(&area) => Place::Area(area),
                    None => continue,
                },
            };
            if let Some(level) = Level::of(word) {
                found.add(level, id, place);
            }
        }
        found
    }

    fn empty(branches: usize, areas: &Areas) -> Nodes {
        let parents = (0..areas.rows).map(|area| areas.parent_area_id.get(area)).collect();
        let lowest_first = crate::coverage::areas::lowest_first(areas);
        Nodes { nodes: Vec::new(), branches, areas: areas.rows, parents, lowest_first }
    }

    fn add(&mut self, level: Level, id: &str, place: Place) {
        self.nodes.push(Node { level, id: id.to_owned(), place, slot: self.slot(place) });
    }

    pub fn slot(&self, place: Place) -> usize {
        match place {
            Place::Bank => 0,
            Place::Branch(branch) => 1 + branch,
            Place::Area(area) => 1 + self.branches + area,
        }
    }

    /// How many slots there are, with and without rows.
    pub fn slots(&self) -> usize {
        1 + self.branches + self.areas
    }

    /// The slot of the area above an area; the bank's for an area at the top.
    pub fn above(&self, slot: usize) -> usize {
        let area = slot.checked_sub(1 + self.branches);
        let parent = area.and_then(|area| self.parents.get(area).copied().flatten());
        parent.map_or(self.slot(Place::Bank), |parent| self.slot(Place::Area(parent)))
    }

    /// Adds what stands in areas to the areas above them.
    pub fn add_upwards(&self, slots: &mut [i128]) {
        for &area in &self.lowest_first {
            let own = slots.get(self.slot(Place::Area(area))).copied().unwrap_or(0);
            let parent = self.parents.get(area).copied().flatten().map(|parent| self.slot(Place::Area(parent)));
            if let Some(sum) = parent.and_then(|parent| slots.get_mut(parent)) {
                *sum += own;
            }
        }
    }
}

/// By branch, whether it has a grid valid on the as-of date or a loan open on it that counts there.
fn branches_with_rows(covered: &Covered) -> Vec<bool> {
    let tables = covered.rated.tables;
    let mut has_rows = vec![false; tables.branches.rows];
    let mut mark = |branch: Option<usize>| {
        if let Some(slot) = branch.and_then(|branch| has_rows.get_mut(branch)) {
            *slot = true;
        }
    };
    covered.coverage.branches.iter().for_each(|branch| mark(Some(branch.branch)));
    let as_of = covered.rated.register.as_of;
    for loan in 0..tables.loans.rows {
        let is_open = tables.loans.closed_on.get(loan).is_none_or(|closed| closed > as_of);
        if is_open {
            mark(super::base::loans::home(covered, loan).1);
        }
    }
    has_rows
}
