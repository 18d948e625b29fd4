//! Which published runs stay and which may go: the newest, and what they looked back at, so that no run that stays
//! has lost the one it needs to be worked out again. Decides and words; `publish` removes.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::explanation::Language;
use crate::read::published::{DamagedRun, RunSummary, Survey};

use super::page::{Page, counted};
use super::runs::{is_latest, size};
use super::table::{Cell, Table};

/// What is kept: the rule, and what follows from it.
#[derive(Clone, Debug, Serialize)]
pub struct Decision {
    /// How many of the newest runs stay.
    pub keep: u32,
    /// Whether the runs behind those that the newest looked back at may go.
    pub break_chain: bool,
    /// Oldest first, as everything here.
    pub removed: Vec<RunSummary>,
    pub kept: Vec<KeptRun>,
    /// Never removed: nobody can tell what they were.
    pub damaged: Vec<DamagedRun>,
}

#[derive(Clone, Debug, Serialize)]
pub struct KeptRun {
    pub because: Because,
    /// The run that it looked back at is removed.
    pub loses_previous: bool,
    pub run: RunSummary,
}

/// Why a run stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// It is one of the newest.
    Newest,
    /// `latest.json` points to it.
    Latest,
    /// A run that stays looked back at it.
    LookedBackAt,
}

/// Keeps the newest runs, the one that `latest.json` points to, and what they looked back at: all the way, or with
/// `break_chain` one step.
pub fn decide(survey: Survey, keep: u32, break_chain: bool) -> Decision {
    let kept = kept(&survey, keep, break_chain);
    let stays: Vec<Option<Because>> = survey.runs.iter().map(|run| kept.get(&run.run_id).copied()).collect();
    let is_gone = |id: &str| survey.runs.iter().any(|run| run.run_id == id) && !kept.contains_key(id);
    let mut decision =
        Decision { keep, break_chain, removed: Vec::new(), kept: Vec::new(), damaged: survey.damaged.clone() };
    for (run, because) in survey.runs.iter().zip(stays) {
        let run = run.clone();
        match because {
            Some(because) => {
                let loses_previous = run.previous_run.as_ref().is_some_and(|previous| is_gone(&previous.run_id));
                decision.kept.push(KeptRun { because, loses_previous, run });
            }
            None => decision.removed.push(run),
        }
    }
    decision
}

/// The ids of the runs that stay, and why.
fn kept(survey: &Survey, keep: u32, break_chain: bool) -> BTreeMap<String, Because> {
    let mut kept = BTreeMap::new();
    let mut looked_back_at = Vec::new();
    let first_of_newest = survey.runs.len().saturating_sub(usize::try_from(keep).unwrap_or(usize::MAX));
    for (place, run) in survey.runs.iter().enumerate() {
        let because = match place >= first_of_newest {
            true => Because::Newest,
            false if is_latest(survey, run) => Because::Latest,
            false => continue,
        };
        kept.insert(run.run_id.clone(), because);
        looked_back_at.extend(&run.previous_run);
    }
    if !break_chain {
        // A damaged run may be restored, and then needs the one before it.
        looked_back_at.extend(survey.damaged.iter().filter_map(|damaged| damaged.previous_run.as_ref()));
    }
    while let Some(name) = looked_back_at.pop() {
        let Some(run) = survey.runs.iter().find(|run| run.run_id == name.run_id) else { continue };
        if !kept.contains_key(&run.run_id) {
            kept.insert(run.run_id.clone(), Because::LookedBackAt);
            looked_back_at.extend(run.previous_run.iter().filter(|_| !break_chain));
        }
    }
    kept
}

/// The decision as people read it, before (`is_done` false) or after it was carried out.
pub fn in_words(decision: &Decision, is_done: bool) -> String {
    let mut page = Page::new(Language::En);
    let removed = &decision.removed;
    if removed.is_empty() {
        page.heading(if is_done { "nothing was removed" } else { "nothing would be removed" });
    } else {
        let bytes = removed.iter().fold(0, |sum: u64, run| sum.saturating_add(run.bytes));
        let verb = if is_done { "removed" } else { "would be removed" };
        page.heading(&format!("{verb}: {}, {}", runs(removed.len()), size(bytes)));
        page.table(table(removed));
    }
    match decision.kept.len() {
        0 => page.heading("no run is published"),
        1 => page.heading("1 run stays"),
        count => page.heading(&format!("{count} runs stay")),
    }
    reasons(decision).iter().for_each(|reason| page.item(reason));
    page.text()
}

fn table(runs: &[RunSummary]) -> Table {
    let mut table = Table::default().left("as of").right("no.").left("run").right("size");
    for run in runs {
        let cells = [run.as_of.clone(), run.sequence.to_string(), run.run_id.clone(), size(run.bytes)];
        table.row(cells.map(Cell::Text).into());
    }
    table
}

fn runs(count: usize) -> String {
    counted(count as i64, "run", "runs")
}

/// Why runs stay, and what those lose that stay without the one before.
fn reasons(decision: &Decision) -> Vec<String> {
    let count = |because: Because| decision.kept.iter().filter(|kept| kept.because == because).count();
    let newest = match count(Because::Newest) {
        1 => "the newest".to_string(),
        newest => format!("the newest {newest}"),
    };
    let mut reasons = Vec::new();
    if count(Because::Newest) > 0 {
        reasons.push(newest.clone());
    }
    if count(Because::Latest) > 0 {
        reasons.push("1 because `latest.json` points to it".to_string());
    }
    match (count(Because::LookedBackAt), decision.break_chain) {
        (0, _) => {}
        (count, true) => reasons.push(format!("{count} because {newest} looked back at it")),
        (count, false) => {
            let them = if count == 1 { "it" } else { "them" };
            reasons.push(format!(
                "{count} because a later one looked back at {them}; with `--break-chain` only what {newest} looked \
                 back at stays"
            ));
        }
    }
    let losing = decision.kept.iter().filter(|kept| kept.loses_previous).map(|kept| &kept.run);
    reasons.extend(losing.map(|run| {
        format!(
            "run {} of {} loses the run that it looked back at: it can be read and verified, and no longer explained",
            run.run_id, run.as_of
        )
    }));
    let damaged = decision.damaged.iter();
    reasons
        .extend(damaged.map(|damaged| format!("`{}` is damaged and is left as it is: {}", damaged.path, damaged.why)));
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::published::{Latest, RunName};

    /// Runs `r1`, `r2` … of one night each; each looked back at the one that `previous` names.
    fn survey(previous: &[usize], latest: usize) -> Survey {
        let name = |number: usize| RunName { run_id: format!("r{number}"), as_of: format!("2026-01-{number:02}") };
        let run = |number: usize, previous: usize| RunSummary {
            as_of: name(number).as_of,
            sequence: 1,
            run_id: name(number).run_id,
            previous_run: (previous > 0).then(|| name(previous)),
            households: 1,
            rows_set_aside: 0,
            checks: 1,
            checks_allowed: 0,
            checks_failed: 0,
            bytes: 1,
        };
        let RunName { run_id, as_of } = name(latest);
        let path = format!("{as_of}/{run_id}");
        Survey {
            runs: previous.iter().enumerate().map(|(place, &previous)| run(place + 1, previous)).collect(),
            damaged: Vec::new(),
            latest: Some(Latest { as_of, run_id, path }),
        }
    }

    fn removed(decision: &Decision) -> Vec<&str> {
        decision.removed.iter().map(|run| run.run_id.as_str()).collect()
    }

    #[test]
    fn a_chain_stays_whole_unless_it_is_to_be_broken() {
        let chain = || survey(&[0, 1, 2, 3, 4], 5);
        assert_eq!(removed(&decide(chain(), 2, false)), Vec::<&str>::new());
        let broken = decide(chain(), 2, true);
        assert_eq!(removed(&broken), ["r1", "r2"]);
        let losing: Vec<&str> =
            broken.kept.iter().filter(|kept| kept.loses_previous).map(|kept| kept.run.run_id.as_str()).collect();
        assert_eq!(losing, ["r3"]);
    }

    #[test]
    fn what_nobody_looked_back_at_goes() {
        // 2 starts over; 3 is a side branch of 2, and 4 and 5 go on from it.
        assert_eq!(removed(&decide(survey(&[0, 0, 2, 2, 4], 5), 1, false)), ["r1", "r3"]);
        assert_eq!(removed(&decide(survey(&[0, 0, 2, 2, 4], 5), 1, true)), ["r1", "r2", "r3"]);
    }

    #[test]
    fn the_newest_and_the_latest_stay_whatever_is_asked() {
        assert_eq!(removed(&decide(survey(&[0, 0, 0], 1), 1, true)), ["r2"]);
        assert_eq!(removed(&decide(survey(&[0, 0, 0], 3), u32::MAX, true)), Vec::<&str>::new());
        assert_eq!(removed(&decide(Survey::default(), 1, false)), Vec::<&str>::new());
    }

    #[test]
    fn a_damaged_run_keeps_what_it_looked_back_at() {
        let mut survey = survey(&[0, 0, 0], 3);
        let previous_run = Some(RunName { run_id: "r1".into(), as_of: "2026-01-01".into() });
        survey.damaged.push(DamagedRun { path: "2026-01-02/r9".into(), why: "…".into(), previous_run });
        assert_eq!(removed(&decide(survey.clone(), 1, false)), ["r2"]);
        assert_eq!(removed(&decide(survey, 1, true)), ["r1", "r2"]);
    }
}
