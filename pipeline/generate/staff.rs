//! Officers, managers and who is assigned to which grid: a primary officer, a part-time backup, now and then a
//! predecessor or a successor. Makes the flaws of people that `layout.rs` asked for, and nothing by chance.

use super::layout::{Flaw, Grid, Layout};
use super::random::{Random, Subject};
use super::tables::Tables;
use super::{Setting, id, names};
use crate::calendar::Date;
use std::collections::HashMap;

pub struct Staff {
    officers: Vec<Officer>,
    assignments: Vec<Assignment>,
}

struct Officer {
    id: String,
    branch_id: String,
    name: String,
    role: &'static str,
    employment: &'static str,
    active_from: Date,
    active_to: Option<Date>,
}

struct Assignment {
    grid_id: String,
    officer_id: String,
    duty: &'static str,
    valid_from: Date,
    valid_to: Option<Date>,
}

/// Appoints the staff and tells each grid its crew.
pub fn appoint(setting: &Setting, layout: &mut Layout) -> Staff {
    let mut office = Office {
        setting,
        random: Random::of(setting.seed, Subject::Staff, 0),
        staff: Staff { officers: Vec::new(), assignments: Vec::new() },
    };
    let mut managers = HashMap::new();
    for branch in &layout.branches {
        let manager_id = office.hire(&branch.id, "manager", "full_time", branch.opened_on);
        managers.insert(branch.id.clone(), manager_id);
    }
    let some_branch = layout.branches.first().map(|branch| branch.id.clone()).unwrap_or_default();
    let mut before: Option<&Grid> = None;
    for grid in &mut layout.grids {
        grid.crew.manager_id = managers.get(&grid.branch_id).cloned().unwrap_or_default();
        office.man(grid, before, &some_branch);
        before = Some(grid);
    }
    let mut staff = office.staff;
    staff.assignments.sort_by(|one, other| {
        (&one.grid_id, &one.officer_id, one.duty, one.valid_from).cmp(&(
            &other.grid_id,
            &other.officer_id,
            other.duty,
            other.valid_from,
        ))
    });
    staff
}

struct Office<'a> {
    setting: &'a Setting,
    random: Random,
    staff: Staff,
}

impl Office<'_> {
    fn man(&mut self, grid: &mut Grid, before: Option<&Grid>, some_branch: &str) {
        let from = grid.valid_from;
        let shared = before
            .filter(|before| grid.flaw == Flaw::SharedPrimary && before.branch_id == grid.branch_id)
            .and_then(|before| before.crew.primary_id.clone());
        if let Some(officer_id) = shared {
            self.assign(&grid.id, &officer_id, "primary", from, None);
            grid.crew.primary_id = Some(officer_id);
            grid.crew.backup_only = true;
        } else {
            self.man_primary(grid, some_branch);
        }
        if grid.flaw != Flaw::WithoutBackup {
            let backup_id = self.hire(&grid.branch_id, "officer", "part_time", from);
            self.assign(&grid.id, &backup_id, "backup", from, None);
            grid.crew.backup_id = Some(backup_id);
        }
        if grid.flaw == Flaw::TwoPrimaries {
            let second_id = self.hire(&grid.branch_id, "officer", "full_time", from);
            self.assign(&grid.id, &second_id, "primary", self.setting.days_before(120).max(from), None);
        }
    }

    fn man_primary(&mut self, grid: &mut Grid, some_branch: &str) {
        let from = grid.valid_from;
        let branch = if grid.flaw == Flaw::PrimaryOfOtherBranch { some_branch } else { &grid.branch_id };
        let officer_id = self.hire(branch, "officer", "full_time", from);
        let change = self.setting.days_before(self.random.between(150, 600)).max(Date(from.0 + 1));
        match grid.flaw {
            // The officer left; the assignment was left standing and counts no more.
            Flaw::WithoutPrimary => {
                let left_on = self.setting.days_before(40).max(Date(from.0 + 1));
                self.leave(left_on);
                self.assign(&grid.id, &officer_id, "primary", from, None);
                grid.crew.predecessor = Some((officer_id, left_on));
            }
            Flaw::None if grid.size > 0 && self.random.chance(120) => {
                self.leave(change);
                self.assign(&grid.id, &officer_id, "primary", from, Some(change));
                let successor_id = self.hire(branch, "officer", "full_time", Date(change.0 - 20));
                self.assign(&grid.id, &successor_id, "primary", change, None);
                grid.crew.predecessor = Some((officer_id, change));
                grid.crew.primary_id = Some(successor_id);
            }
            // A change that is agreed on and still to come.
            Flaw::None if grid.size > 0 && self.random.chance(20) => {
                let hand_over = self.setting.days_after(45);
                self.leave(hand_over);
                self.assign(&grid.id, &officer_id, "primary", from, Some(hand_over));
                let successor_id = self.hire(branch, "officer", "full_time", self.setting.days_after(15));
                self.assign(&grid.id, &successor_id, "primary", hand_over, None);
                grid.crew.primary_id = Some(officer_id);
            }
            _ => {
                self.assign(&grid.id, &officer_id, "primary", from, None);
                grid.crew.primary_id = Some(officer_id);
            }
        }
    }

    fn hire(&mut self, branch: &str, role: &'static str, employment: &'static str, from: Date) -> String {
        let officer_id = id('O', self.staff.officers.len() as i64 + 1, self.setting.widths.officer);
        self.staff.officers.push(Officer {
            id: officer_id.clone(),
            branch_id: branch.to_owned(),
            name: names::person(&mut self.random),
            role,
            employment,
            active_from: from,
            active_to: None,
        });
        officer_id
    }

    /// The officer who was hired last leaves.
    fn leave(&mut self, day: Date) {
        if let Some(officer) = self.staff.officers.last_mut() {
            officer.active_to = Some(day);
        }
    }

    fn assign(&mut self, grid: &str, officer: &str, duty: &'static str, valid_from: Date, valid_to: Option<Date>) {
        let (grid_id, officer_id) = (grid.to_owned(), officer.to_owned());
        self.staff.assignments.push(Assignment { grid_id, officer_id, duty, valid_from, valid_to });
    }
}

impl Staff {
    pub fn write(&self, tables: &mut Tables) {
        for officer in &self.officers {
            let rows = tables.officers.text(officer.id.as_str()).text(officer.branch_id.as_str());
            rows.text(officer.name.as_str()).text(officer.role).text(officer.employment);
            rows.date(officer.active_from).date(officer.active_to);
        }
        for assignment in &self.assignments {
            let rows = tables.assignments.text(assignment.grid_id.as_str()).text(assignment.officer_id.as_str());
            rows.text(assignment.duty).date(assignment.valid_from).date(assignment.valid_to);
        }
    }
}
