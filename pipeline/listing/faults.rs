//! Partition faults of the bank, or those that concern one branch or area. A fault names its subject only, so what the
//! subject has to do with a branch or area is looked up in the tables that tell.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::fault::Result;
use crate::read::published::PublishedRun;

use super::coverage::Scope;
use super::lines::{GridLine, OfficerLine};
use super::rows::Rows;

/// One fault of one subject, as the table has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultLine {
    pub fault: String,
    pub subject_kind: String,
    pub subject_id: String,
    pub detail: String,
}

/// Faults of a scope, in the order of the table.
pub fn of_scope(
    run: &PublishedRun,
    scope: &Scope,
    grids: &[GridLine],
    officers: &[OfficerLine],
) -> Result<Vec<FaultLine>> {
    let all = read(run)?;
    if matches!(scope, Scope::Bank) {
        return Ok(all);
    }
    let subjects = Subjects::of(run, scope, grids, officers, &all)?;
    Ok(all.into_iter().filter(|fault| subjects.hold(fault)).collect())
}

/// Every fault.
fn read(run: &PublishedRun) -> Result<Vec<FaultLine>> {
    let rows = Rows::read(run, "partition_faults", &["fault", "subject_kind", "subject_id", "detail"])?;
    let fault = |row: super::rows::Row| {
        Ok(FaultLine {
            fault: row.text("fault")?.to_string(),
            subject_kind: row.text("subject_kind")?.to_string(),
            subject_id: row.text("subject_id")?.to_string(),
            detail: row.text("detail")?.to_string(),
        })
    };
    rows.iter().map(fault).collect()
}

/// What belongs to a branch or an area: its grids, the areas they lie in, its officers and households.
struct Subjects {
    grids: BTreeSet<String>,
    areas: BTreeSet<String>,
    officers: BTreeSet<String>,
    households: BTreeSet<String>,
}

impl Subjects {
    fn of(
        run: &PublishedRun,
        scope: &Scope,
        grids: &[GridLine],
        officers: &[OfficerLine],
        faults: &[FaultLine],
    ) -> Result<Subjects> {
        let areas = match scope {
            Scope::Area(area) => BTreeSet::from([area.clone()]),
            _ => grids.iter().map(|grid| grid.area_id.clone()).collect(),
        };
        let primaries = grids.iter().filter_map(|grid| grid.primary_officer_id.clone());
        let mut subjects = Subjects {
            grids: grids.iter().map(|grid| grid.grid_id.clone()).collect(),
            areas,
            officers: primaries.chain(officers.iter().map(|officer| officer.officer_id.clone())).collect(),
            households: BTreeSet::new(),
        };
        let is_about = |kind: &str| faults.iter().any(|fault| fault.subject_kind == kind);
        // These tables have a row for each household, and are not read for nothing.
        if is_about("officer") {
            subjects.officers.extend(named(run, "work_list", "officer_id", scope)?);
        }
        if is_about("household") {
            subjects.households = named(run, "household_grades", "household_id", scope)?;
        }
        Ok(subjects)
    }

    fn hold(&self, fault: &FaultLine) -> bool {
        let known = match fault.subject_kind.as_str() {
            "grid" => &self.grids,
            "area" => &self.areas,
            "officer" => &self.officers,
            "household" => &self.households,
            _ => return false,
        };
        known.contains(&fault.subject_id)
    }
}

/// Who stands in the rows of a branch or area.
fn named(run: &PublishedRun, table: &'static str, column: &'static str, scope: &Scope) -> Result<BTreeSet<String>> {
    let (place, id) = match scope {
        Scope::Bank => return Ok(BTreeSet::new()),
        Scope::Branch(id) => ("branch_id", id),
        Scope::Area(id) => ("area_id", id),
    };
    let rows = Rows::read(run, table, &[column, place])?;
    let mut found = BTreeSet::new();
    for row in rows.iter() {
        if row.text(place)? == id {
            found.insert(row.text(column)?.to_string());
        }
    }
    Ok(found)
}
