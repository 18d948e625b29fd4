//! The coverage of a published run for a person: the bank with its branches, one branch with its grids and officers, or
//! one area with its grids, credit rating and funding; with what is missing, and the partition faults that concern it.
//! The published tables hold no tree of areas, so grids are listed for villages and communities only.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::coverage::counts::{BySegment, Count, Segment};
use crate::explanation::{Amount, Language};
use crate::fault::Result;
use crate::read::published::PublishedRun;

use super::faults::{self, FaultLine};
use super::lines::{
    ALL, BranchLine, Figures, GRID_COLUMNS, GridLine, OFFICER_COLUMNS, OfficerLine, SEGMENT_COLUMNS, SegmentLine,
};
use super::rows::{Row, Rows};
use super::{RunHead, coverage_text, unknown};

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Scope {
    Bank,
    Branch(String),
    Area(String),
}

/// The coverage of a scope. Which lists are there depends on it: branches for the bank, grids and officers for a branch,
/// grids, rating and funding for an area.
#[derive(Clone, Debug, Serialize)]
pub struct Coverage {
    pub run: RunHead,
    pub scope: Scope,
    /// All first, then each segment.
    pub segments: Vec<SegmentLine>,
    pub missing: Missing,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branches: Option<Vec<BranchLine>>,
    /// None for an area in which no grid lies itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grids: Option<Vec<GridLine>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub officers: Option<Vec<OfficerLine>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<RatingLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub funding: Option<FundingLine>,
    pub partition_faults: Vec<FaultLine>,
}

/// What is not done; the lists of grids are left out where the grids are not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Missing {
    pub profile_gap: i64,
    pub households_not_visited_12m: i64,
    pub care_households_not_visited_3m: i64,
    #[serde(flatten)]
    pub grids: Option<MissingInGrids>,
}

/// Grids in which something is not done, by their identifiers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MissingInGrids {
    /// The largest gap first. Above the grid one's surplus makes up for another's gap, so these can be more.
    pub grids_with_profile_gap: Vec<GridGap>,
    pub grids_without_one_primary: Vec<String>,
    pub grids_not_patrolled: Vec<String>,
    pub grids_with_urgent_issues: Vec<String>,
    pub urgent_open: i64,
}

/// The profiles that a grid is short of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GridGap {
    pub grid_id: String,
    pub profile_gap: i64,
}

/// The credit rating of an area, as `village_ratings` has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RatingLine {
    pub level: String,
    pub households: i64,
    pub credit_households: i64,
    pub borrowers: i64,
    pub prompt_borrowers: i64,
    pub outstanding: Amount,
    pub bad_outstanding: Amount,
    pub bad_share: Option<f64>,
    pub starred_below: Option<i64>,
    pub stars: Option<i64>,
    pub is_credit_area: bool,
}

/// What the grid work of an area is funded with, as `grid_funding` has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FundingLine {
    pub households: i64,
    pub work_fund: Amount,
    pub service_fund: Amount,
}

/// Reads back the coverage of a scope; an unknown branch or area is wrong usage.
pub fn coverage(run: &PublishedRun, scope: Scope) -> Result<Coverage> {
    let segments = match &scope {
        Scope::Bank => Vec::new(),
        Scope::Branch(id) => segments_of(run, "branch_coverage", "branch_id", "branch", id)?,
        Scope::Area(id) => segments_of(run, "area_coverage", "area_id", "area", id)?,
    };
    let grids = grids(run, &scope)?;
    let officers = officers(run, &scope)?;
    let partition_faults = faults::of_scope(run, &scope, &grids, &officers)?;
    let mut coverage = Coverage {
        run: RunHead::of(run),
        segments,
        missing: Missing::default(),
        branches: None,
        grids: None,
        officers: None,
        rating: None,
        funding: None,
        partition_faults,
        scope,
    };
    let mut missing_in_grids = Some(MissingInGrids::of(&grids));
    match &coverage.scope {
        Scope::Bank => {
            let (branches, sums) = branches(run, &grids)?;
            coverage.segments = SegmentLine::of_sums(branches.iter().map(|branch| branch.grids).sum(), &sums);
            coverage.branches = Some(branches);
        }
        Scope::Branch(_) => {
            coverage.grids = Some(grids);
            coverage.officers = Some(officers);
        }
        Scope::Area(area) => {
            coverage.rating = of_area(run, "village_ratings", &RATING_COLUMNS, area, RatingLine::of)?;
            coverage.funding = of_area(run, "grid_funding", &FUNDING_COLUMNS, area, FundingLine::of)?;
            let lie_below = grids.is_empty() && coverage.segments.iter().any(|segment| segment.grids > 0);
            missing_in_grids = missing_in_grids.filter(|_| !lie_below);
            coverage.grids = Some(grids).filter(|_| !lie_below);
        }
    }
    coverage.missing = Missing::of(&coverage.segments, missing_in_grids);
    Ok(coverage)
}

/// The coverage as text for people.
pub fn in_words(coverage: &Coverage, language: Language) -> String {
    coverage_text::in_words(coverage, language)
}

/// The four segments of one branch or area.
fn segments_of(
    run: &PublishedRun,
    table: &'static str,
    key: &'static str,
    word: &str,
    id: &str,
) -> Result<Vec<SegmentLine>> {
    let columns = Figures::columns(&[&[key], &SEGMENT_COLUMNS[..]].concat());
    let rows = Rows::read(run, table, &columns)?;
    let mut segments = Vec::new();
    let mut known = BTreeSet::new();
    for row in rows.iter() {
        let found = row.text(key)?;
        known.insert(found);
        if found == id {
            segments.push(SegmentLine::of(&row)?);
        }
    }
    if segments.is_empty() {
        let why = if word == "branch" { "with a valid grid " } else { "" };
        return Err(unknown(format!("there is no {word} `{id}` {why}in run {}", run.run_id), id, &known));
    }
    let place = |segment: &SegmentLine| {
        let segments = Segment::ALL.iter().position(|known| known.name() == segment.segment);
        segments.filter(|_| segment.segment != ALL).map_or(0, |place| place + 1)
    };
    segments.sort_by_key(place);
    Ok(segments)
}

fn grids(run: &PublishedRun, scope: &Scope) -> Result<Vec<GridLine>> {
    let rows = Rows::read(run, "grid_coverage", &Figures::columns(&GRID_COLUMNS))?;
    let mut grids = Vec::new();
    for row in rows.iter() {
        let is_asked_for = match scope {
            Scope::Bank => true,
            Scope::Branch(id) => row.text("branch_id")? == id,
            Scope::Area(id) => row.text("area_id")? == id,
        };
        if is_asked_for {
            grids.push(GridLine::of(&row)?);
        }
    }
    Ok(grids)
}

/// The officers of a branch; those of the bank are told branch by branch.
fn officers(run: &PublishedRun, scope: &Scope) -> Result<Vec<OfficerLine>> {
    let Scope::Branch(branch) = scope else { return Ok(Vec::new()) };
    let rows = Rows::read(run, "officer_assessments", &OFFICER_COLUMNS)?;
    let mut officers = Vec::new();
    for row in rows.iter() {
        if row.text("branch_id")? == branch {
            officers.push(OfficerLine::of(&row)?);
        }
    }
    Ok(officers)
}

/// Every branch, and the sum of their segments.
fn branches(run: &PublishedRun, grids: &[GridLine]) -> Result<(Vec<BranchLine>, BySegment)> {
    let columns = Figures::columns(&[&["branch_id"], &SEGMENT_COLUMNS[..]].concat());
    let rows = Rows::read(run, "branch_coverage", &columns)?;
    let mut of_branch: BTreeMap<&str, Vec<&GridLine>> = BTreeMap::new();
    for grid in grids {
        of_branch.entry(&grid.branch_id).or_default().push(grid);
    }
    let (mut branches, mut sums) = (Vec::new(), BySegment::default());
    for row in rows.iter() {
        let line = SegmentLine::of(&row)?;
        if let Some(segment) = Segment::ALL.into_iter().find(|segment| segment.name() == line.segment) {
            *sums.segment_mut(segment) += line.figures.counts;
            continue;
        }
        let branch_id = row.text("branch_id")?;
        let own = of_branch.get(branch_id).map_or(&[][..], Vec::as_slice);
        branches.push(BranchLine {
            branch_id: branch_id.to_string(),
            grids: line.grids,
            grids_without_one_primary: own.iter().filter(|grid| grid.primary_officer_id.is_none()).count() as i64,
            grids_patrolled: own.iter().filter(|grid| grid.patrol_met).count() as i64,
            issues_open: own.iter().map(|grid| grid.issues_open).sum(),
            urgent_open: own.iter().map(|grid| grid.urgent_open).sum(),
            figures: line.figures,
        });
    }
    Ok((branches, sums))
}

/// The one row of an area; None where the table has none for it.
fn of_area<T>(
    run: &PublishedRun,
    table: &'static str,
    columns: &[&str],
    area: &str,
    make: impl Fn(&Row) -> Result<T>,
) -> Result<Option<T>> {
    for row in Rows::read(run, table, columns)?.iter() {
        if row.text("area_id")? == area {
            return make(&row).map(Some);
        }
    }
    Ok(None)
}

const RATING_COLUMNS: [&str; 12] = [
    "area_id",
    "level",
    "households",
    "credit_households",
    "borrowers",
    "prompt_borrowers",
    "outstanding",
    "bad_outstanding",
    "bad_share",
    "starred_below",
    "stars",
    "is_credit_area",
];

impl RatingLine {
    fn of(row: &Row) -> Result<RatingLine> {
        Ok(RatingLine {
            level: row.text("level")?.to_string(),
            households: row.count("households")?,
            credit_households: row.count("credit_households")?,
            borrowers: row.count("borrowers")?,
            prompt_borrowers: row.count("prompt_borrowers")?,
            outstanding: Amount(row.units("outstanding")?),
            bad_outstanding: Amount(row.units("bad_outstanding")?),
            bad_share: row.share_if_any("bad_share")?,
            starred_below: row.count_if_any("starred_below")?,
            stars: row.count_if_any("stars")?,
            is_credit_area: row.is_true("is_credit_area")?,
        })
    }
}

const FUNDING_COLUMNS: [&str; 4] = ["area_id", "households", "work_fund", "service_fund"];

impl FundingLine {
    fn of(row: &Row) -> Result<FundingLine> {
        Ok(FundingLine {
            households: row.count("households")?,
            work_fund: Amount(row.units("work_fund")?),
            service_fund: Amount(row.units("service_fund")?),
        })
    }
}

impl Missing {
    fn of(segments: &[SegmentLine], grids: Option<MissingInGrids>) -> Missing {
        let all = segments.iter().find(|segment| segment.segment == ALL).map(|all| all.figures).unwrap_or_default();
        Missing {
            profile_gap: all.profile_gap,
            households_not_visited_12m: all.get(Count::Households) - all.get(Count::Visited12m),
            care_households_not_visited_3m: all.get(Count::CareHouseholds) - all.get(Count::CareVisited3m),
            grids,
        }
    }
}

impl MissingInGrids {
    fn of(grids: &[GridLine]) -> MissingInGrids {
        let named = |is_missing: &dyn Fn(&GridLine) -> bool| {
            grids.iter().filter(|grid| is_missing(grid)).map(|grid| grid.grid_id.clone()).collect()
        };
        let short = grids.iter().filter(|grid| grid.figures.profile_gap > 0);
        let mut gaps: Vec<GridGap> = short
            .map(|grid| GridGap { grid_id: grid.grid_id.clone(), profile_gap: grid.figures.profile_gap })
            .collect();
        gaps.sort_by_key(|gap| std::cmp::Reverse(gap.profile_gap));
        MissingInGrids {
            grids_with_profile_gap: gaps,
            grids_without_one_primary: named(&|grid| grid.primary_officer_id.is_none()),
            grids_not_patrolled: named(&|grid| !grid.patrol_met),
            grids_with_urgent_issues: named(&|grid| grid.urgent_open > 0),
            urgent_open: grids.iter().map(|grid| grid.urgent_open).sum(),
        }
    }
}
