//! The tables of coverage: grids, branches and areas, officers, credit villages, conduct, funding, faults, work lists and
//! public notices.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Date32Array, Float64Array};
use arrow::datatypes::Float64Type;

use crate::clean::typed::{Rows, Texts};
use crate::contract::Type;
use crate::coverage::areas::{AreaCoverage, CreditRating};
use crate::coverage::branch::GridCoverage;
use crate::coverage::conduct::Ranked;
use crate::coverage::counts::{BySegment, Count, Counts, SHARES, Segment, share_of};
use crate::coverage::credit::CreditParts;
use crate::coverage::funding::AreaFunding;
use crate::coverage::notice::PublicNotice;
use crate::coverage::officers::{OfficerAssessment, VISITS_NOT_CREDIBLE};
use crate::coverage::work_list::WorkItem;
use crate::fault::{Error, Result};
use crate::grade::Ranks;
use crate::visits::tallies::GridVisits;

use super::order::ById;
use super::{MONEY, POINTS, Results, list, text, truth, whole, wholes};

const CONDUCT_POINTS: Type = Type::Decimal { precision: 8, scale: 1 };

/// The words of a column of an input table, by the codes of its rows.
fn words<'a>(
    results: &'a Results,
    table: &str,
    column: &str,
    codes: impl Iterator<Item = Option<u8>>,
) -> Result<ArrayRef> {
    let words: &'a [String] = &results.contracts.input(table)?.column(column)?.words;
    Ok(text(codes.map(|code| words.get(usize::from(code?)).map(String::as_str))))
}

/// Identifiers of rows of a register table.
fn ids(texts: &Texts, rows: impl Iterator<Item = Option<usize>>) -> ArrayRef {
    text(rows.map(|row| texts.get(row?)))
}

/// A row of counts and shares: one segment at one level, or all.
struct Line {
    counts: Counts,
    profile_gap: i64,
}

impl Line {
    fn all(parts: &BySegment) -> Line {
        Line { counts: parts.all(), profile_gap: parts.profile_gap_of_all() }
    }
}

/// The counts, the profile gap and the shares of lines, in the order of the columns.
fn count_columns(lines: &[Line]) -> Vec<ArrayRef> {
    let counts = Count::ALL.map(|count| whole(lines.iter().map(|line| Some(line.counts.get(count)))));
    let gap = whole(lines.iter().map(|line| Some(line.profile_gap)));
    let shares = SHARES
        .map(|share| Arc::new(lines.iter().map(|line| line.counts.share(share)).collect::<Float64Array>()) as ArrayRef);
    counts.into_iter().chain([gap]).chain(shares).collect()
}

/// The four rows of one level in the byte order of their segments.
fn by_segment(parts: &BySegment) -> Vec<(&'static str, Line)> {
    let segment = |segment: Segment| {
        (segment.name(), Line { counts: parts.segment(segment), profile_gap: parts.profile_gap(segment) })
    };
    let mut rows = vec![("all", Line::all(parts))];
    rows.extend(Segment::ALL.map(segment));
    rows.sort_by_key(|(name, _)| *name);
    rows
}

/// Key grid_id.
pub(super) fn grid_coverage(results: &Results) -> Result<Vec<ArrayRef>> {
    let tables = results.tables;
    let order = ById::of(&tables.grids.grid_id, tables.grids.rows);
    let mut grids: Vec<&GridCoverage> = results.coverage.grids.iter().collect();
    grids.sort_by_key(|grid| order.place(grid.grid));
    let rows = || grids.iter().map(|grid| grid.grid);
    let mut columns = vec![
        ids(&tables.grids.grid_id, rows().map(Some)),
        ids(&tables.branches.branch_id, rows().map(|grid| tables.grids.branch_id.get(grid))),
        ids(&tables.areas.area_id, rows().map(|grid| tables.grids.area_id.get(grid))),
        words(results, "grids", "kind", rows().map(|grid| tables.grids.kind.get(grid)))?,
        ids(&tables.officers.officer_id, grids.iter().map(|grid| grid.primary)),
        whole(grids.iter().map(|grid| Some(i64::from(grid.programme_year)))),
    ];
    let lines: Vec<Line> = grids.iter().map(|grid| Line::all(&grid.counts)).collect();
    columns.extend(count_columns(&lines));
    let visits = |of: fn(&GridVisits) -> i64| whole(grids.iter().map(|grid| Some(of(&grid.visits))));
    columns.extend([
        visits(|visits| visits.visits_12m),
        visits(|visits| visits.valid_visits_12m),
        visits(|visits| visits.valid_visits_1m),
        truth(grids.iter().map(|grid| grid.visits.is_patrol_met())),
        visits(|visits| visits.issues_raised_12m),
        visits(|visits| visits.issues_resolved_in_grid),
        visits(|visits| visits.issues_resolved_in_community),
        visits(|visits| visits.issues_resolved_in_township),
        visits(GridVisits::issues_open),
        visits(|visits| visits.urgent_open),
    ]);
    Ok(columns)
}

/// Columns of a level whose key is an identifier and a segment; `levels` in the order of their identifiers.
fn segment_columns<'a>(levels: impl Iterator<Item = (&'a str, i64, &'a BySegment)>) -> Vec<ArrayRef> {
    let (mut names, mut segments, mut grids, mut lines) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (id, count, parts) in levels {
        for (segment, line) in by_segment(parts) {
            names.push(id);
            segments.push(segment);
            grids.push(count);
            lines.push(line);
        }
    }
    let mut columns = vec![
        text(names.into_iter().map(Some)),
        text(segments.into_iter().map(Some)),
        whole(grids.into_iter().map(Some)),
    ];
    columns.extend(count_columns(&lines));
    columns
}

/// Key (branch_id, segment).
pub(super) fn branch_coverage(results: &Results) -> Result<Vec<ArrayRef>> {
    let branches = &results.tables.branches;
    let order = ById::of(&branches.branch_id, branches.rows);
    let mut covered: Vec<_> = results.coverage.branches.iter().collect();
    covered.sort_by_key(|covered| order.place(covered.branch));
    let levels = covered.into_iter();
    Ok(segment_columns(levels.map(|level| (branches.branch_id.text(level.branch), level.grids, &level.counts))))
}

/// Key (area_id, segment).
pub(super) fn area_coverage(results: &Results) -> Result<Vec<ArrayRef>> {
    let areas = &results.tables.areas;
    let order = ById::of(&areas.area_id, areas.rows);
    let levels = order.rows.iter().filter_map(|&area| {
        let AreaCoverage { grids, counts, .. } = results.coverage.areas.get(area)?;
        Some((areas.area_id.text(area), *grids, counts))
    });
    Ok(segment_columns(levels))
}

/// Key officer_id.
pub(super) fn officer_assessments(results: &Results) -> Result<Vec<ArrayRef>> {
    let tables = results.tables;
    let order = ById::of(&tables.officers.officer_id, tables.officers.rows);
    let mut officers: Vec<&OfficerAssessment> = results.coverage.officers.iter().collect();
    officers.sort_by_key(|assessment| order.place(assessment.officer));
    let points = |of: fn(&OfficerAssessment) -> i64| {
        wholes(POINTS, officers.iter().map(|assessment| i128::from(of(assessment))))
    };
    let count = |of: fn(&OfficerAssessment) -> i64| whole(officers.iter().map(|assessment| Some(of(assessment))));
    let ratings = &results.rulebook.officers.ratings;
    Ok(vec![
        ids(&tables.officers.officer_id, officers.iter().map(|assessment| Some(assessment.officer))),
        ids(
            &tables.branches.branch_id,
            officers.iter().map(|assessment| tables.officers.branch_id.get(assessment.officer)),
        ),
        count(|assessment| assessment.grids),
        count(|assessment| assessment.households),
        points(|assessment| assessment.visiting)?,
        points(|assessment| assessment.filing)?,
        points(|assessment| assessment.truthfulness)?,
        points(|assessment| assessment.issues)?,
        points(OfficerAssessment::score)?,
        text(officers.iter().map(|assessment| ratings.get(assessment.rating).map(|rating| rating.rating.as_str()))),
        text(officers.iter().map(|assessment| assessment.is_vetoed.then_some(VISITS_NOT_CREDIBLE))),
        count(|assessment| assessment.visits.onsite),
        count(|assessment| assessment.visits.invalid),
    ])
}

/// Key area_id.
pub(super) fn village_ratings(results: &Results) -> Result<Vec<ArrayRef>> {
    let areas = &results.tables.areas;
    let order = ById::of(&areas.area_id, areas.rows);
    let mut ratings: Vec<&CreditRating> = results.coverage.ratings.iter().collect();
    ratings.sort_by_key(|rating| order.place(rating.area));
    let count = |of: fn(&CreditParts) -> i64| whole(ratings.iter().map(|rating| Some(of(&rating.parts))));
    let share = |of: fn(&CreditParts) -> Option<f64>| {
        Arc::new(ratings.iter().map(|rating| of(&rating.parts)).collect::<Float64Array>()) as ArrayRef
    };
    let money = |of: fn(&CreditParts) -> i128| wholes(MONEY, ratings.iter().map(|rating| of(&rating.parts)));
    Ok(vec![
        ids(&areas.area_id, ratings.iter().map(|rating| Some(rating.area))),
        words(results, "areas", "level", ratings.iter().map(|rating| areas.level.get(rating.area)))?,
        count(|parts| parts.households),
        count(|parts| parts.credit_households),
        share(|parts| share_of(parts.credit_households, parts.households)),
        count(|parts| parts.borrowers),
        count(|parts| parts.prompt_borrowers),
        share(|parts| share_of(parts.prompt_borrowers, parts.borrowers)),
        money(|parts| parts.outstanding)?,
        money(|parts| parts.bad_outstanding)?,
        share(|parts| (parts.outstanding != 0).then(|| parts.bad_outstanding as f64 / parts.outstanding as f64)),
        whole(ratings.iter().map(|rating| rating.starred_below)),
        whole(ratings.iter().map(|rating| rating.stars)),
        truth(ratings.iter().map(|rating| rating.is_credit_area)),
    ])
}

/// Key household_id.
pub(super) fn conduct_ranking(results: &Results) -> Result<Vec<ArrayRef>> {
    let ranking = &results.coverage.ranking;
    let per_member = results.facts.column("conduct_points_per_member_12m");
    let per_member = per_member.and_then(|column| column.as_primitive_opt::<Float64Type>());
    let per_member = per_member.ok_or_else(|| Error::internal("points per member are no ratio"))?;
    let vetoes = |ranked: &Ranked| results.grades.get(ranked.household).map(|grade| results.veto_codes(grade));
    Ok(vec![
        ids(&results.tables.areas.area_id, ranking.iter().map(|ranked| Some(results.register.area(ranked.household)))),
        text(ranking.iter().map(|ranked| Some(results.household_id(ranked.household)))),
        whole(ranking.iter().map(|ranked| Some(ranked.member_count))),
        wholes(CONDUCT_POINTS, ranking.iter().map(|ranked| i128::from(ranked.points)))?,
        Arc::new(ranking.iter().map(|ranked| Some(per_member.value(ranked.household))).collect::<Float64Array>()),
        whole(ranking.iter().map(|ranked| ranked.rank)),
        truth(ranking.iter().map(|ranked| ranked.is_honoured)),
        list(ranking.iter().map(|ranked| vetoes(ranked).unwrap_or_default())),
    ])
}

/// Key (fault, subject_id).
pub(super) fn partition_faults(results: &Results) -> Result<Vec<ArrayRef>> {
    let faults = &results.coverage.faults;
    Ok(vec![
        text(faults.iter().map(|fault| Some(fault.kind.name()))),
        text(faults.iter().map(|fault| Some(fault.kind.subject_kind()))),
        text(faults.iter().map(|fault| Some(fault.subject_id.as_str()))),
        text(faults.iter().map(|fault| Some(fault.detail.as_str()))),
    ])
}

/// Key area_id.
pub(super) fn grid_funding(results: &Results) -> Result<Vec<ArrayRef>> {
    let areas = &results.tables.areas;
    let order = ById::of(&areas.area_id, areas.rows);
    let mut funding: Vec<&AreaFunding> = results.coverage.funding.iter().collect();
    funding.sort_by_key(|funded| order.place(funded.area));
    Ok(vec![
        ids(&areas.area_id, funding.iter().map(|funded| Some(funded.area))),
        whole(funding.iter().map(|funded| Some(funded.households))),
        wholes(MONEY, funding.iter().map(|funded| funded.work_fund))?,
        wholes(MONEY, funding.iter().map(|funded| funded.service_fund))?,
    ])
}

/// Key (officer_id, household_id).
pub(super) fn work_list(results: &Results) -> Result<Vec<ArrayRef>> {
    let (tables, register) = (results.tables, results.register);
    let order = ById::of(&tables.officers.officer_id, tables.officers.rows);
    let mut work: Vec<&WorkItem> = results.coverage.work.iter().collect();
    work.sort_unstable_by_key(|item| (order.place(item.officer), item.household));
    let households = || work.iter().map(|item| item.household);
    let dates = |of: fn(&WorkItem) -> Option<crate::calendar::Date>| {
        Arc::new(work.iter().map(|item| of(item).map(|day| day.0)).collect::<Date32Array>()) as ArrayRef
    };
    let reasons = |of: fn(&(crate::calendar::Date, crate::coverage::work_list::Reason)) -> String| {
        list(work.iter().map(|item| item.reasons().iter().map(of).collect::<Vec<_>>()))
    };
    Ok(vec![
        ids(&tables.officers.officer_id, work.iter().map(|item| Some(item.officer))),
        text(households().map(|number| Some(results.household_id(number)))),
        ids(&tables.branches.branch_id, households().map(|number| Some(register.branch(number)))),
        ids(&tables.grids.grid_id, households().map(|number| Some(register.grid(number)))),
        ids(&tables.areas.area_id, households().map(|number| Some(register.area(number)))),
        text(work.iter().map(|item| Some(item.duty.name()))),
        dates(WorkItem::due_on),
        reasons(|(_, reason)| reason.name().to_string()),
        reasons(|(due, _)| due.to_string()),
        dates(|item| item.last_valid_visit_on),
        dates(|item| item.profile_valid_until),
    ])
}

/// Key (area_id, household_id).
pub(super) fn public_notice(results: &Results) -> Result<Vec<ArrayRef>> {
    let (tables, register) = (results.tables, results.register);
    let order = ById::of(&tables.areas.area_id, tables.areas.rows);
    let ranks = Ranks::of(&results.rulebook.scale);
    let mut notices: Vec<&PublicNotice> = results.coverage.notices.iter().collect();
    notices.sort_by_key(|notice| (order.place(register.area(notice.household)), notice.household));
    Ok(vec![
        ids(&tables.areas.area_id, notices.iter().map(|notice| Some(register.area(notice.household)))),
        text(notices.iter().map(|notice| Some(results.household_id(notice.household)))),
        text(notices.iter().map(|notice| Some(notice.masked_name.as_str()))),
        text(notices.iter().map(|notice| Some(ranks.name(notice.final_rank)))),
        Arc::new(notices.iter().map(|notice| Some(notice.days.from.0)).collect::<Date32Array>()),
        Arc::new(notices.iter().map(|notice| Some(notice.days.until.0)).collect::<Date32Array>()),
    ])
}
