//! A work list as text that an officer can print: who and where, what the grids need, then the households with a box to
//! tick, overdue ones first. Says nothing that `WorkList` does not hold.

use crate::coverage::counts::Count;
use crate::coverage::staffing::Duty;
use crate::coverage::work_list::Reason;
use crate::explanation::{Language, grouped};

use super::page::{Page, counted};
use super::table::{Cell, Table, marked};
use super::words::{DUTIES, RATINGS, TASK_COUNTS};
use super::work_list::{HouseholdWork, ServedGrid, WorkList};

pub fn in_words(list: &WorkList, language: Language) -> String {
    let mut page = Page::new(language);
    head(&mut page, list);
    page.heading(language.pick("Grids", "网格"));
    page.table(grids(language, &list.grids));
    list.grids.iter().for_each(|grid| grid_tasks(&mut page, grid, &list.households));
    let (overdue, to_come) = list.households.split_at(list.overdue_households);
    if !overdue.is_empty() {
        let count = overdue.len() as i64;
        page.heading(
            &language
                .pick(format!("Overdue: {}", counted(count, "household", "households")), format!("已逾期：{count}户")),
        );
        page.table(households(language, overdue));
    }
    if !to_come.is_empty() {
        let (count, as_of) = (to_come.len() as i64, &list.run.as_of);
        page.heading(&language.pick(
            format!("Due on {as_of} or later: {}", counted(count, "household", "households")),
            format!("{as_of}及以后到期：{count}户"),
        ));
        page.table(households(language, to_come));
    }
    page.text()
}

fn head(page: &mut Page, list: &WorkList) {
    let language = page.language;
    let (officer, as_of, run) = (&list.officer_id, &list.run.as_of, &list.run.run_id);
    page.heading(&language.pick(
        format!("Work list of officer {officer}, as of {as_of} (run {run})"),
        format!("网格员{officer}待办清单，数据日期{as_of}（运行{run}）"),
    ));
    let count = list.households.len() as i64;
    let overdue = list.overdue_households;
    let until = list
        .due_by
        .as_ref()
        .map_or(String::new(), |day| language.pick(format!(" by {day}"), format!("（{day}及以前到期）")));
    let later = match list.households_due_later {
        0 => String::new(),
        later => language.pick(format!("; {later} more later"), format!("；另有{later}户更晚到期")),
    };
    let summary = match count {
        0 => language
            .pick(format!("Nothing to do for any household{until}{later}."), format!("无待办户{until}{later}。")),
        _ => language.pick(
            format!("{} to see to{until}, {overdue} overdue{later}.", counted(count, "household", "households")),
            format!("待办{count}户{until}，其中逾期{overdue}户{later}。"),
        ),
    };
    page.paragraph(&summary);
    let tasks = TASK_COUNTS.iter().filter_map(|&(reason, one, several, zh)| {
        let &count = list.tasks.get(reason)?;
        Some(language.pick(counted(count, one, several), format!("{zh}{count}户")))
    });
    let tasks: Vec<String> = tasks.collect();
    if !tasks.is_empty() {
        let joined = tasks.join(language.pick(", ", "，"));
        page.paragraph(&language.pick(format!("To do: {joined}."), format!("待办：{joined}。")));
    }
    if let Some(assessment) = &list.assessment {
        let (score, rating) = (assessment.score, language.word(RATINGS, &assessment.rating));
        let branch = &assessment.branch_id;
        page.paragraph(&language.pick(
            format!("Branch {branch}; assessment on this day: {score} of 100 points, {rating}."),
            format!("网点{branch}；当日考核：{score}分（满分100），{rating}。"),
        ));
    }
}

fn grids(language: Language, grids: &[ServedGrid]) -> Table {
    let mut table = Table::default()
        .left(language.pick("grid", "网格"))
        .left(language.pick("area", "行政区"))
        .left(language.pick("duty", "职责"))
        .right(language.pick("house-\nholds", "户数"))
        .parts(language.pick("profiled", "已建档"), 1)
        .right(language.pick("gap  ", "缺口  "))
        .parts(language.pick("visited\n12 mo.", "走访\n12个月"), 2)
        .right(language.pick("valid\nvisits\n1 mo.  ", "有效\n走访\n1个月  "))
        .right(language.pick("urgent\nissues\nopen  ", "紧急\n问题\n未解决  "));
    for ServedGrid { duty, grid } in grids {
        let figures = &grid.figures;
        let part = |count: Count| Cell::Part(figures.get(count), figures.get(Count::Households));
        table.row(vec![
            Cell::Text(grid.grid_id.clone()),
            Cell::Text(grid.area_id.clone()),
            Cell::Text(language.word(DUTIES, duty)),
            Cell::count(figures.get(Count::Households)),
            part(Count::Profiled),
            Cell::missing(figures.profile_gap),
            part(Count::Visited12m),
            Cell::Text(marked(&grouped(&grid.valid_visits_1m.to_string()), !grid.patrol_met)),
            Cell::missing(grid.urgent_open),
        ]);
    }
    table
}

/// What a grid needs that no household's line says.
fn grid_tasks(page: &mut Page, ServedGrid { duty, grid }: &ServedGrid, households: &[HouseholdWork]) {
    let language = page.language;
    let id = &grid.grid_id;
    if duty == Duty::Backup.name() {
        page.item(&language.pick(
            format!("{id}: it has no primary officer, so its work falls to its backup"),
            format!("{id}：无主责网格员，由备岗承担"),
        ));
    }
    if !grid.patrol_met {
        page.item(&language.pick(
            format!("{id}: patrol it; in the last month it had no valid visit, to a household or not"),
            format!("{id}：请巡访；近1个月无有效走访（到户或巡访均可）"),
        ));
    }
    if grid.urgent_open > 0 {
        let is_urgent = |household: &&HouseholdWork| {
            household.grid_id == *id
                && household.reasons.iter().any(|reason| reason.reason == Reason::UrgentIssue.name())
        };
        let named: Vec<&String> =
            households.iter().filter(is_urgent).map(|household| &household.household_id).collect();
        let count = counted(grid.urgent_open, "urgent issue", "urgent issues");
        let zh = format!("{id}：{}件紧急问题未解决", grid.urgent_open);
        let (of, of_zh) = match named.is_empty() {
            true => (", of no household below".to_string(), "，不在下列户中".to_string()),
            false => {
                (format!("; of households: {}", language.list(&named)), format!("，涉及户：{}", language.list(&named)))
            }
        };
        let others = match grid.urgent_open > named.len() as i64 && !named.is_empty() {
            true => language.pick("; others on patrols, or of the same households", "；其余为巡访发现或同户多件"),
            false => "",
        };
        page.item(&language.pick(format!("{id}: {count} open{of}{others}"), format!("{zh}{of_zh}{others}")));
    }
}

fn households(language: Language, households: &[HouseholdWork]) -> Table {
    let mut table = Table::default()
        .left("")
        .left(language.pick("household", "户"))
        .left(language.pick("grid", "网格"))
        .left(language.pick("last valid\nvisit", "上次有效\n走访"))
        .left(language.pick("due", "到期日"))
        .right(language.pick("overdue", "逾期"))
        .left(language.pick("to do", "待办"));
    for household in households {
        let last_visit = household.last_valid_visit_on.as_deref().unwrap_or(language.pick("none", "无"));
        let first = ["[ ]", &household.household_id, &household.grid_id, last_visit];
        for (number, reason) in household.reasons.iter().enumerate() {
            let overdue = match reason.days_overdue {
                0 => String::new(),
                days => language.pick(counted(days.into(), "day", "days"), format!("{days}天")),
            };
            // What there is to do besides stands below, without the household's name.
            let named = first.iter().map(|text| if number == 0 { text } else { "" });
            let is_urgent = reason.reason == Reason::UrgentIssue.name();
            let rest = [reason.due_on.clone(), overdue, marked(&reason.text, is_urgent)];
            table.row(named.map(String::from).chain(rest).map(Cell::Text).collect());
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::listing::RunHead;
    use crate::listing::lines::{Figures, GridLine};
    use crate::listing::work_list::ReasonLine;

    fn grid(urgent_open: i64) -> GridLine {
        let mut figures = Figures::default();
        for (count, households) in [(Count::Households, 120), (Count::Profiled, 90), (Count::Visited12m, 120)] {
            figures.counts.add(count, households);
        }
        figures.profile_gap = 6;
        GridLine {
            grid_id: "G1".into(),
            branch_id: "B1".into(),
            area_id: "A1".into(),
            kind: "village".into(),
            primary_officer_id: None,
            programme_year: 2,
            figures,
            visits_12m: 40,
            valid_visits_12m: 30,
            valid_visits_1m: 0,
            patrol_met: false,
            issues_raised_12m: 3,
            issues_open: 2,
            urgent_open,
        }
    }

    fn household(id: &str, reasons: &[(&str, &str, i32)]) -> HouseholdWork {
        let reason = |&(reason, due_on, days_overdue): &(&str, &str, i32)| ReasonLine {
            reason: reason.into(),
            text: format!("see to {reason}"),
            due_on: due_on.into(),
            days_overdue,
        };
        HouseholdWork {
            household_id: id.into(),
            grid_id: "G1".into(),
            duty: "backup".into(),
            due_on: reasons[0].1.into(),
            is_overdue: reasons[0].2 > 0,
            reasons: reasons.iter().map(reason).collect(),
            last_valid_visit_on: None,
            profile_valid_until: None,
        }
    }

    fn list(urgent_open: i64, households: Vec<HouseholdWork>) -> WorkList {
        let mut tasks = BTreeMap::new();
        for reason in households.iter().flat_map(|household| &household.reasons) {
            *tasks.entry(reason.reason.clone()).or_default() += 1;
        }
        WorkList {
            run: RunHead { as_of: "2026-06-30".into(), run_id: "run".into() },
            officer_id: "O2".into(),
            due_by: None,
            assessment: None,
            grids: vec![ServedGrid { duty: "backup".into(), grid: grid(urgent_open) }],
            overdue_households: households.iter().filter(|household| household.is_overdue).count(),
            tasks,
            households_due_later: 0,
            households,
        }
    }

    #[test]
    fn a_list_says_what_to_do_where_and_by_when() {
        let overdue = household("H1", &[("urgent_issue", "2026-06-29", 1), ("no_profile", "2026-07-09", 0)]);
        let to_come = household("H2", &[("no_profile", "2026-06-30", 0)]);
        insta::assert_snapshot!(in_words(&list(2, vec![overdue, to_come]), Language::En), @"
        Work list of officer O2, as of 2026-06-30 (run run)
          2 households to see to, 1 overdue.
          To do: 2 profiles to make, 1 household with an urgent issue.

        Grids
                                                                   valid  urgent
                              house-                    visited   visits  issues
          grid  area  duty     holds  profiled  gap      12 mo.  1 mo.    open
          G1    A1    backup     120   90  75%    6 !  120 100%      0 !     2 !
          - G1: it has no primary officer, so its work falls to its backup
          - G1: patrol it; in the last month it had no valid visit, to a household or not
          - G1: 2 urgent issues open; of households: H1; others on patrols, or of the same households

        Overdue: 1 household
                                last valid
               household  grid  visit       due         overdue  to do
          [ ]  H1         G1    none        2026-06-29    1 day  see to urgent_issue !
                                            2026-07-09           see to no_profile

        Due on 2026-06-30 or later: 1 household
                                last valid
               household  grid  visit       due         overdue  to do
          [ ]  H2         G1    none        2026-06-30           see to no_profile
        ");
    }

    #[test]
    fn who_has_nothing_to_do_is_told_so() {
        let text = in_words(&list(1, Vec::new()), Language::En);
        assert!(text.contains("Nothing to do for any household."), "{text}");
        assert!(text.contains("1 urgent issue open, of no household below"), "{text}");
        assert!(!text.contains("Overdue"), "{text}");
    }
}
