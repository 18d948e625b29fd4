//! The rows of the coverage tables as they are listed: segments, branches, grids and officers, with the counts that
//! their shares are taken of. Field names are the columns of the tables and the keys of the JSON.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::coverage::counts::{BySegment, Count, Counts, SHARES, Segment};
use crate::explanation::Points;
use crate::fault::Result;

use super::rows::Row;

/// The segment that holds the others.
pub const ALL: &str = "all";

/// The counts of one row, and the profiles that are missing at its level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub counts: Counts,
    pub profile_gap: i64,
}

const PROFILE_GAP: &str = "profile_gap";

impl Figures {
    pub fn of(row: &Row) -> Result<Figures> {
        let mut counts = Counts::default();
        for count in Count::ALL {
            counts.add(count, row.count(count.name())?);
        }
        Ok(Figures { counts, profile_gap: row.count(PROFILE_GAP)? })
    }

    pub fn get(&self, count: Count) -> i64 {
        self.counts.get(count)
    }

    /// The columns that figures are read of, behind those that come before them.
    pub fn columns(first: &[&'static str]) -> Vec<&'static str> {
        let counts = Count::ALL.iter().map(|count| count.name());
        first.iter().copied().chain(counts).chain([PROFILE_GAP]).collect()
    }
}

/// Counts, gap and shares, as the tables have them.
impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for count in Count::ALL {
            map.serialize_entry(count.name(), &self.get(count))?;
        }
        map.serialize_entry(PROFILE_GAP, &self.profile_gap)?;
        for share in SHARES {
            map.serialize_entry(share.name, &self.counts.share(share))?;
        }
        map.end()
    }
}

/// One segment of the bank, a branch or an area.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SegmentLine {
    pub segment: String,
    /// The same in every segment.
    pub grids: i64,
    #[serde(flatten)]
    pub figures: Figures,
}

pub const SEGMENT_COLUMNS: [&str; 2] = ["segment", "grids"];

impl SegmentLine {
    pub fn of(row: &Row) -> Result<SegmentLine> {
        Ok(SegmentLine {
            segment: row.text("segment")?.to_string(),
            grids: row.count("grids")?,
            figures: Figures::of(row)?,
        })
    }

    /// The segments of counts that were added up; the gap is taken of the sums.
    pub fn of_sums(grids: i64, sums: &BySegment) -> Vec<SegmentLine> {
        let all = Figures { counts: sums.all(), profile_gap: sums.profile_gap_of_all() };
        let all = SegmentLine { segment: ALL.to_string(), grids, figures: all };
        let segments = Segment::ALL.into_iter().map(|segment| SegmentLine {
            segment: segment.name().to_string(),
            grids,
            figures: Figures { counts: sums.segment(segment), profile_gap: sums.profile_gap(segment) },
        });
        std::iter::once(all).chain(segments).collect()
    }
}

/// One branch of the bank.
#[derive(Clone, Debug, serde::Serialize)]
pub struct BranchLine {
    pub branch_id: String,
    pub grids: i64,
    /// Grids that nobody is primary of, or more than one officer.
    pub grids_without_one_primary: i64,
    pub grids_patrolled: i64,
    pub issues_open: i64,
    pub urgent_open: i64,
    #[serde(flatten)]
    pub figures: Figures,
}

/// One grid of a branch or an area.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct GridLine {
    pub grid_id: String,
    pub branch_id: String,
    pub area_id: String,
    pub kind: String,
    /// None where there is none, or more than one.
    pub primary_officer_id: Option<String>,
    pub programme_year: i64,
    #[serde(flatten)]
    pub figures: Figures,
    pub visits_12m: i64,
    pub valid_visits_12m: i64,
    pub valid_visits_1m: i64,
    pub patrol_met: bool,
    pub issues_raised_12m: i64,
    pub issues_open: i64,
    pub urgent_open: i64,
}

pub const GRID_COLUMNS: [&str; 13] = [
    "grid_id",
    "branch_id",
    "area_id",
    "kind",
    "primary_officer_id",
    "programme_year",
    "visits_12m",
    "valid_visits_12m",
    "valid_visits_1m",
    "patrol_met",
    "issues_raised_12m",
    "issues_open",
    "urgent_open",
];

impl GridLine {
    pub fn of(row: &Row) -> Result<GridLine> {
        Ok(GridLine {
            grid_id: row.text("grid_id")?.to_string(),
            branch_id: row.text("branch_id")?.to_string(),
            area_id: row.text("area_id")?.to_string(),
            kind: row.text("kind")?.to_string(),
            primary_officer_id: row.text_if_any("primary_officer_id")?.map(String::from),
            programme_year: row.count("programme_year")?,
            figures: Figures::of(row)?,
            visits_12m: row.count("visits_12m")?,
            valid_visits_12m: row.count("valid_visits_12m")?,
            valid_visits_1m: row.count("valid_visits_1m")?,
            patrol_met: row.is_true("patrol_met")?,
            issues_raised_12m: row.count("issues_raised_12m")?,
            issues_open: row.count("issues_open")?,
            urgent_open: row.count("urgent_open")?,
        })
    }
}

/// One officer's assessment.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct OfficerLine {
    pub officer_id: String,
    pub branch_id: String,
    pub grids: i64,
    pub households: i64,
    pub visiting_points: Points,
    pub filing_points: Points,
    pub truthfulness_points: Points,
    pub issue_points: Points,
    pub score: Points,
    pub rating: String,
    pub veto: Option<String>,
    pub onsite_visits_12m: i64,
    pub invalid_visits_12m: i64,
}

pub const OFFICER_COLUMNS: [&str; 13] = [
    "officer_id",
    "branch_id",
    "grids",
    "households",
    "visiting_points",
    "filing_points",
    "truthfulness_points",
    "issue_points",
    "score",
    "rating",
    "veto",
    "onsite_visits_12m",
    "invalid_visits_12m",
];

impl OfficerLine {
    pub fn of(row: &Row) -> Result<OfficerLine> {
        let points = |column: &str| -> Result<Points> {
            Ok(Points(i64::try_from(row.units(column)?).map_err(|_| row.unreadable(column))?))
        };
        Ok(OfficerLine {
            officer_id: row.text("officer_id")?.to_string(),
            branch_id: row.text("branch_id")?.to_string(),
            grids: row.count("grids")?,
            households: row.count("households")?,
            visiting_points: points("visiting_points")?,
            filing_points: points("filing_points")?,
            truthfulness_points: points("truthfulness_points")?,
            issue_points: points("issue_points")?,
            score: points("score")?,
            rating: row.text("rating")?.to_string(),
            veto: row.text_if_any("veto")?.map(String::from),
            onsite_visits_12m: row.count("onsite_visits_12m")?,
            invalid_visits_12m: row.count("invalid_visits_12m")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_listed_with_all_first_and_the_gap_of_their_sums() {
        let mut sums = BySegment::default();
        for (segment, required, profiled) in [(Segment::Rural, 7, 4), (Segment::Resident, 2, 9)] {
            sums.segment_mut(segment).add(Count::ProfilesRequired, required);
            sums.segment_mut(segment).add(Count::Profiled, profiled);
        }
        let lines = SegmentLine::of_sums(3, &sums);
        let shown: Vec<(&str, i64, i64)> = lines
            .iter()
            .map(|line| (line.segment.as_str(), line.figures.get(Count::Profiled), line.figures.profile_gap))
            .collect();
        assert_eq!(shown, [("all", 13, 3), ("rural", 4, 3), ("resident", 9, 0), ("business", 0, 0)]);
        assert!(lines.iter().all(|line| line.grids == 3));
    }

    #[test]
    fn figures_are_keyed_as_the_tables_name_their_columns() {
        let contracts = crate::contract::Contracts::built_in().unwrap();
        let line = SegmentLine::of_sums(1, &BySegment::default()).remove(0);
        let keys = serde_json::to_value(&line).unwrap();
        let keys: Vec<&String> = keys.as_object().unwrap().keys().collect();
        let columns = &contracts.output("branch_coverage").unwrap().columns;
        assert_eq!(keys, columns.iter().skip(1).map(|column| &column.name).collect::<Vec<_>>());
    }
}
