//! The grade scale: from a score to a grade, the grade of a veto, and the margin of an upgrade.
//! Leaves the score to the scorecards and the limits of a grade to `limits`.

use super::bands;
use super::table::Table;
use super::words::NOT_RATEABLE;

/// The grades from 100 down to 0, without gap or overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GradeScale {
    /// Best first; the last begins at 0.
    pub grades: Vec<Grade>,
    /// What any veto makes of a household; not among `grades`.
    pub veto_grade: String,
    /// Tenths of a point above `at_least` that a grade better than the previous one needs.
    pub upgrade_margin: i32,
}

/// One grade and the least score, in tenths of a point, that earns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grade {
    pub grade: String,
    pub at_least: i32,
}

pub(super) fn read(version: &Table<'_>) -> Option<GradeScale> {
    let bands = bands::read(version, "grade");
    let veto_grade = version.label("veto_grade");
    let upgrade_margin = version.tenths("upgrade_margin");
    let bands = bands?;
    if bands.iter().any(|band| band.name == NOT_RATEABLE) || veto_grade.as_deref() == Some(NOT_RATEABLE) {
        let sentence = format!("a grade is called `{NOT_RATEABLE}`, the word for households that are not rateable");
        version.fault("bands", &sentence, "give the grade another name");
    }
    let veto_grade = veto_grade?;
    if bands.iter().any(|band| band.name == veto_grade) {
        let sentence = format!("the veto grade `{veto_grade}` is also a band, so a score could earn it");
        version.fault("veto_grade", &sentence, "give the veto a grade of its own");
    }
    let grades = bands.into_iter().map(|band| Grade { grade: band.name, at_least: band.at_least }).collect();
    Some(GradeScale { grades, veto_grade, upgrade_margin: upgrade_margin? })
}
