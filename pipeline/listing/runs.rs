//! The published runs of a bank in a table, oldest first: what each looked back at, how much it holds, how its audit
//! went, and which folders hold no run that can be read. Also how a verified run is told. Looks at nothing itself.

use serde::Serialize;

use crate::explanation::{Language, grouped};
use crate::read::published::{PublishedRun, RunName, RunSummary, Survey, Verified};

use super::page::{Page, counted};
use super::table::{Cell, Table};

/// Shown where there is nothing.
const NONE: &str = "–";

/// What is published below a folder, and what killed runs left there.
#[derive(Clone, Debug, Serialize)]
pub struct Runs {
    #[serde(flatten)]
    pub survey: Survey,
    /// Hidden files and folders of runs that were killed, or are being written at this moment.
    pub leftovers: u64,
}

/// The runs as people read them; `shown` is the folder as the user names it.
pub fn in_words(runs: &Runs, shown: &str) -> String {
    let survey = &runs.survey;
    let mut page = Page::new(Language::En);
    match survey.runs.len() {
        0 if survey.damaged.is_empty() => page.heading(&format!("no run is published in `{shown}` yet")),
        0 => page.heading(&format!("no run in `{shown}` can be read")),
        count => {
            page.heading(&format!("{} in `{shown}`", counted(count as i64, "published run", "published runs")));
            page.table(table(survey));
        }
    }
    if !survey.damaged.is_empty() {
        page.heading(&counted(survey.damaged.len() as i64, "damaged folder", "damaged folders"));
    }
    for damaged in &survey.damaged {
        page.item(&format!("`{}`: {}", damaged.path, damaged.why));
    }
    let remarks = remarks(runs);
    if !remarks.is_empty() {
        page.heading("remarks");
    }
    remarks.iter().for_each(|remark| page.item(remark));
    page.text()
}

fn table(survey: &Survey) -> Table {
    let mut table = Table::default()
        .left("as of")
        .right("no.")
        .left("run")
        .left("looked\nback at")
        .right("house-\nholds")
        .right("set\naside")
        .left("audit")
        .right("size")
        .left("");
    for run in &survey.runs {
        table.row(vec![
            Cell::Text(run.as_of.clone()),
            Cell::Text(run.sequence.to_string()),
            Cell::Text(run.run_id.clone()),
            Cell::Text(run.previous_run.as_ref().map_or_else(|| NONE.to_string(), |name| previous(survey, name))),
            Cell::Text(grouped(&run.households.to_string())),
            Cell::Text(grouped(&run.rows_set_aside.to_string())),
            Cell::Text(audit(run)),
            Cell::Text(size(run.bytes)),
            Cell::Text(if is_latest(survey, run) { "latest" } else { "" }.to_string()),
        ]);
    }
    table
}

/// A run that another looked back at, and whether it is still there.
fn previous(survey: &Survey, name: &RunName) -> String {
    match survey.runs.iter().find(|run| run.run_id == name.run_id) {
        Some(run) => format!("{} no. {}", run.as_of, run.sequence),
        None => format!("{}, gone", name.as_of),
    }
}

fn audit(run: &RunSummary) -> String {
    match (run.checks_failed, run.checks_allowed) {
        (0, 0) if run.checks == 0 => NONE.to_string(),
        (0, 0) => "passed".to_string(),
        (0, allowed) => format!("{allowed} allowed"),
        (failed, _) => format!("{failed} failed"),
    }
}

/// Whether `latest.json` points to the run.
pub(super) fn is_latest(survey: &Survey, run: &RunSummary) -> bool {
    survey.latest.as_ref().is_some_and(|latest| latest.path == format!("{}/{}", run.as_of, run.run_id))
}

/// What a reader should know of the folder as a whole.
fn remarks(runs: &Runs) -> Vec<String> {
    let survey = &runs.survey;
    let newest = survey.runs.last();
    let mut remarks = Vec::new();
    match (&survey.latest, newest) {
        (Some(latest), _) if !survey.runs.iter().any(|run| is_latest(survey, run)) => {
            remarks.push(format!("`latest.json` points to `{}`, and no run can be read there", latest.path));
        }
        (Some(latest), Some(newest)) if !is_latest(survey, newest) => remarks.push(format!(
            "`latest.json` points to `{}`, which is not the newest run; the next night mends it",
            latest.path
        )),
        (None, Some(_)) => {
            remarks.push("there is no `latest.json` that can be read; the next night writes it".to_string());
        }
        _ => {}
    }
    if runs.leftovers > 0 {
        let left = counted(runs.leftovers as i64, "hidden folder or file", "hidden folders or files");
        remarks.push(format!(
            "{left} of a run that is being written or was killed; the next night removes what was left behind"
        ));
    }
    remarks
}

/// A size in the unit that shows it shortly.
pub(super) fn size(bytes: u64) -> String {
    let tenths = |unit: u64| {
        let tenths = u128::from(bytes) * 10 / u128::from(unit);
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    match bytes {
        0..0x400 => format!("{bytes} B"),
        0x400..0x10_0000 => format!("{} KiB", bytes >> 10),
        0x10_0000..0x4000_0000 => format!("{} MiB", tenths(1 << 20)),
        _ => format!("{} GiB", tenths(1 << 30)),
    }
}

/// A run in which nothing differs from its manifest.
pub fn verified_in_words(run: &PublishedRun, verified: &Verified) -> String {
    let files = counted(verified.files as i64, "file", "files");
    let bytes = grouped(&verified.bytes.to_string());
    format!("run {} of {}: {files}, {bytes} bytes: all as the manifest says", run.run_id, run.as_of)
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn a_size_is_never_rounded_up() {
        let shown: Vec<String> = [0, 1023, 1024, 1_048_575, 1_048_576, 1_992_294, 1 << 30, u64::MAX].map(size).into();
        let expected = ["0 B", "1023 B", "1 KiB", "1023 KiB", "1.0 MiB", "1.8 MiB", "1.0 GiB", "17179869183.9 GiB"];
        assert_eq!(shown, expected);
    }
}
