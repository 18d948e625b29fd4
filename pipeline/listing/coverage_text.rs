//! The coverage of a scope as text: the segments, what is missing, then branches, grids and officers line by line. What
//! is missing or undone bears a mark. Says nothing that `Coverage` does not hold.

use crate::coverage::counts::Count;
use crate::coverage::partition::FaultKind;
use crate::decimal::format_scaled;
use crate::explanation::{Language, Points, grouped};

use super::coverage::{Coverage, FundingLine, Missing, MissingInGrids, RatingLine, Scope};
use super::faults::FaultLine;
use super::lines::{ALL, BranchLine, Figures, GridLine, OfficerLine, SegmentLine};
use super::page::{Page, counted};
use super::table::{Cell, MARK, Table, marked, percent};
use super::words::{AREA_LEVELS, ASSESSMENT_VETOES, FAULTS, GRID_KINDS, RATINGS, SEGMENTS};

/// Faults of one kind that are told one by one, for the whole bank and for a branch or area.
const FAULTS_SHOWN: (usize, usize) = (6, 24);

pub fn in_words(coverage: &Coverage, language: Language) -> String {
    let mut page = Page::new(language);
    head(&mut page, coverage);
    page.heading(language.pick("Segments", "客群"));
    let of_segment = |line: &SegmentLine| (language.word(SEGMENTS, &line.segment), line.figures);
    page.table(figures(language, language.pick("segment", "客群"), coverage.segments.iter().map(of_segment)));
    missing(&mut page, coverage);
    if let Some(branches) = &coverage.branches {
        page.heading(language.pick("Branches", "网点"));
        let of_branch = |line: &BranchLine| (line.branch_id.clone(), line.figures);
        page.table(figures(language, language.pick("branch", "网点"), branches.iter().map(of_branch)));
        page.heading(language.pick("Grids, patrols and issues of each branch", "各网点网格、巡访与问题"));
        page.table(branch_duties(language, branches));
    }
    if let Some(grids) = coverage.grids.as_ref().filter(|grids| !grids.is_empty()) {
        page.heading(language.pick("Grids", "网格"));
        let of_grid = |line: &GridLine| (line.grid_id.clone(), line.figures);
        page.table(figures(language, language.pick("grid", "网格"), grids.iter().map(of_grid)));
        page.heading(language.pick("Officers, patrols and issues of each grid", "各网格网格员、巡访与问题"));
        page.table(grid_duties(language, grids, &coverage.partition_faults));
    }
    if let Some(officers) = coverage.officers.as_ref().filter(|officers| !officers.is_empty()) {
        page.heading(language.pick("Officers' assessments, in points", "网格员考核得分"));
        page.table(assessments(language, officers));
    }
    if let Some(rating) = &coverage.rating {
        credit_rating(&mut page, rating);
    }
    if let Some(funding) = &coverage.funding {
        grid_funding(&mut page, funding);
    }
    partition_faults(&mut page, coverage);
    page.text()
}

fn head(page: &mut Page, coverage: &Coverage) {
    let language = page.language;
    let as_of = &coverage.run.as_of;
    let of = match &coverage.scope {
        Scope::Bank => language.pick("the bank".to_string(), "全行".to_string()),
        Scope::Branch(id) => language.pick(format!("branch {id}"), format!("网点{id}")),
        Scope::Area(id) => language.pick(format!("area {id}"), format!("行政区{id}")),
    };
    let run = &coverage.run.run_id;
    page.heading(&language.pick(
        format!("Coverage of {of}, as of {as_of} (run {run})"),
        format!("{of}覆盖情况，数据日期{as_of}（运行{run}）"),
    ));
    page.paragraph(&language.pick(
        format!(
            "Shares: graded of profiled, drawn of granted, care visited of care households, all others of households; \
             rounded down, so that 100% is everyone. Above the grid, a surplus of profiles in one grid makes up for a \
             gap in another. {MARK} marks a gap, or a duty not done."
        ),
        format!(
            "占比：评级以已建档为分母，用信以授信为分母，关怀走访以关怀户为分母，其余以户数为分母；向下取整，100%即全部。\
             网格以上层级，建档盈余可抵缺口。{MARK} 表示缺口或未完成的职责。"
        ),
    ));
}

/// The counts of each line and their shares; of a table that is too wide, the visits keep their counts longest.
fn figures(language: Language, title: &str, lines: impl Iterator<Item = (String, Figures)>) -> Table {
    let mut table = Table::default()
        .left(title)
        .right(language.pick("house-\nholds", "户数"))
        .parts(language.pick("profiled", "已建档"), 1)
        .right(language.pick("target", "应建档"))
        .right(language.pick("gap  ", "缺口  "))
        .parts(language.pick("fresh\nprofile", "及时\n建档"), 4)
        .parts(language.pick("graded", "已评级"), 7)
        .parts(language.pick("granted", "授信"), 5)
        .parts(language.pick("drawn", "用信"), 6)
        .parts(language.pick("visited\n12 mo.", "走访\n12个月"), 3)
        .parts(language.pick("care\nvisited\n3 mo.", "关怀户\n走访\n3个月"), 2);
    for (name, figures) in lines {
        let households = figures.get(Count::Households);
        let part = |count: Count, whole: Count| Cell::Part(figures.get(count), figures.get(whole));
        table.row(vec![
            Cell::Text(name),
            Cell::count(households),
            part(Count::Profiled, Count::Households),
            Cell::count(figures.get(Count::ProfilesRequired)),
            Cell::missing(figures.profile_gap),
            part(Count::ProfiledFresh, Count::Households),
            part(Count::Graded, Count::Profiled),
            part(Count::Granted, Count::Households),
            part(Count::Drawn, Count::Granted),
            part(Count::Visited12m, Count::Households),
            part(Count::CareVisited3m, Count::CareHouseholds),
        ]);
    }
    table
}

fn missing(page: &mut Page, coverage: &Coverage) {
    let language = page.language;
    page.heading(language.pick("What is missing", "缺口与待办"));
    let Missing { profile_gap, households_not_visited_12m, care_households_not_visited_3m, grids } = &coverage.missing;
    profile_gaps(page, coverage);
    let without = [
        (*households_not_visited_12m, ("visits", "走访"), ("household", "households"), (12, "户")),
        (
            *care_households_not_visited_3m,
            ("care visits", "关怀走访"),
            ("care household", "care households"),
            (3, "户关怀户"),
        ),
    ];
    for (count, label, noun, (months, unit)) in without {
        if count > 0 {
            let text = language.pick(
                format!("{} without a valid visit in the last {months} months", counted(count, noun.0, noun.1)),
                format!("{}{unit}近{months}个月无有效走访", grouped(&count.to_string())),
            );
            page.labelled(language.pick(label.0, label.1), &text);
        }
    }
    let has_grids = coverage.segments.iter().any(|segment| segment.grids > 0);
    if !has_grids {
        let text = language.pick("no valid grid, so nobody is counted", "无有效网格，户数未计入");
        page.labelled(language.pick("grids", "网格"), &marked(text, true));
    }
    match grids {
        Some(grids) => missing_in_grids(page, grids),
        None => page.paragraph(language.pick(
            "Grids, patrols and issues are told for branches, villages and communities.",
            "网格、巡访与问题按网点、村和社区列示。",
        )),
    }
    if *households_not_visited_12m > 0 || *profile_gap > 0 {
        page.paragraph(language.pick(
            "`wellfield worklist --officer …` names the households, for each officer.",
            "各网格员的户清单见 `wellfield worklist --officer …`。",
        ));
    }
    let is_complete =
        has_grids && *profile_gap == 0 && *households_not_visited_12m == 0 && *care_households_not_visited_3m == 0;
    if is_complete && grids.as_ref().is_some_and(|grids| *grids == MissingInGrids::default()) {
        page.paragraph(language.pick("Nothing.", "无。"));
    }
}

/// The gap of the scope by segment, and the grids that are short.
fn profile_gaps(page: &mut Page, coverage: &Coverage) {
    let language = page.language;
    let Missing { profile_gap, grids, .. } = &coverage.missing;
    let with_gap = |line: &&SegmentLine| line.segment != ALL && line.figures.profile_gap > 0;
    let segments = coverage.segments.iter().filter(with_gap);
    let segments: Vec<String> = segments
        .map(|line| format!("{} {}", language.word(SEGMENTS, &line.segment), line.figures.profile_gap))
        .collect();
    let short = grids.as_ref().map_or(&[][..], |grids| grids.grids_with_profile_gap.as_slice());
    let short: Vec<String> = short.iter().map(|gap| format!("{} {}", gap.grid_id, gap.profile_gap)).collect();
    let mut parts = Vec::new();
    if *profile_gap > 0 {
        let listed = language.list(&segments);
        parts.push(language.pick(
            format!("{} to make: {listed}", counted(*profile_gap, "profile", "profiles")),
            format!("还需建档{profile_gap}户：{listed}"),
        ));
    }
    if !short.is_empty() {
        let (count, listed) = (short.len() as i64, language.list(&short));
        parts.push(language.pick(
            format!("{} short: {listed}", counted(count, "grid is", "grids are")),
            format!("{count}个网格有缺口：{listed}"),
        ));
    }
    if !parts.is_empty() {
        page.labelled(language.pick("profiles", "建档"), &parts.join(language.pick("; ", "；")));
    }
}

fn missing_in_grids(page: &mut Page, missing: &MissingInGrids) {
    let language = page.language;
    let grids = |ids: &[String]| counted(ids.len() as i64, "grid", "grids");
    if !missing.grids_without_one_primary.is_empty() {
        let (ids, listed) = (&missing.grids_without_one_primary, language.list(&missing.grids_without_one_primary));
        page.labelled(
            language.pick("officers", "主责"),
            &language.pick(
                format!("{} without a primary officer, or with more than one: {listed}", grids(ids)),
                format!("{}个网格无主责或多名主责：{listed}", ids.len()),
            ),
        );
    }
    if !missing.grids_not_patrolled.is_empty() {
        let (ids, listed) = (&missing.grids_not_patrolled, language.list(&missing.grids_not_patrolled));
        page.labelled(
            language.pick("patrols", "巡访"),
            &language.pick(
                format!("{} without a valid visit in the last month: {listed}", grids(ids)),
                format!("{}个网格近1个月无有效走访：{listed}", ids.len()),
            ),
        );
    }
    if missing.urgent_open > 0 {
        let listed = language.list(&missing.grids_with_urgent_issues);
        page.labelled(
            language.pick("urgent issues", "紧急问题"),
            &language.pick(
                format!("{} open, in {listed}", missing.urgent_open),
                format!("{}件未解决：{listed}", missing.urgent_open),
            ),
        );
    }
}

fn branch_duties(language: Language, branches: &[BranchLine]) -> Table {
    let mut table = Table::default()
        .left(language.pick("branch", "网点"))
        .right(language.pick("grids", "网格"))
        .right(language.pick("without one\nprimary  ", "无唯一\n主责  "))
        .parts(language.pick("patrolled\n1 mo.", "巡访\n1个月"), 1)
        .right("")
        .right(language.pick("issues\nopen", "未解决\n问题"))
        .right(language.pick("urgent\nopen  ", "未解决\n紧急  "));
    for line in branches {
        table.row(vec![
            Cell::Text(line.branch_id.clone()),
            Cell::count(line.grids),
            Cell::missing(line.grids_without_one_primary),
            Cell::Part(line.grids_patrolled, line.grids),
            Cell::Text(mark(line.grids_patrolled < line.grids)),
            Cell::count(line.issues_open),
            Cell::missing(line.urgent_open),
        ]);
    }
    table
}

fn mark(is_undone: bool) -> String {
    if is_undone { MARK.to_string() } else { String::new() }
}

fn grid_duties(language: Language, grids: &[GridLine], faults: &[FaultLine]) -> Table {
    let has_many = |grid: &str| {
        let many = FaultKind::GridWithManyPrimaries.name();
        faults.iter().any(|fault| fault.fault == many && fault.subject_id == grid)
    };
    let mut table = Table::default()
        .left(language.pick("grid", "网格"))
        .left(language.pick("kind", "类型"))
        .left(language.pick("area", "行政区"))
        .left(language.pick("branch", "网点"))
        .left(language.pick("primary\nofficer", "主责\n网格员"))
        .right(language.pick("programme\nyear", "推进\n年度"))
        .parts(language.pick("valid visits\n12 mo.", "有效走访\n12个月"), 1)
        .right(language.pick("valid\n1 mo.  ", "有效\n1个月  "))
        .right(language.pick("issues\nopen", "未解决\n问题"))
        .right(language.pick("urgent\nopen  ", "未解决\n紧急  "));
    for line in grids {
        let officer = match &line.primary_officer_id {
            Some(officer) => officer.clone(),
            None if has_many(&line.grid_id) => marked(language.pick("several", "多名"), true),
            None => marked(language.pick("none", "无"), true),
        };
        table.row(vec![
            Cell::Text(line.grid_id.clone()),
            Cell::Text(language.word(GRID_KINDS, &line.kind)),
            Cell::Text(line.area_id.clone()),
            Cell::Text(line.branch_id.clone()),
            Cell::Text(officer),
            Cell::count(line.programme_year),
            Cell::Part(line.valid_visits_12m, line.visits_12m),
            Cell::Text(marked(&grouped(&line.valid_visits_1m.to_string()), !line.patrol_met)),
            Cell::count(line.issues_open),
            Cell::missing(line.urgent_open),
        ]);
    }
    table
}

fn assessments(language: Language, officers: &[OfficerLine]) -> Table {
    let mut table = Table::default()
        .left(language.pick("officer", "网格员"))
        .right(language.pick("grids", "网格"))
        .right(language.pick("house-\nholds", "户数"))
        .right(language.pick("visiting", "走访"))
        .right(language.pick("filing", "建档"))
        .right(language.pick("truth-\nfulness", "真实性"))
        .right(language.pick("issues", "问题\n处理"))
        .right(language.pick("score", "总分"))
        .left(language.pick("rating", "等次"))
        .parts(language.pick("invalid\nvisits on site", "现场走访\n无效"), 1);
    for line in officers {
        let rating = language.word(RATINGS, &line.rating);
        let rating = match &line.veto {
            Some(veto) => marked(&language.noted(rating, language.word(ASSESSMENT_VETOES, veto)), true),
            None => rating,
        };
        table.row(vec![
            Cell::Text(line.officer_id.clone()),
            Cell::count(line.grids),
            Cell::count(line.households),
            points(line.visiting_points),
            points(line.filing_points),
            points(line.truthfulness_points),
            points(line.issue_points),
            points(line.score),
            Cell::Text(rating),
            Cell::Part(line.invalid_visits_12m, line.onsite_visits_12m),
        ]);
    }
    table
}

/// With their tenths, so that they stand in line.
fn points(points: Points) -> Cell {
    Cell::Text(format_scaled(points.0.into(), 1))
}

/// A part of a whole in words.
fn part_of(language: Language, part: i64, whole: i64) -> String {
    match whole {
        0 => language.pick("none", "无").to_string(),
        _ => language.pick(
            format!("{} of {} ({})", grouped(&part.to_string()), grouped(&whole.to_string()), percent(part, whole)),
            format!("{}／{}（{}）", grouped(&part.to_string()), grouped(&whole.to_string()), percent(part, whole)),
        ),
    }
}

fn credit_rating(page: &mut Page, rating: &RatingLine) {
    let language = page.language;
    page.heading(language.pick("Credit rating of the area", "信用村（区域）评定"));
    let level = language.word(AREA_LEVELS, &rating.level);
    let title = match rating.is_credit_area {
        true => language.pick(format!("a credit {level}"), format!("信用{level}")),
        false => language.pick(format!("not a credit {level}"), format!("非信用{level}")),
    };
    let basis = match (rating.stars, rating.starred_below) {
        (Some(stars), _) => Some(language.pick(counted(stars, "star", "stars"), format!("{stars}星"))),
        (None, Some(below)) => Some(language.pick(
            format!("{} right below it", counted(below, "credit area", "credit areas")),
            format!("直接下辖{below}个信用区域"),
        )),
        (None, None) => None,
    };
    let title = basis.map_or(title.clone(), |basis| language.noted(&title, basis));
    page.labelled(language.pick("rating", "评定"), &title);
    page.labelled(
        language.pick("credit households", "信用户"),
        &part_of(language, rating.credit_households, rating.households),
    );
    page.labelled(
        language.pick("prompt borrowers", "按期还款户"),
        &part_of(language, rating.prompt_borrowers, rating.borrowers),
    );
    let bad = rating.bad_share.map_or(String::new(), |share| language.noted("", format!("{:.2}%", share * 100.0)));
    page.labelled(language.pick("outstanding", "贷款余额"), &rating.outstanding.to_string());
    page.labelled(language.pick("of that bad", "其中不良"), &format!("{}{bad}", rating.bad_outstanding));
}

fn grid_funding(page: &mut Page, funding: &FundingLine) {
    let language = page.language;
    page.heading(language.pick("Funding of the grid work", "网格经费"));
    page.labelled(language.pick("work fund", "工作经费"), &funding.work_fund.to_string());
    page.labelled(language.pick("service fund", "服务经费"), &funding.service_fund.to_string());
}

fn partition_faults(page: &mut Page, coverage: &Coverage) {
    let language = page.language;
    page.heading(language.pick("Partition: no gap, no overlap", "网格划分：不留空白、不重叠"));
    let faults = &coverage.partition_faults;
    match &coverage.scope {
        Scope::Area(_) if coverage.grids.is_none() => page.paragraph(language.pick(
            "The faults of the areas below are told for each of them, and for the bank.",
            "下级行政区的问题按各行政区及全行列示。",
        )),
        _ if faults.is_empty() => page.paragraph(language.pick("No fault.", "无问题。")),
        _ => {}
    }
    let shown = if coverage.scope == Scope::Bank { FAULTS_SHOWN.0 } else { FAULTS_SHOWN.1 };
    for (kind, ..) in FAULTS {
        let of_kind: Vec<&FaultLine> = faults.iter().filter(|fault| fault.fault == *kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        let title = language.word(FAULTS, kind);
        page.paragraph(&language.pick(format!("{title}: {}", of_kind.len()), format!("{title}：{}", of_kind.len())));
        of_kind.iter().take(shown).for_each(|fault| page.item(&fault.detail));
        let more = of_kind.len().saturating_sub(shown);
        if more > 0 {
            page.item(
                &language.pick(format!("and {more} more, which `--json` lists"), format!("另有{more}项，见 `--json`")),
            );
        }
    }
}
