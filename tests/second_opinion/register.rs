//! Who stands where on the as-of date T: the valid grids, the areas and branches that they lie in,
//! and the officers whose assignments count. Rows that end later were made endless by `known`.
//! Judges nothing; faults are left to `partition`.

use std::collections::{BTreeMap, BTreeSet};

use super::calendar::Date;
use super::reading::{Area, Bank, Branch, Grid, Officer};

pub struct Register<'a> {
    pub areas: BTreeMap<&'a str, &'a Area>,
    pub branches: BTreeMap<&'a str, &'a Branch>,
    pub officers: BTreeMap<&'a str, &'a Officer>,
    /// The grids valid on T.
    pub grids: BTreeMap<&'a str, &'a Grid>,
    /// Officers by (duty, grid), each once, of the assignments that count.
    duties: BTreeMap<(&'a str, &'a str), BTreeSet<&'a str>>,
}

fn is_running(from: Date, to: Option<Date>, as_of: Date) -> bool {
    from <= as_of && to.is_none_or(|end| as_of < end)
}

impl<'a> Register<'a> {
    pub fn on(as_of: Date, bank: &'a Bank) -> Register<'a> {
        let officers: BTreeMap<&str, &Officer> =
            bank.officers.iter().map(|row| (row.officer_id.as_str(), row)).collect();
        let valid = bank.grids.iter().filter(|row| is_running(row.valid_from, row.valid_to, as_of));
        // "An assignment counts when it is valid and its officer is active on T"
        let counting = bank.assignments.iter().filter(|row| {
            let officer = officers.get(row.officer_id.as_str());
            let is_active = officer.is_some_and(|officer| is_running(officer.active_from, officer.active_to, as_of));
            is_active && is_running(row.valid_from, row.valid_to, as_of)
        });
        let mut duties: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        for row in counting {
            duties.entry((row.duty.as_str(), row.grid_id.as_str())).or_default().insert(&row.officer_id);
        }
        Register {
            areas: bank.areas.iter().map(|row| (row.area_id.as_str(), row)).collect(),
            branches: bank.branches.iter().map(|row| (row.branch_id.as_str(), row)).collect(),
            grids: valid.map(|row| (row.grid_id.as_str(), row)).collect(),
            officers,
            duties,
        }
    }

    /// The officers who count as `duty`, primary or backup, of a grid.
    pub fn officers_of(&self, grid_id: &str, duty: &str) -> Vec<&'a str> {
        let officers = self.duties.get(&(duty, grid_id));
        officers.into_iter().flatten().copied().collect()
    }

    /// The valid grids by each officer who counts as their primary.
    pub fn grids_of_primaries(&self) -> BTreeMap<&'a str, Vec<&'a Grid>> {
        let mut grids: BTreeMap<&str, Vec<&Grid>> = BTreeMap::new();
        for grid in self.grids.values() {
            for officer_id in self.officers_of(&grid.grid_id, "primary") {
                grids.entry(officer_id).or_default().push(grid);
            }
        }
        grids
    }

    /// The valid grids that lie in a village or community itself.
    pub fn grids_in(&self, area_id: &str) -> Vec<&'a Grid> {
        self.grids.values().copied().filter(|grid| grid.area_id == area_id).collect()
    }

    /// An area and all those above it.
    pub fn with_areas_above(&self, area_id: &str) -> Vec<&'a Area> {
        let mut areas = Vec::new();
        let mut next = self.areas.get(area_id);
        while let Some(area) = next {
            areas.push(*area);
            next = area.parent_area_id.as_ref().and_then(|parent| self.areas.get(parent.as_str()));
        }
        areas
    }

    /// The direct sub-areas of an area that are of one of these levels.
    pub fn sub_areas(&self, area_id: &str, levels: &[&str]) -> Vec<&'a Area> {
        let areas = self.areas.values().copied();
        let below = areas.filter(|area| area.parent_area_id.as_deref() == Some(area_id));
        below.filter(|area| levels.contains(&area.level.as_str())).collect()
    }
}

pub fn is_village_or_community(area: &Area) -> bool {
    area.level == "village" || area.level == "community"
}

pub fn is_open(branch: &Branch, as_of: Date) -> bool {
    is_running(branch.opened_on, branch.closed_on, as_of)
}
